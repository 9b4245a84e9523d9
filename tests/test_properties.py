"""Protects against input that nobody thought of: any file, any question, any model's text, any address.

A few examples each; `make test ARGS="-k properties --hypothesis-profile long"` draws thousands, and
`make fuzz` follows the coverage.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ingest.readers import SUFFIXES
from ingest.readers.document import Document
from rag.text.analysis import key
from rag.verification.facts import facts
from tests import targets
from tests.pages import pages

ANY = st.text(max_size=300)
WORDS = st.sampled_from(
    "Die Brücke kostet 4,3 Millionen Euro .|„Ja“,|am 15. Auguſt 2025|fünfmal|tauſend|gestern|Dienſtag|Ines"
    "|[1]|[1.2]|[1–3]|[2](http://x/y)|[|【1†a】|<img src=//x>|javascript:alert(1)"
    "|https://x.example|&|*|`|\n\n|?|wer|und|laut Deters|how many|Хто|\ud800|\x00|\u202e|\u200b"
    "|KEINE_ANTWORT|nicht|-|1.|#|>|~~~|$$x$$|%%%LATEX_BLOCK_0%%%".split("|")
)
PHRASES = st.lists(st.one_of(WORDS, st.text(max_size=8)), max_size=30).map(" ".join)
CUTS = st.lists(st.integers(0, 400), max_size=12)
unhurried = settings(deadline=None)  # the first call loads models


def docx(text: bytes) -> bytes:
    """A Word file whose document holds these bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("[Content_Types].xml", b"<Types/>")
        archive.writestr("word/document.xml", text)
    return buffer.getvalue()


STARTS = {
    ".txt": ["Titel\n\nText hier. ", "\ufeff"],
    ".md": ["---\ntitle: A\n---\n", "---\n? [a]\n", "# A\n\n", "<!-- ", "| a |\n|---|\n"],
    ".html": [
        "<html lang=de><body><article><p>",
        '<!doctype html><meta charset="undefined"><p>Text',
        "<html ",
    ],
    ".eml": ["Subject: Fähre\nContent-Type: text/plain; charset=utf-8\n\n", "From: a@b\n\n"],
    ".mhtml": ["MIME-Version: 1.0\nContent-Type: text/html\n\n<p>", "From: x\n"],
    ".rtf": ["{\\rtf1\\ansi ", "{\\rtf1 \\'e4\\u228?"],
    ".srt": ["1\n00:00:01,000 --> 00:00:02,000\n", "00:01,0 --> 00:02,0\n"],
    ".vtt": ["WEBVTT\n\n00:01.000 --> 00:02.000\n<v A>"],
    ".pdf": ["%PDF-1.4\n1 0 obj\n<</Type/Catalog>>\n", "%PDF-1.7\nxref\n0 1\n"],
    ".jsonl": ['{"text": "Ein Text."}\n', '{"text": "a", "id": 1e999, "published": [', "[[["],
}


@pytest.mark.parametrize("suffix", [*STARTS, ".htm", ".docx"])
@settings(deadline=None, max_examples=25)
@given(st.data())
def test_any_file_is_read_or_refused_by_name(suffix: str, data: st.DataObject) -> None:
    start = data.draw(st.sampled_from(STARTS.get(suffix, [""]))).encode()
    rest = data.draw(
        st.one_of(st.binary(max_size=200), PHRASES.map(lambda text: text.encode("utf-8", "replace")))
    )
    targets.read(
        suffix, docx(start + rest) if suffix == ".docx" and data.draw(st.booleans()) else start + rest
    )


def test_every_ending_is_tried() -> None:
    assert {*STARTS, ".htm", ".mht", ".docx", ".odt", ".epub"} == set(SUFFIXES)


@pytest.mark.parametrize(
    ("suffix", "content"),
    [
        (".html", "<html " * 20_000 + ">Text"),
        (".html", '<p>Ein Text, der lang genug ist.</p>"@type":' + " " * 200_000),
        (".md", "<div>\n" + "<" * 200_000),
        (".txt", "zun" * 30_000 + "x ist ein Wort."),
        (".txt", "a" * 500_000),
        (".txt", "Wort " * 100_000),
        (".txt", "." * 200_000 + "x"),
    ],
)
def test_a_text_made_to_take_for_ever_does_not(suffix: str, content: str) -> None:
    # with the patterns of old this took minutes to hours; the test would not end
    targets.read(suffix, content.encode())
    key(content[:100_000])


@unhurried
@given(st.one_of(ANY, PHRASES), st.integers(1, 60))
@example("Titel\n15. Auguſt 2025\n\nDer Rat tagte am Dienſtag.", 20)
@example("Datum: 3. apr\u0131l 2024\n\nText.", 20)
def test_chunks_of_any_text_are_its_own_words(text: str, words: int) -> None:
    targets.cut(Document(text), words)


@unhurried
@given(PHRASES, CUTS)
@example("[1](" + "h" * 400 + ") und [2]", [5, 60, 200, 310, 390])
def test_citations_do_not_depend_on_how_the_stream_is_cut(text: str, cuts: list[int]) -> None:
    targets.cite(text, cuts)


@settings(deadline=None, max_examples=40)
@given(st.one_of(ANY, PHRASES), st.lists(PHRASES, max_size=3))
@example("\ud800", ["\ud800"])
@example("zun" * 600 + "x", [])
def test_any_question_is_answered_verbatim(question: str, said: list[str]) -> None:
    targets.ask(question, said)


@settings(deadline=None, max_examples=40)
@given(PHRASES, CUTS)
@example(
    "Die Reparatur kostet 4,3 Millionen Euro [1]. <script>alert(1)</script> [2](javascript:alert(1))", [30]
)
def test_whatever_a_model_writes_is_checked_and_harmless(text: str, cuts: list[int]) -> None:
    targets.write(text, cuts)


@unhurried
@given(PHRASES, st.sampled_from(targets.LANGUAGES))
@example("Am Dienſtag, 15. auguſt 2025, 5 tauſend, 3 mıo, 10 m\u0130llion, apr\u0130l", "de")
def test_any_text_has_facts_and_is_shown_as_text(text: str, language: str) -> None:
    targets.say(text, language)


def test_old_print_is_read_like_new() -> None:
    assert facts("Am Dienſtag, 15. Auguſt 2025, 5 tauſend") == facts(
        "Am Dienstag, 15. August 2025, 5 tausend"
    )


# --- addresses


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    from starlette.testclient import TestClient

    with pages(tmp_path_factory.mktemp("pages")) as app, TestClient(app) as client:
        yield client


PATHS = st.sampled_from(
    ["/quelle/", "/antwort/", "/artikel", "/sprache/", "/beleg/", "/auswertung", "/artikel/stand"]
)
NAMES = st.sampled_from(["von", "bis", "v", "teil", "q", "sort", "seite", "datei", "embed"])
VALUES = st.one_of(
    st.sampled_from(["1", "9" * 5000, "²", "-1", "../..", "%00", "<script>"]), st.text(max_size=30)
)


def encoded(text: str) -> str:
    return quote(text.encode("utf-8", "replace"), safe="/.")


@settings(deadline=None, max_examples=60)
@given(PATHS, st.text(max_size=30), st.dictionaries(NAMES, VALUES, max_size=4))
@example("/quelle/", "bruecke", {"von": "1" * 5000, "bis": "2" * 5000})
@example("/beleg/", "../../../etc/passwd", {})
@example("/beleg/", "\0", {})
@example("/artikel", "", {"q": "<script>", "seite": "9" * 5000, "sort": "\0"})
def test_no_address_breaks_the_server(client: Any, path: str, rest: str, query: dict[str, str]) -> None:
    address = (
        path + encoded(rest) + "?" + "&".join(f"{name}={encoded(value)}" for name, value in query.items())
    )
    reply = client.get(address, follow_redirects=False)
    assert reply.status_code < 500
    assert "default-src 'none'" in reply.headers["content-security-policy"]


@pytest.mark.parametrize(
    "referer", ["http://[", "//evil.example", "https://evil.example//evil.example", "\\\\x"]
)
def test_the_choice_of_a_language_leads_back_into_this_site(client: Any, referer: str) -> None:
    reply = client.get("/sprache/en", headers={"Referer": referer}, follow_redirects=False)
    assert reply.status_code == 303
    assert reply.headers["location"].startswith("/")
    assert not reply.headers["location"].startswith(("//", "/\\"))


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 100_000,
        b"{}",
        b"\xff",
        b'{"title": "\\ud800", "turns": []}',
        b'{"title": 1, "turns": [{"question": "\\ud800"}]}',
        b'{"title": "a", "turns": [{"question": "a", "record": 1}]}',
    ],
)
@pytest.mark.parametrize("form", ["md", "json"])
def test_no_conversation_breaks_its_export(client: Any, body: bytes, form: str) -> None:
    assert client.post(f"/export/{form}", content=body).status_code in (200, 422)
