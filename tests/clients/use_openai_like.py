"""LlamaIndex's `OpenAILike`, with its default (completions) and as a chat model."""

from typing import Any

from llama_index.core.llms import ChatMessage
from llama_index.llms.openai_like import OpenAILike
from told import ADDRESS, QUESTION, tried, version

HERE: dict[str, Any] = {"model": "beleg", "api_base": f"{ADDRESS}/v1", "api_key": "none"}
usual, chat = OpenAILike(**HERE), OpenAILike(**HERE, is_chat_model=True)
ASKED = [ChatMessage(role="user", content=QUESTION)]

version("llama-index-llms-openai-like")
tried("completions", lambda: usual.complete(QUESTION).text)
tried("completions, streamed", lambda: "".join(part.delta or "" for part in usual.stream_complete(QUESTION)))
tried("chat", lambda: chat.chat(ASKED).message.content)
tried("chat, streamed", lambda: "".join(part.delta or "" for part in chat.stream_chat(ASKED)))
