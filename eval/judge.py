"""Faithfulness as a language model judges it: only with `--judge`, and only where one is configured."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from rag.answering.judge import judge
from rag.models.chat import ChatModel, Deadline
from rag.schema import Answer

Judge = Callable[[str, str], bool | None]
"""Whether a context supports a sentence; None where no verdict can be trusted."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """A judged sentence; `supported` is None when the model failed or its evidence was not verbatim."""

    sentence: str
    supported: bool | None


def verdicts(answer: Answer, judge: Judge) -> tuple[Verdict, ...]:
    """The verdict on each sentence that claims something, by all passages that the answer had."""
    context = "\n\n".join(passage.chunk.text for passage in answer.passages)
    claims = [statement.text for statement in answer.statements if statement.status != "no claim"]
    return tuple(Verdict(claim, judge(claim, context)) for claim in claims)


def faithfulness(judged: tuple[Verdict, ...]) -> float | None:
    """Share of the judged sentences that the passages support; None when none was judged.

    As RAGAS' faithfulness (Es et al. 2023, arXiv 2309.15217), with sentences in the place of the
    claims that a model makes of them: hence the measure is called `judge_faithfulness`.
    """
    known = [verdict.supported for verdict in judged if verdict.supported is not None]
    return sum(known) / len(known) if known else None


def model_judge(model: ChatModel, seconds: float) -> Judge:
    """The configured model as the judge, with at most `seconds` for a sentence.

    It must quote its evidence; a quote that does not stand in the context voids the verdict.
    """

    def ask(sentence: str, context: str) -> bool | None:
        found = judge(model, sentence, context, Deadline(seconds))
        return None if found is None else found[0]

    return ask
