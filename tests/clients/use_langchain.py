"""LangChain's chat model and embeddings, as they are by default and by the newer endpoint."""

from typing import Any

from langchain_openai import ChatOpenAI, OpenAIEmbeddings
from told import ADDRESS, QUESTION, tried, version

HERE: dict[str, Any] = {"base_url": f"{ADDRESS}/v1", "api_key": "none"}
chat = ChatOpenAI(model="beleg", **HERE)
newer = ChatOpenAI(model="beleg", use_responses_api=True, **HERE)


def text(message: Any) -> str:
    parts = message.content
    return parts if isinstance(parts, str) else "".join(part.get("text", "") for part in parts)


version("langchain-openai")
tried("chat", lambda: text(chat.invoke(QUESTION)))
tried("chat, streamed", lambda: "".join(text(part) for part in chat.stream(QUESTION)))
tried("responses", lambda: text(newer.invoke(QUESTION)))
tried("responses, streamed", lambda: "".join(text(part) for part in newer.stream(QUESTION)))
tried(
    "embeddings, as token lists",
    lambda: OpenAIEmbeddings(model="auto", **HERE).embed_query("Brücke am Hafen"),
)
