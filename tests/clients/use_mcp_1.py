"""The protocol's own client, of its first version: at /mcp."""

import asyncio

from mcp import ClientSession
from mcp.client.streamable_http import streamablehttp_client
from told import ADDRESS, QUESTION, tried, version


async def all_of_it() -> None:
    async with (
        streamablehttp_client(f"{ADDRESS}/mcp") as (reading, writing, _),
        ClientSession(reading, writing) as session,
    ):
        await session.initialize()
        tools = [tool.name for tool in (await session.list_tools()).tools]
        tried("tools", lambda: tools == ["ask", "search", "read_article"])
        told = await session.call_tool("ask", {"question": QUESTION})
        tried("ask", lambda: told.structuredContent["text"])
        listed = (await session.list_resources()).resources
        read = await session.read_resource(listed[0].uri)
        tried("resources", lambda: len(listed) == 5 and bool(read.contents[0].text))


version("mcp")
asyncio.run(all_of_it())
