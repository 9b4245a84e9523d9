"""Ask a running Beleg with OpenAI's client:

.venv/bin/python -m docs.examples.openai_client http://127.0.0.1:7860/v1 "QUESTION"

BELEG_TOKEN is the bearer token, where the server asks for one.
"""

import os
import sys

from openai import OpenAI


def main(address: str, question: str) -> None:
    client = OpenAI(base_url=address, api_key=os.environ.get("BELEG_TOKEN", "none"), max_retries=0)
    completion = client.chat.completions.create(
        model="beleg", messages=[{"role": "user", "content": question}]
    )
    print(completion.choices[0].message.content)
    for cited in completion.beleg["citations"]:  # the whole answer, as every door gives it
        print(f"[{cited['number']}] {cited['article_id']}: „{cited['quote']}“")

    stream = client.chat.completions.create(
        model="beleg-extractive", messages=[{"role": "user", "content": question}], stream=True
    )
    for chunk in stream:
        if chunk.choices:
            print(chunk.choices[0].delta.content or "", end="", flush=True)
    print()


if __name__ == "__main__":
    main(*sys.argv[1:])
