"""Pydantic AI's agent, as it is by default (responses) and by chat."""

import asyncio

from pydantic_ai import Agent
from pydantic_ai.models.openai import OpenAIChatModel, OpenAIResponsesModel
from pydantic_ai.providers.openai import OpenAIProvider
from told import ADDRESS, QUESTION, tried, version

beleg = OpenAIProvider(base_url=f"{ADDRESS}/v1", api_key="none")
newer = Agent(OpenAIResponsesModel("beleg", provider=beleg))
chat = Agent(OpenAIChatModel("beleg", provider=beleg))


async def streamed(agent: Agent) -> str:
    async with agent.run_stream(QUESTION) as run:
        return "".join([part async for part in run.stream_text(delta=True)])


version("pydantic-ai-slim")
tried("responses", lambda: newer.run_sync(QUESTION).output)
tried("responses, streamed", lambda: asyncio.run(streamed(newer)))
tried("chat", lambda: chat.run_sync(QUESTION).output)
tried("chat, streamed", lambda: asyncio.run(streamed(chat)))
