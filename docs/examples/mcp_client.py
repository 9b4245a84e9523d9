"""Ask a running Beleg by MCP:

.venv/bin/python -m docs.examples.mcp_client http://127.0.0.1:7860/mcp "QUESTION"

BELEG_TOKEN is the bearer token, where the server asks for one.
"""

import asyncio
import os
import sys

import httpx2
from mcp import Client
from mcp.client.streamable_http import streamable_http_client


async def main(address: str, question: str) -> None:
    token = os.environ.get("BELEG_TOKEN")
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    async with (
        httpx2.AsyncClient(headers=headers, timeout=120) as http,
        Client(streamable_http_client(address, http_client=http)) as beleg,
    ):
        result = await beleg.call_tool("ask", {"question": question})
        print(result.content[0].text)
        for cited in [] if result.is_error else result.structured_content["citations"]:
            span = {name: cited[name] for name in ("article_id", "start", "end")}
            read = await beleg.call_tool("read_article", span)
            assert read.structured_content["text"] == cited["quote"]


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
