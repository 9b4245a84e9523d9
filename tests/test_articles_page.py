"""Protects what the articles page says: every article with what is known of it, found, sorted and plotted
truly, and nothing in an article that becomes active."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlencode

import pytest

from rag.i18n import ENGLISH, GERMAN, Phrase, Words
from rag.schema import SyncState
from rag.serve.pages.articles import articles_page, state_line, without_folders
from rag.serve.pages.catalogue import NEWEST_FIRST, PAGE, Row, Wish, ordered, wish_of
from rag.serve.pages.overview import bars, plot_of, unit_for
from rag.serve.pages.reader import excerpt
from rag.serve.security.guard import is_foreign
from rag.serve.security.headers import content_security_policy
from rag.serve.views import page
from rag.settings import Settings, load_settings

ROOT = Path(__file__).parents[1]


def row(id: str, title: str | None = None, published: date | None = None, **known: object) -> Row:
    facts = {"outlet": None, "language": None, "genre": None, "words": 100, "chunks": 2, "file": f"{id}.txt"}
    return Row(id, title, published=published, **(facts | known))  # type: ignore[arg-type]


BRIDGE = row("bridge", "Brücke gesperrt", date(2025, 9, 3), outlet="Hafenbote", language="de", words=1240)
BUSES = row("buses", "Ähnliche Busse", date(2025, 9, 1), language="en", uploaded=True, chunks=1)
BARE = row("bare")
ROWS = (BUSES, BRIDGE, BARE)


def shown(
    *rows: Row,
    found: Sequence[Row] | None = None,
    asked: Wish = Wish(),  # noqa: B008
    words: Words = GERMAN,
    whole: bool = False,
    state: SyncState | None = None,
    problems: Sequence[tuple[str, str]] = (),
    texts: Mapping[str, str] | None = None,
    **given: Any,
) -> str:
    """The part of the page that changes, or the whole of it; with a state, articles can be added."""
    library = SimpleNamespace(
        phrase=lambda _: None,
        articles=lambda _: [SimpleNamespace(id=id, text=text) for id, text in (texts or {}).items()],
    )
    catalogue = SimpleNamespace(
        rows=lambda: rows,
        found=lambda _: list(rows if found is None else found),
        problems=lambda: problems,
        accounts=lambda: [],
        library=library,
    )
    intake = state and SimpleNamespace(state=state, suffixes=(".txt",), edited=lambda _: None)
    service: Any = SimpleNamespace(catalogue=catalogue, settings=Settings(**given), intake=intake)
    return articles_page(service, asked, words, part=not whole)


def plain(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html)).strip()


def timeline(published: Sequence[date | None], found: Sequence[date | None], words: Words) -> str:
    plot = plot_of(published, found, words)
    return page("timeline.html", words, plot=plot, days=lambda first, last: f"/{first}/{last}").strip()


# --- the list


def test_a_row_says_what_is_known_and_what_is_not() -> None:
    html = shown(BRIDGE, BARE)
    known, unknown = html.split('<tr role="row">')[2:]
    assert plain(known).startswith(
        "Brücke gesperrt Hafenbote 3. Sep. 2025 Deutsch 1 240 Wörter 2 Textstellen"
    )
    assert '<time datetime="2025-09-03">' in known
    assert 'href="/quelle/bridge"' in known
    assert plain(unknown).startswith("Artikel ohne Titel unbekannt ohne Datum unbekannt 100 Wörter")


def test_the_summary_counts_articles_days_and_passages() -> None:
    html = shown(*ROWS)
    assert "3 Artikel · 1.–3. September 2025 · 5 Textstellen" in html
    assert "3 articles · 1–3 September 2025 · 5 passages" in shown(*ROWS, words=ENGLISH)


def test_what_is_left_out_can_be_asked_about_or_taken_back() -> None:
    asked = wish_of("von=2025-09-01&bis=2025-09-02")
    html = shown(*ROWS, found=[BUSES], asked=asked)
    assert "1 von 3 Artikeln · 1.–2. September 2025" in html
    assert 'href="/?von=2025-09-01&amp;bis=2025-09-02">Fragen zu diesen Artikeln</a>' in html
    assert 'href="/artikel">Suche aufheben</a>' in html
    assert 'href="/?artikel=bridge">' in shown(*ROWS, found=[BRIDGE], asked=Wish("Hafen"))
    assert "Fragen zu" not in shown(*ROWS, found=[], asked=Wish("Hafen"))


def test_an_article_that_was_found_shows_where_and_leads_there() -> None:
    text = "Am Mittwoch tagt der Rat. " * 9 + "Dann geht es um den <Hafen> und die Brücke. " + "Ende. " * 30
    html = shown(*ROWS, found=[BRIDGE], asked=Wish("hafen"), texts={"bridge": text})
    assert "Dann geht es um den &lt;<mark>Hafen</mark>&gt; und die Brücke." in html
    assert 'href="/quelle/bridge?liste=q%3Dhafen&amp;suche=hafen#treffer"' in html
    assert excerpt("hafen", "Nur der Titel hat das Wort.") is None


def test_comments_and_copies_are_marked() -> None:
    copy = row("copy", "Eine Kopie", genre="comment", original=row("bridge", "Brücke <gesperrt>"))
    html = shown(copy)
    assert '<span class="badge">Kommentar</span>' in html
    assert 'Kopie von <a href="/quelle/bridge">Brücke &lt;gesperrt&gt;</a>' in html


def test_a_copy_of_the_same_title_says_where_that_appeared() -> None:
    html = shown(row("copy", BRIDGE.title, original=BRIDGE))
    assert 'Kopie von <a href="/quelle/bridge">Hafenbote, 3. Sep. 2025</a>' in html


def test_foreign_text_stays_text() -> None:
    evil = "<img src=x onerror=alert(1)>\"'%s"
    bad = row(evil, evil, date(2025, 9, 3), outlet=evil, language=evil, file=evil, uploaded=True)
    known: Any = {"state": SyncState(error=evil), "problems": [(evil, evil)], "articles": Path(evil)}
    page = shown(bad, asked=Wish(evil), texts={evil: evil}, whole=True, **known)
    assert "<img" not in page
    assert re.findall(r"\son\w+=", page.replace("onerror=alert(1)", "")) == []
    assert page.count("<script") == 2  # the page's own files


def test_the_title_says_the_language_it_is_in() -> None:
    assert '<a lang="en" href="/quelle/buses">' in shown(BUSES)


def test_only_uploads_can_be_deleted_and_others_say_why() -> None:
    html = shown(BRIDGE, BUSES, state=SyncState())
    assert re.findall(r'class="delete" data-id="(\w+)"', html) == ["buses"]
    assert "Artikel aus „seeds“ löschen Sie in diesem Ordner" in html


def test_deleting_one_of_many_in_a_file_says_so() -> None:
    html = shown(row("r1", "Rat", uploaded=True, file="rat.jsonl", in_file=12), state=SyncState())
    assert "Mit der Datei rat.jsonl werden alle 12 Artikel darin gelöscht" in html


def test_without_an_intake_the_page_is_for_reading_only() -> None:
    page = shown(*ROWS, whole=True)
    assert "Brücke gesperrt" in page
    assert 'type="file"' not in page
    assert "Herkunft" not in page


def test_a_replica_says_where_its_articles_are_from_and_offers_no_change() -> None:
    state = SyncState(error=Phrase("chroma_server_silent", address="http://c:8000", why="refused"))
    replica: Any = {"state": state, "whole": True, "chroma_replica": True, "chroma_url": "http://c:8000"}
    page = shown(*ROWS, **replica)
    assert "kommen die Artikel von einem Chroma-Server" in page
    assert "der Chroma-Server http://c:8000 antwortet nicht" in page
    assert 'id="refresh"' in page
    for none in ('type="file"', 'class="delete"', "<dialog", "Herkunft", "„seeds“"):
        assert none not in page
    empty = shown(words=ENGLISH, **replica)
    assert "takes its articles from a Chroma server" in empty
    assert "Drop files" not in empty


def test_an_empty_index_says_how_to_add_articles() -> None:
    html = shown(state=SyncState(), whole=True)
    assert "Noch keine Artikel" in html
    assert "in den Ordner „seeds“" in html
    assert "<table" not in html


def test_a_search_without_a_hit_says_so_and_can_be_lifted() -> None:
    html = shown(*ROWS, found=(), asked=Wish("Mond"))
    assert "Kein Artikel enthält „Mond“." in html
    assert '<a class="clear" href="/artikel">' in html


def test_unreadable_files_are_named_with_the_reason() -> None:
    problems = [("leer.txt", Phrase("file_empty")), ("leer.txt", "twice"), ("x.pdf", "strange")]
    html = shown(BRIDGE, problems=problems)
    assert "2 Dateien sind nicht vollständig lesbar" in html
    assert "<b>leer.txt</b> ist leer" in html


def test_a_long_list_comes_in_pages() -> None:
    many = [row(f"a{n:03}", f"Titel {n:03}") for n in range(2 * PAGE + 1)]
    html = shown(*many, asked=Wish(page=2))
    assert html.count('<td role="cell" class="titel">') == PAGE
    assert "Seite 2 von 3" in html
    assert 'href="/artikel?seite=3"' in html
    assert 'href="/artikel">Vorige Seite' in html
    beyond = shown(*many, asked=Wish(page=99))
    assert "Seite 3 von 3" in beyond
    assert "<span>Nächste Seite</span>" in beyond


# --- sorting and addresses


@pytest.mark.parametrize(
    ("column", "ids"),
    [
        ("titel", ["buses", "bridge", "bare"]),
        ("medium", ["bridge", "buses", "bare"]),
        ("datum", ["buses", "bridge", "bare"]),
        ("sprache", ["bridge", "buses", "bare"]),
        ("laenge", ["buses", "bare", "bridge"]),
        ("stellen", ["buses", "bridge", "bare"]),
        ("herkunft", ["buses", "bare", "bridge"]),  # uploads first, then by file
    ],
)
def test_each_column_sorts_and_the_unknown_comes_last(column: str, ids: list[str]) -> None:
    assert [r.id for r in ordered(ROWS, column, descending=False)] == ids
    if column in ("titel", "datum"):
        assert [r.id for r in ordered(ROWS, column, descending=True)] == ["bridge", "buses", "bare"]


def test_a_heading_sorts_and_the_same_again_turns_it_round() -> None:
    asked = Wish("Rat & Tat", "titel", 3)
    assert asked.sorted_by("titel").address == "/artikel?q=Rat+%26+Tat&sort=-titel"
    assert asked.sorted_by("titel").sorted_by("titel").address == "/artikel?q=Rat+%26+Tat&sort=titel"
    html = shown(*ROWS, asked=Wish(sort="titel"))
    assert '<th role="columnheader" scope="col" class="titel" aria-sort="ascending">' in html
    assert html.count("aria-sort") == 1


@pytest.mark.parametrize("sort", ["", "geheim", "--datum", "titel; drop table articles"])
@pytest.mark.parametrize("page", ["", "-1", "0", "zwei", "²", "9" * 30])
def test_addresses_that_make_no_sense_show_the_usual(sort: str, page: str) -> None:
    assert wish_of(urlencode({"sort": sort, "seite": page})) == Wish("", NEWEST_FIRST, 1)


def test_a_query_is_cut_and_squeezed() -> None:
    assert wish_of("q=++Rat+%0A+tagt+&sort=titel&seite=2") == Wish("Rat tagt", "titel", 2)
    assert len(wish_of(f"q={'x' * 9000}").query) == 200


# --- the plot


@pytest.mark.parametrize(
    ("last", "unit"),
    [
        (date(2025, 1, 20), "day"),
        (date(2025, 6, 1), "week"),
        (date(2027, 6, 1), "month"),
        (date(2050, 1, 1), "year"),
    ],
)
def test_bars_count_every_article_once(last: date, unit: str) -> None:
    days = [date(2025, 1, 1), date(2025, 1, 2), last]
    assert unit_for(days[0], last) == unit
    counted = bars(days, days[:1], unit_for(days[0], last), GERMAN)
    assert sum(bar.articles for bar in counted) == 3
    assert sum(bar.found for bar in counted) == 1
    starts = [bar.first for bar in counted]
    assert starts == sorted(set(starts))
    assert 12 <= len(starts) <= 70


def test_the_plot_has_a_name_and_says_what_it_shows() -> None:
    days = [date(2025, 9, 1), date(2025, 9, 3), date(2025, 9, 3), None]
    html = timeline(days, days, GERMAN)
    assert '<svg role="group" aria-labelledby="zeit-titel zeit-text"' in html
    assert '<a href="/2025-09-03/2025-09-03" aria-label="3. Sep. 2025: 2 Artikel">' in html
    assert "3 Artikel nach Tagen, 1.–3. September 2025; die meisten (2) 3. Sep. 2025." in html
    assert "<title>3. Sep. 2025: 2 Artikel</title>" in html
    assert "1 Artikel ohne Datum ist nicht dargestellt." in html
    assert html.count('<rect class="hit"') == 2


def test_found_articles_stand_out_from_all_others() -> None:
    days = [date(2025, 9, 1), date(2025, 9, 3), date(2025, 9, 3)]
    html = timeline(days, days[2:], ENGLISH)
    assert "<title>3 Sep 2025: 1 of 2 articles</title>" in html
    assert (html.count('class="rest"'), html.count('class="hit"')) == (2, 1)
    heights = [float(h) for h in re.findall(r'"(?:rest|hit)".+height="([\d.]+)"', html)]
    assert heights == [50.0, 100.0, 50.0]


def test_without_any_date_there_is_no_plot() -> None:
    assert "Keiner dieser Artikel hat ein Datum." in timeline([None], [None], GERMAN)
    assert timeline([], [], GERMAN) == ""


# --- words


@pytest.mark.parametrize(
    ("state", "told"),
    [
        (SyncState(), ""),
        (
            SyncState(checked=datetime(2025, 9, 3, 14, 5, tzinfo=UTC)),
            "Aktuell. Zuletzt geprüft um 14:05 Uhr (UTC).",
        ),
        (SyncState(running=True), "Artikel werden eingelesen …"),
        (SyncState(running=True, step="read", done=3, total=1200), "3 von 1 200 Dateien gelesen"),
        (SyncState(running=True, step="index", done=1, total=2), "1 von 2 Artikeln aufgenommen"),
        (
            SyncState(running=True, step="embed", done=1, total=2),
            "Alle Artikel antworten; 1 von 2 Abschnitten sind auch nach ihrer Bedeutung zu finden",
        ),
        (
            SyncState(error=Phrase("no_room", why="disk")),
            "Das Einlesen ist fehlgeschlagen: disk; bitte",
        ),
        (SyncState(running=True, error="old"), "Artikel werden eingelesen …"),
    ],
)
def test_the_state_is_told_in_a_sentence(state: SyncState, told: str) -> None:
    assert state_line(state, GERMAN).replace("\u202f", " ").startswith(told)
    assert bool(state_line(state, GERMAN)) == bool(told)


def test_why_a_file_was_not_read_is_told_in_the_readers_language() -> None:
    kind, advice = Phrase("format_png"), Phrase("save_as_text")
    why = Phrase("other_format", ending="pdf", kind=kind, advice=advice)
    german = shown(problems=[("plakat.pdf", why), ("alt.txt", "something new {0}")])
    assert "ist keine pdf-Datei, sondern ein PNG-Bild; bitte als Text speichern" in german
    assert "something new {0}" in german  # kept by an earlier Beleg
    assert "is not a pdf file but a PNG image" in shown(problems=[("plakat.pdf", why)], words=ENGLISH)


def test_the_page_names_folders_without_their_paths(tmp_path: Path) -> None:
    settings = load_settings(articles=tmp_path / "artikel", data=tmp_path / "daten")
    for error in (Phrase("folder_emptied", folder=settings.articles), f"{settings.articles} is gone"):
        told = state_line(without_folders(SyncState(error=error), settings), GERMAN)
        assert "artikel" in told
        assert str(tmp_path) not in told


# --- requests


@pytest.mark.parametrize(
    ("headers", "foreign"),
    [
        ({}, False),
        ({"sec-fetch-site": "same-origin"}, False),
        ({"sec-fetch-site": "same-site"}, True),
        ({"sec-fetch-site": "cross-site", "origin": "http://beleg.example", "host": "beleg.example"}, True),
        ({"sec-fetch-site": "none"}, True),
        ({"origin": "http://beleg.example:7860", "host": "beleg.example:7860"}, False),
        ({"origin": "http://beleg.example", "host": "beleg.example:7860"}, True),
        ({"origin": "https://evil.example", "host": "beleg.example"}, True),
        ({"origin": "null", "host": "beleg.example"}, True),
    ],
)
def test_requests_of_other_sites_are_known(headers: dict[str, str], foreign: bool) -> None:
    assert is_foreign(headers) == foreign


def test_only_pages_with_a_form_may_send_one() -> None:
    assert "form-action 'none'" in content_security_policy()
    assert "form-action 'self';" in content_security_policy(forms="'self'")
