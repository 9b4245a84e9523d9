"""Give a LlamaIndex agent Beleg as a tool; OPENAI_API_KEY is the key of the agent's own model:

.venv/bin/python -m docs.examples.llama_index_agent seeds "QUESTION"
"""

import asyncio
import sys
from contextlib import closing

from llama_index.core.agent.workflow import FunctionAgent
from llama_index.core.llms.function_calling import FunctionCallingLLM
from llama_index.llms.openai import OpenAI

from rag import open_engine


async def ask(folder: str, question: str, llm: FunctionCallingLLM) -> str:
    with closing(open_engine(folder, llm="none")) as engine:
        tool = engine.as_tool("dossier", "Answers questions about the dossier, with quoted sources.")
        agent = FunctionAgent(tools=[tool], llm=llm, system_prompt="Keep the sources that the dossier gives.")
        return str(await agent.run(user_msg=question))


if __name__ == "__main__":
    print(asyncio.run(ask(*sys.argv[1:3], OpenAI("gpt-4.1-mini"))))
