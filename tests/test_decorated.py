"""Protects everyday questions: courtesy, shouting and a question before change nothing in what is answered.

All questions of the project's set in German and English, and the few in other languages, are asked plainly,
and with each decoration: some at the beginning, some after a question on another topic.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import closing

import pytest

import rag
from eval.cases import load_cases
from rag.engine import Engine
from rag.schema import Answer, Message
from tests.conftest import ROOT
from tests.decorations import AROUND, HELD_BACK

CASES = [case for case in load_cases(ROOT / "eval" / "sets" / "seeds.jsonl") if not case.history]
OTHER = 57  # questions further on, far enough to be about something else
MANY = 50
MOST_CHANGED, MOST_CHANGED_BY_CAPITALS = 0.04, 0.02
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


@pytest.fixture(scope="module")
def plain(engine: Engine) -> dict[str, Answer]:
    """The answers to the questions as they are."""
    return {case.question: engine.ask(case.question) for case in CASES}


def said(answer: Answer) -> tuple[bool, tuple[tuple[str, int, int], ...]]:
    return answer.abstained, tuple((c.article_id, c.start, c.end) for c in answer.citations)


def changed(
    engine: Engine, plain: dict[str, Answer], language: str, decorate: Decoration, turn: int | None = None
) -> tuple[float, list[str]]:
    """The share of a language's questions that a decoration changes the answers of, and those questions.

    In its turn a decoration is tried on half of the questions where there are many, and every other of them
    comes after a question about something else.
    """
    cases = [case for case in CASES if case.lang == language]
    if turn is not None and len(cases) > MANY:
        cases = cases[turn % 2 :: 2]
    found = []
    for n, case in enumerate(cases):
        message, history = decorate(case.question), []
        if turn is not None and (n + turn // 2) % 2:
            other = CASES[(CASES.index(case) + OTHER) % len(CASES)].question
            history = [Message("user", decorate(other)), Message("assistant", plain[other].text)]
        if said(engine.ask(message, history)) != said(plain[case.question]):
            found.append(message)
    return len(found) / len(cases), found


@pytest.mark.parametrize(
    ("language", "name", "turn"),
    [(language, name, turn) for language in AROUND for turn, name in enumerate(decorations(language))],
)
def test_a_decorated_question_is_answered_as_the_plain_one(
    engine: Engine, plain: dict[str, Answer], language: str, name: str, turn: int
) -> None:
    share, which = changed(engine, plain, language, decorations(language)[name], turn)
    assert share <= MOST_CHANGED, which


@pytest.mark.parametrize("language", AROUND)
@pytest.mark.parametrize("typed", [str.lower, str.upper])
def test_so_it_is_in_small_letters_and_shouted(
    engine: Engine, plain: dict[str, Answer], language: str, typed: Decoration
) -> None:
    share, which = changed(engine, plain, language, typed)
    assert share <= MOST_CHANGED_BY_CAPITALS, which
