"""Protects the way to a real model: what the scripted server claims of the protocol holds there too, and the
weakest of models never makes an answer worse than none would."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import openai
import pytest

from ingest.sync import sync
from rag.engine import Engine, open_engine
from rag.models.faults import overflows
from rag.schema import Answer, Done
from rag.settings import Settings
from tests.dossier import DOSSIER, fill, settings_for, write
from tests.llama_cpp_peer import LlamaPeer

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def client(llama_cpp_server: LlamaPeer) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(
        base_url=llama_cpp_server.base_url, api_key="none", max_retries=0, timeout=120
    ) as client:
        yield client


@pytest.fixture
def ask(client: openai.OpenAI, llama_cpp_server: LlamaPeer) -> Any:
    def ask(question: str = "Wer legte in Moorhafen an?", **more: Any) -> Any:
        messages: list[Any] = [{"role": "user", "content": question}]
        options = {"temperature": 0, "max_tokens": 24} | more
        return client.chat.completions.create(model=llama_cpp_server.model, messages=messages, **options)

    return ask


def told(chunks: Any) -> tuple[str, list[str]]:
    """The text of a stream, and the reasons it gave for its end."""
    choices = [choice for chunk in chunks for choice in chunk.choices]
    reasons = [choice.finish_reason for choice in choices if choice.finish_reason]
    return "".join(choice.delta.content or "" for choice in choices), reasons


def test_a_stream_opens_with_the_role_and_tells_the_same(ask: Any) -> None:
    whole = ask().choices[0]
    role, *rest = ask(stream=True)
    assert role.choices[0].delta.role == "assistant"
    assert told(rest) == (whole.message.content, [whole.finish_reason])


def test_json_follows_its_schema(ask: Any) -> None:
    schema = {
        "type": "object",
        "properties": {"belegt": {"type": "boolean"}, "urteil": {"enum": ["ja", "nein"]}},
        "required": ["belegt", "urteil"],
    }
    form = {"type": "json_schema", "json_schema": {"name": "verdict", "schema": schema, "strict": True}}
    completion = ask(response_format=form, max_tokens=100)
    verdict = json.loads(completion.choices[0].message.content)
    assert isinstance(verdict.pop("belegt"), bool)
    assert verdict.pop("urteil") in ("ja", "nein")
    assert verdict == {}


def test_a_prompt_beyond_the_window_is_known_for_one(ask: Any, llama_cpp_server: LlamaPeer) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        ask("Hafen? " * llama_cpp_server.context)
    assert overflows(caught.value)


# --- Beleg on it


@pytest.fixture(scope="module")
def engine(llama_cpp_server: LlamaPeer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    settings = settings_on(llama_cpp_server, tmp_path_factory.mktemp("questions"))
    fill(settings, *DOSSIER)
    with closing(open_engine(settings)) as engine:
        yield engine


def settings_on(peer: LlamaPeer, folder: Path, **more: object) -> Settings:
    given = {"openai_base_url": peer.base_url, "llm": peer.model, "llm_window": 2048, "llm_reply": 96}
    return settings_for(folder, passages=2, **(given | more))


ANSWERED = [
    ("Was kostet die Reparatur der Brücke?", "4,3 Millionen"),
    ("Wer dirigiert die Konzerte in der Speicherhalle?", "Oksana Tschumatschenko"),
    ("Mit wie vielen Tonnen rechnen die Obstbauern?", "900 Tonnen"),
    ("Wie viele Schafe verlor Arne Petersen?", "elf"),
    ("Wer leitet die Bücherei?", "Mareike Deters"),
    ("How much does the repair of the bridge cost?", "4[,.]3"),
]
NOT_ANSWERED = [
    "Wer gewann das Endspiel in Rom?",
    "Was kostet der Abriss der Brücke?",
    "Which school did the mayor attend?",
]


@pytest.mark.parametrize(("question", "expected"), ANSWERED)
def test_whatever_the_model_says_the_reader_gets_an_answer(
    engine: Engine, question: str, expected: str
) -> None:
    answer = engine.ask(question)
    assert not answer.abstained
    assert re.search(expected, answer.text), answer.text
    assert unproven(answer) == []


def test_a_stream_ends_with_the_answer_and_its_usage(engine: Engine, llama_cpp_server: LlamaPeer) -> None:
    *_, done = engine.stream("Was kostet die Reparatur der Brücke?")
    assert isinstance(done, Done)
    assert done.answer.model in (llama_cpp_server.model, None)
    assert done.answer.usage["completion_tokens"] > 0
    assert unproven(done.answer) == []


@pytest.mark.parametrize("question", NOT_ANSWERED)
def test_a_question_that_nothing_answers_gets_no_invention(engine: Engine, question: str) -> None:
    answer = engine.ask(question)
    assert answer.abstained or answer.model is None, answer.text
    assert unproven(answer) == []


def unproven(answer: Answer) -> list[str]:
    """Names and figures of sentences called supported that the quotations beside them do not have."""
    quoted = {citation.number: citation.quote for citation in answer.citations}
    return [
        word
        for statement in answer.statements
        if statement.status == "supported"
        for word in re.findall(r"[A-ZÄÖÜ]\w{3,}|\d[\d.,]*", statement.text)
        if word not in " ".join(quoted[number] for number in statement.citations)
    ]


def test_passages_are_embedded_by_it(llama_cpp_server: LlamaPeer, tmp_path: Path) -> None:
    settings = settings_on(
        llama_cpp_server, tmp_path, embedding=f"openai-like:{llama_cpp_server.model}", dense_weight=0.3
    )
    write(settings.articles, *DOSSIER)
    sync(settings)
    with closing(open_engine(settings)) as engine:
        passages = engine.search("Was kostet die Reparatur der Brücke?", 3)
        assert passages[0].article.id == "bruecke"
        assert str(llama_cpp_server.dimensions) in engine.library.fingerprint
