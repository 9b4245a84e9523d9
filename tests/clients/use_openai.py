"""OpenAI's own client."""

import openai
from told import ADDRESS, QUESTION, refused, tried, version

client = openai.OpenAI(base_url=f"{ADDRESS}/v1", api_key="none", max_retries=0)
ASKED = {"model": "beleg", "messages": [{"role": "user", "content": QUESTION}]}


def streamed() -> str:
    chunks = client.chat.completions.create(**ASKED, stream=True)
    return "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)


def typed() -> bool:
    reply = client.chat.completions.create(**ASKED)
    cited = reply.choices[0].message.annotations[0].url_citation
    return reply.choices[0].message.content[cited.start_index : cited.end_index] == "[1]"


def response_streamed() -> str:
    events = client.responses.create(model="beleg", input=QUESTION, stream=True)
    return "".join(event.delta for event in events if event.type == "response.output_text.delta")


def embedded() -> bool:
    name = [model.id for model in client.models.list()][-1]
    return len(client.embeddings.create(model=name, input=["Brücke", "Wolf"]).data) == 2


version("openai")
tried("chat", lambda: client.chat.completions.create(**ASKED).choices[0].message.content)
tried("chat, streamed", streamed)
tried("citations as annotations", typed)
tried("responses", lambda: client.responses.create(model="beleg", input=QUESTION).output_text)
tried("responses, streamed", response_streamed)
tried("completions", lambda: client.completions.create(model="beleg", prompt=QUESTION).choices[0].text)
tried("embeddings", embedded)
tool = {"type": "function", "name": "x", "parameters": {}}
tried(
    "tools, clearly refused",
    lambda: refused(
        lambda: client.responses.create(model="beleg", input=QUESTION, tools=[tool]), "leave tools out"
    ),
)
