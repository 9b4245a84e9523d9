"""Protects what errors say: every code has its words in each language, with the blanks that are filled in."""

from __future__ import annotations

import ast
import json
import pickle
import re
from collections.abc import Iterator

import pytest

from rag import errors
from rag.errors import ArticleError, BelegError, ProviderUnavailable
from rag.i18n import GERMAN, LANGUAGES, Phrase
from rag.models.faults import TABLE, Server, translated
from tests.conftest import ROOT

CLASSES = {name for name, kind in vars(errors).items() if isinstance(kind, type)} | {"Phrase"}
LIKE_A_CODE = re.compile(r"[a-z_]+")


def raised() -> Iterator[tuple[str, set[str]]]:
    """Every code that is raised or put into a phrase, and what its blanks are filled with."""
    for path in (path for folder in ("rag", "ingest") for path in (ROOT / folder).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            match node:
                case ast.Call(ast.Name(name), [ast.Constant(str(code))], keywords) if (
                    name in CLASSES and LIKE_A_CODE.fullmatch(code)
                ):
                    yield code, {str(keyword.arg) for keyword in keywords}


RAISED = list(raised())


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_code_has_words_whose_blanks_are_filled(lang: str) -> None:
    assert RAISED
    for code, filled in RAISED:
        words = LANGUAGES[lang].at("errors")[code]
        forms = [words] if isinstance(words, str) else words.values()
        assert set(re.findall(r"\{(\w+)\}", " ".join(forms))) <= filled, code


def test_german_is_german() -> None:
    english = re.compile(r"\b(is|the|has|not|it|again|of|at|and|with|or)\b")
    found = {code: words for code, words in GERMAN.at("errors").items() if english.search(str(words))}
    assert found == {}


def test_every_fault_of_a_model_is_told_in_each_language() -> None:
    for _, code in TABLE.values():
        server = Server("m", "http://127.0.0.1:1/v1", True, 3, codes={"model_nonsense": code})
        error = translated(ValueError("?"), server)
        assert error.code == code
        assert GERMAN.said(error.phrase) != str(error) != code


def test_an_error_is_worded_for_its_reader() -> None:
    error = BelegError("model_busy", host="h", when=Phrase("in_seconds", seconds=2.5))
    assert str(error) == "h is overloaded; try again in 2.5 seconds"
    assert GERMAN.said(error.phrase) == "h ist überlastet; bitte in 2,5 Sekunden noch einmal versuchen"


def test_a_message_without_a_code_stands_for_itself() -> None:
    assert str(ArticleError("never {heard} of")) == "never {heard} of"


def test_errors_may_travel_between_processes() -> None:
    error = ProviderUnavailable("model_unreachable", partial="so far", host="h", address="A")
    again = pickle.loads(pickle.dumps(error))
    assert (str(again), again.partial, again.code) == (str(error), "so far", "model_unreachable")


def test_a_phrase_is_kept_with_what_is_in_it() -> None:
    phrase = Phrase("model_busy", host="h", when=Phrase("in_seconds", seconds=3.0))
    again = Phrase.load(json.loads(json.dumps(phrase.dump())))
    assert (again, GERMAN.said(again)) == (phrase, GERMAN.said(phrase))
    assert Phrase.load("is empty; {fill} it") == "is empty; {fill} it"
