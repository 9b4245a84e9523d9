"""Protects everyday questions: courtesy, shouting and a question before change nothing in what is answered.

All questions of the project's set in German and English, and the few in other languages, are asked plainly,
decorated, and decorated again after a question on another topic.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import closing

import pytest

import rag
from eval.cases import Case, load_cases
from rag.engine import Engine
from rag.schema import Answer, Message
from tests.conftest import ROOT
from tests.decorations import AROUND, HELD_BACK

CASES = [case for case in load_cases(ROOT / "eval" / "sets" / "seeds.jsonl") if not case.history]
OTHER = 57  # questions further on, far enough to be about something else
ALONE, SECOND = 0.97, 0.95
CAPITALS = 0.98
_VERB_SECOND = re.compile(r"^(Wann|Warum|Wo|Wie oft|Wofür|Wodurch|Was|Wer) ([a-zäöüß]+) ([^,;:]+)\?$")

Decoration = Callable[[str], str]


def as_template(template: str) -> Decoration:
    return lambda question: template.format(q=question)


def subordinate(question: str) -> str:
    """ "Wann tritt er das Amt an?" as "…, wann er das Amt antritt."; as it is where that takes a parser."""
    parts = _VERB_SECOND.match(question)
    if not parts:
        return question
    asked, verb, rest = parts.groups()
    particle = re.search(r" (an|ab|auf|aus|ein|mit|vor|zu|statt|teil|zurück)$", rest)
    if particle:
        rest, verb = rest[: particle.start()], particle.group(1) + verb
    return f"Können Sie mir sagen, {asked.lower()} {rest} {verb}."


TYPED = {
    "unmarked": lambda question: question.rstrip("?") + "  ",
    "marked thrice": lambda question: question.replace(" ", "  ").rstrip("?") + " ???",
    "with an address": lambda question: f"{question} https://example.org/a?b=c",
}


def decorations(language: str) -> dict[str, Decoration]:
    around = {text: as_template(text) for text in (*AROUND[language], *HELD_BACK[language])}
    return around | TYPED | ({"subordinate": subordinate} if language == "de" else {})


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """The seeds, indexed once."""
    with closing(rag.open_engine(ROOT / "seeds", tmp_path_factory.mktemp("data"))) as engine:
        yield engine


def said(answer: Answer) -> tuple[bool, tuple[tuple[str, int, int], ...]]:
    return answer.abstained, tuple((c.article_id, c.start, c.end) for c in answer.citations)


def another(case: Case) -> str:
    return CASES[(CASES.index(case) + OTHER) % len(CASES)].question


def before(engine: Engine, case: Case, decorate: Decoration) -> list[Message]:
    """A conversation about something else."""
    message = decorate(another(case))
    return [Message("user", message), Message("assistant", engine.ask(message).text)]


def share_of_same(
    engine: Engine, language: str, decorate: Decoration, *, second: bool
) -> tuple[float, list[str]]:
    cases = [case for case in CASES if case.lang == language]
    changed = []
    for case in cases:
        history = before(engine, case, decorate) if second else []
        message = decorate(case.question)
        if said(engine.ask(message, history)) != said(engine.ask(case.question)):
            changed.append(message)
    return 1 - len(changed) / len(cases), changed


each = pytest.mark.parametrize(
    ("language", "name"), [(language, name) for language in AROUND for name in decorations(language)]
)


@each
def test_a_decorated_question_is_answered_as_the_plain_one(engine: Engine, language: str, name: str) -> None:
    share, changed = share_of_same(engine, language, decorations(language)[name], second=False)
    assert share >= ALONE, changed


@each
def test_so_it_is_after_a_question_on_another_topic(engine: Engine, language: str, name: str) -> None:
    share, changed = share_of_same(engine, language, decorations(language)[name], second=True)
    assert share >= SECOND, changed


@pytest.mark.parametrize("language", AROUND)
@pytest.mark.parametrize("typed", [str.lower, str.upper])
def test_so_it_is_in_small_letters_and_shouted(engine: Engine, language: str, typed: Decoration) -> None:
    share, changed = share_of_same(engine, language, typed, second=False)
    assert share >= CAPITALS, changed
