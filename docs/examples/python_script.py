"""Ask a folder of articles in Python: .venv/bin/python -m docs.examples.python_script seeds "QUESTION"."""

import sys
from contextlib import closing

from rag import open_engine
from rag.errors import BelegError


def main(folder: str, question: str) -> None:
    with closing(open_engine(folder)) as engine:
        answer = engine.ask(question)
        print(answer.text)
        for cited in answer.citations:
            print(
                f"[{cited.number}] {cited.outlet}, {cited.title}: „{cited.quote}“ ({cited.start}–{cited.end})"
            )
        if answer.abstained:
            print(f"(no answer: {answer.reason})")


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except BelegError as error:
        sys.exit(f"Beleg: {error}")
