"""LiteLLM, by name of the protocol."""

import os

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # its list of prices is not asked for

import litellm
from told import ADDRESS, QUESTION, tried, version

HERE = {"api_base": f"{ADDRESS}/v1", "api_key": "none"}
MESSAGES = [{"role": "user", "content": QUESTION}]


def streamed() -> str:
    chunks = litellm.completion(model="openai/beleg", messages=MESSAGES, stream=True, **HERE)
    return "".join(chunk.choices[0].delta.content or "" for chunk in chunks)


def response() -> str:
    made = litellm.responses(model="openai/beleg", input=QUESTION, **HERE)
    return "".join(part.text for item in made.output for part in item.content)


def completed() -> str:
    made = litellm.text_completion(model="text-completion-openai/beleg", prompt=QUESTION, **HERE)
    return made.choices[0].text


version("litellm")
tried(
    "chat",
    lambda: litellm.completion(model="openai/beleg", messages=MESSAGES, **HERE).choices[0].message.content,
)
tried("chat, streamed", streamed)
tried("responses", response)
tried("completions", completed)
tried("embeddings", lambda: litellm.embedding(model="openai/auto", input=["Brücke"], **HERE).data)
