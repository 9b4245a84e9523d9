"""FastMCP's client: at /mcp."""

import asyncio

from fastmcp import Client
from told import ADDRESS, QUESTION, tried, version


async def all_of_it() -> None:
    async with Client(f"{ADDRESS}/mcp") as client:
        tools = [tool.name for tool in await client.list_tools()]
        tried("tools", lambda: tools == ["ask", "search", "read_article"])
        told = await client.call_tool("ask", {"question": QUESTION})
        tried("ask", lambda: told.structured_content["text"])
        listed = await client.list_resources()
        read = await client.read_resource(listed[0].uri)
        tried("resources", lambda: len(listed) == 5 and bool(read[0].text))


version("fastmcp")
asyncio.run(all_of_it())
