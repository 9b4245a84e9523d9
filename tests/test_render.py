"""Protects what readers see: exact marks, honest labels, and foreign text that stays text."""

from __future__ import annotations

import dataclasses
import html
import re
from datetime import date
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from rag.answering.texts import say, stand_in
from rag.i18n import ENGLISH, GERMAN, Words, words_for
from rag.schema import Answer, Article, Citation, Statement, Status
from rag.serve import links
from rag.serve import views as markup
from rag.serve.chat import messages, render
from rag.serve.pages import reader
from tests.fake_engine import (
    ARTICLES,
    HEATING,
    POISON,
    PROSE,
    FakeEngine,
    FakeLibrary,
    canned,
    written,
)

MARKDOWN = MarkdownIt("gfm-like", {"html": True, "linkify": False, "breaks": True})
HEAT = ARTICLES[0]


def citation(**changes: object) -> Citation:
    known = canned("wärmeplan").citations[0]
    return dataclasses.replace(known, **changes)  # type: ignore[arg-type]


def shown(markup: str) -> str:
    """The characters a reader sees."""
    return html.unescape(re.sub(r"<[^>]*>", "", markup)).strip()


def marked(page: str) -> str:
    return html.unescape(" ".join(re.findall(r"<mark[^>]*>(.*?)</mark>", page, re.DOTALL)))


# --- foreign text


@pytest.mark.parametrize(
    "text",
    [
        "<img src=https://evil.example/x.png>",
        "<script>alert(1)</script>",
        "[klick](javascript:alert(1))",
        "![bild](https://evil.example/x.png)",
        "<https://evil.example>",
        "https://evil.example/auto www.evil.example a@evil.example",
        "**fett** _kursiv_ ~~weg~~ `code` | a | b |",
        "# Überschrift",
        "> Zitat",
        "- Punkt",
        "+ Punkt",
        "1. Punkt",
        "42) Punkt",
        "===",
        "--- title: x",
        "```mermaid graph",
        "$x^2$ und $$y$$ %%%LATEX_BLOCK_0%%%",
        "&lt;b&gt; &amp;",
        "[^1] [1]: https://evil.example",
        "\\*kein\\* Umbruch",
    ],
)
def test_markdown_text_shows_the_characters_and_does_nothing(text: str) -> None:
    rendered = MARKDOWN.render(markup.markdown_text(text))
    assert re.fullmatch(r"<p>[^<]*</p>\n", rendered)
    assert shown(rendered) == " ".join(text.split())


@pytest.mark.parametrize(
    "text", ["https://evil.example", "HTTP://X.DE", "ftp://x.de", "www.x.de", "WWW.X.de", "a@b.de"]
)
def test_bare_addresses_lose_what_makes_them_links(text: str) -> None:
    assert not re.search(r"https?://|ftp://|www\.|@", markup.markdown_text(text), re.IGNORECASE)


@given(st.text(alphabet=st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"])))
def test_markdown_text_holds_every_word(text: str) -> None:
    assert html.unescape(markup.markdown_text(text)) == " ".join(text.split())


def test_a_question_keeps_its_lines() -> None:
    asked = messages.user_message(" Wer?\n- Und *wann*? ")
    assert asked["content"] == "Wer?\n&#45; Und &#42;wann&#42;?"


@pytest.mark.parametrize("keyword", ["gift", "wärmeplan", "mondlandung"])
def test_nothing_of_an_answer_is_active(keyword: str) -> None:
    answer = canned(keyword)
    markup = render.answer_markdown(answer, GERMAN) + render.evidence_html(answer, GERMAN)
    markup += render.search_html(answer.passages, GERMAN)
    tags = set(re.findall(r"<([a-z0-9]+)", markup))
    assert tags <= {"cite", "ul", "li", "a", "span", "div", "p", "mark", "details", "summary"}
    assert all(href.startswith("/quelle/") for href in re.findall(r'href="([^"]*)"', markup))
    assert "\n\n" not in render.evidence_html(answer, GERMAN)
    assert "%%%" not in markup


def test_a_poisoned_article_is_shown_as_text() -> None:
    page = reader.reader_page(ARTICLES[2], (0, 10), GERMAN, stale=False)
    assert set(re.findall(r"<(\w+)", page)) <= {
        *("html", "head", "meta", "title", "link", "body", "header", "main", "article"),
        *("a", "span", "p", "h1", "mark", "nav", "button", "script", "footer"),
    }
    assert POISON.split("\n\n")[1].strip() in shown(page)


# --- addresses and labels


def test_address_carries_exact_offsets_and_version() -> None:
    cited = citation(article_id="a/b (2)?#ä", start=5, end=9, sha256="0123456789abcdef")
    parts = urlsplit(links.citation_path(cited))
    assert unquote(parts.path) == "/quelle/a/b (2)?#ä"
    assert parse_qs(parts.query) == {"von": ["5"], "bis": ["9"], "v": ["0123456789ab"]}
    assert parts.fragment == links.MARK_ID


@pytest.mark.parametrize(("version", "current"), [("", True), (None, True), ("0123", True), ("99", False)])
def test_an_address_of_another_version_is_noticed(version: str | None, current: bool) -> None:
    assert links.is_current(dataclasses.replace(HEAT, sha256="0123456789"), version) is current


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, "Stadtbote, 12. März 2025: Stadtrat beschließt Wärmeplan für 40 Quartiere"),
        ({"outlet": None}, "12. März 2025: Stadtrat beschließt Wärmeplan für 40 Quartiere"),
        ({"published": None, "title": None}, "Stadtbote"),
        ({"outlet": None, "published": None}, "Stadtrat beschließt Wärmeplan für 40 Quartiere"),
        ({"outlet": None, "published": None, "title": None}, "waermeplan"),
    ],
)
def test_label_leaves_out_what_is_unknown(changes: dict[str, object], expected: str) -> None:
    assert links.label(citation(**changes), GERMAN) == expected


def test_chip_is_a_markdown_link_with_title_joined_to_its_word() -> None:
    cited = citation(title='"Ein" (kleiner) Titel')
    assert render.chip(cited, GERMAN).startswith("\u2060[1](/quelle/waermeplan?von=")
    rendered = MARKDOWN.render(render.chip(cited, GERMAN))
    assert f'title="{html.escape(links.label(cited, GERMAN))}"' in rendered
    assert shown(rendered) == "\u20601"


# --- answers


def test_a_quotation_of_unknown_origin_has_no_origin_line() -> None:
    assert "<cite>" not in render.answer_markdown(canned("gift"), GERMAN)


def prose(text: str, status: Status = "weak", *, repaired: bool = False) -> Answer:
    statement = Statement(text, (1, 2), status, 0, len(text), repaired)
    return dataclasses.replace(canned("wärmeplan"), text=text, statements=(statement,))


def test_prose_gets_its_chips_where_the_numbers_stood() -> None:
    rendered = MARKDOWN.render(
        render.answer_markdown(prose("Angenommen [1]. Teuer [2][3]!\n\nEnde."), GERMAN)
    )
    assert shown(rendered).replace("\u2060", "·") == "Angenommen·1. Teuer·2·3!\nEnde."
    assert "<blockquote>" not in rendered


@pytest.mark.parametrize(
    ("status", "repaired", "expected"),
    [
        ("supported", False, "<p>Er kam.</p>"),
        ("no claim", False, "<p>Er kam.</p>"),
        ("supported", True, '<p>Er kam. <small class="status">Beleg berichtigt</small></p>'),
        (
            "unsupported",
            False,
            '<p><span class="unsupported" title="nicht belegt">Er kam.</span>'
            ' <small class="status">nicht belegt</small></p>',
        ),
        (
            "weak",
            False,
            '<p><span class="weak" title="nur teilweise belegt">Er kam.</span>'
            ' <small class="status">nur teilweise belegt</small></p>',
        ),
    ],
)
def test_the_status_of_a_sentence_is_shown(status: Status, repaired: bool, expected: str) -> None:
    answer = prose("Er kam.", status, repaired=repaired)
    assert MARKDOWN.render(render.answer_markdown(answer, GERMAN)).strip() == expected


def test_a_status_covers_its_sentence_with_its_chips_and_no_other() -> None:
    rendered = MARKDOWN.render(render.answer_markdown(written("prosa"), GERMAN))
    marked = re.findall(r'<span class="(\w+)"[^>]*>(.*?)</span>', rendered)
    assert [(status, shown(text).replace("\u2060", "·")) for status, text in marked] == [
        ("weak", "Etwa die Hälfte des Geldes kommt vom Bund·2."),
        ("unsupported", "Der Bau dauert zwölf Jahre."),
    ]
    assert "lassen\u2060" in shown(rendered)


def test_history_gets_the_words_without_notes_on_them() -> None:
    message = messages.answer_message(written("prosa"), GERMAN, model_left_out=True)
    assert messages.said(message).split() == re.sub(r" \[\d\]", "", PROSE).split()


@given(st.text(alphabet="ab [1]<.&*\n", max_size=40), st.integers(0, 40), st.integers(0, 40))
def test_whatever_is_marked_every_word_is_shown_once(text: str, start: int, end: int) -> None:
    answer = dataclasses.replace(prose(text), statements=(Statement("", (), "weak", start, end),))
    marked = render.answer_markdown(answer, GERMAN)
    words = html.unescape(
        re.sub(r"<[^>]*>", "", re.sub(r"\u2060\[1\]\([^)]*\)| <small.*?</small>", "", marked))
    )
    cited = re.sub(r"\s*\[1\]", "", text)
    assert "".join(words.split()) == "".join(cited.split())


def test_references_that_led_nowhere_are_owned_up_to() -> None:
    assert shown(render.evidence_html(written("prosa"), GERMAN)).startswith(GERMAN("answer.dropped", n=1))
    twice = dataclasses.replace(written("prosa"), dropped=("a", "b"))
    assert "2 Verweise" in render.evidence_html(twice, GERMAN)


def test_verbatim_sentences_in_place_of_a_models_answer_say_so_once() -> None:
    notice = stand_in("unproven", "de")
    plain = canned("wärmeplan")
    answer = dataclasses.replace(
        plain, text=f"{notice}\n\n{plain.text}", reason="not verified", withheld=("Nein.: unsupported",)
    )
    message = messages.answer_message(answer, GERMAN)
    text, evidence = messages.parts(message)
    assert text.startswith('<small class="label">')
    assert text.count("Ohne Sprachmodell") == 1
    assert "Ohne Sprachmodell" not in messages.said(message)  # no words of the conversation
    assert "Verweis" not in evidence
    assert "Ohne Sprachmodell" not in "".join(messages.parts(messages.answer_message(plain, GERMAN)))


@pytest.mark.parametrize("language", ["de", "uk"])
def test_what_only_comes_nearest_is_below_a_heading_that_says_so(language: str) -> None:
    plain, notice = canned("wärmeplan"), say("nearest", language)
    answer = dataclasses.replace(plain, text=f"{notice}\n\n{plain.text}", certainty="unsure")
    message = messages.answer_message(answer, GERMAN)
    assert messages.parts(message)[0].startswith(f'<small class="label unsure">{notice}')
    assert notice not in messages.said(message)
    assert "unsure" not in "".join(messages.parts(messages.answer_message(plain, GERMAN)))


def test_a_card_says_that_its_article_has_changed_since() -> None:
    answer, held = canned("wärmeplan"), FakeLibrary()
    changed = [dataclasses.replace(each, sha256="another") for each in answer.citations]
    cards = render.evidence_html(dataclasses.replace(answer, citations=tuple(changed)), GERMAN, held)
    assert cards.count(GERMAN("answer.outdated")) == len({each.article_id for each in changed})
    assert GERMAN("answer.outdated") not in render.evidence_html(answer, GERMAN, held)


def test_a_failure_says_why_and_whether_text_is_incomplete() -> None:
    def told(reason: str, partial: str) -> str:
        return "".join(messages.parts(messages.failure_message(reason, partial, GERMAN)))

    assert "&lt;b&gt;" in told("<b>", "")
    assert "konnte nicht antworten" in told("x", "")
    assert "Unvollständig" in told("x", "Die Brücke")


def test_a_number_that_cites_nothing_stays_text() -> None:
    rendered = MARKDOWN.render(render.answer_markdown(prose("Angenommen [9].", "supported"), GERMAN))
    assert rendered == "<p>Angenommen [9].</p>\n"


@pytest.mark.parametrize("keyword", ["wärmeplan", "gift", "fernwärme"])
def test_history_gets_the_words_without_citations(keyword: str) -> None:
    answer = canned(keyword)
    words = messages.said(messages.answer_message(answer, GERMAN))
    assert words.split() == " ".join(c.quote for c in answer.citations).split()


def test_cards_are_of_cited_articles_only_each_once() -> None:
    cards = render.evidence_html(dataclasses.replace(canned("wärmeplan"), further=()), GERMAN)
    assert cards.count("<li>") == 2
    assert re.findall(r'class="number">(\d)', cards) == ["1", "2", "3"]
    assert "vergiftet" not in cards


def test_further_places_are_folded_and_the_nearest_ones_of_a_declined_question_are_not() -> None:
    assert "<details" in render.evidence_html(canned("wärmeplan"), GERMAN)
    assert "<details" not in render.evidence_html(canned("mondlandung"), GERMAN)


def test_a_card_names_the_copies_that_say_the_same() -> None:
    cited = citation(also_in=("mieter (teil 2)", "gone"))
    answer = dataclasses.replace(canned("wärmeplan"), citations=(cited,))
    _, below = messages.parts(messages.answer_message(answer, GERMAN, articles=FakeLibrary()))
    assert "auch in Wirtschaftsspiegel, 2. April 2025; gone" in below


@pytest.mark.parametrize(
    ("question", "quote", "marked_up"),
    [
        ("Wie oft reiste sie?", "Sie reiste fünfmal hin und war 2 Tage dort.", ["fünfmal"]),
        ("Wann war das?", "Am 12. März 2025 stimmte der Rat ab.", ["12. März 2025"]),
        ("Wie viele Stimmen?", "Mit 38 gegen 21 Stimmen in 4 Stunden.", ["38 gegen 21 Stimmen"]),
        ("Wie lange dauerte es?", "Es dauerte drei & Stunden.", ["drei & Stunden"]),
        ("Wie lange dauerte es?", "3 Tage, 4 Tage, 5 Tage oder 6 Tage.", []),
        ("Wer war das?", "Am 12. März 2025 stimmte der Rat ab.", []),
    ],
)
def test_the_figure_or_date_that_is_asked_for_is_marked(
    question: str, quote: str, marked_up: list[str]
) -> None:
    cited = citation(quote=quote)
    statement = Statement(quote, (1,), "supported", 0, len(quote))
    answer = dataclasses.replace(
        canned("wärmeplan"), standalone_question=question, citations=(cited,), statements=(statement,)
    )
    rendered = MARKDOWN.render(render.answer_markdown(answer, GERMAN))
    assert re.findall("<mark>(.*?)</mark>", rendered) == [html.escape(each) for each in marked_up]
    assert shown(rendered).startswith(quote)


def test_what_is_asked_for_is_marked_in_a_models_first_sentence_too() -> None:
    text = "Es kostet 612 Millionen Euro [1]. Es dauert 3 Jahre."
    statement = Statement(text[:29], (1,), "supported", 0, 33)
    answer = dataclasses.replace(
        canned("wärmeplan"), text=text, standalone_question="Wie viel kostet es?", statements=(statement,)
    )
    rendered = render.answer_markdown(answer, GERMAN)
    assert re.findall("<mark>(.*?)</mark>", rendered) == ["&#54;12 Millionen Euro"]
    assert "Euro</mark>\u2060[1](" in rendered


def test_at_most_three_further_places() -> None:
    answer = canned("wärmeplan")
    answer = dataclasses.replace(answer, further=answer.further * 5)
    assert render.evidence_html(answer, GERMAN).count('class="place"') == 3


def test_nothing_below_an_answer_without_sources() -> None:
    answer = dataclasses.replace(canned("mondlandung"), further=())
    assert render.evidence_html(answer, GERMAN) == ""


def test_long_places_are_cut_between_words() -> None:
    declined = dataclasses.replace(canned("mondlandung"), further=(citation(quote="Donau " * 100),))
    listed = render.evidence_html(declined, GERMAN)
    assert "Donau …" in listed
    assert len(shown(listed)) < 300


def test_a_draft_shows_no_unresolved_numbers() -> None:
    assert render.draft_markdown("Angenommen [1]. Und [2]") == "Angenommen. Und"


def test_search_title_says_how_much_and_how_long() -> None:
    assert render.search_title(1240, 3, 0.021, GERMAN) == "1\u202f240 Artikel durchsucht, 3 zitiert (0,02 s)"
    assert (
        render.search_title(1240, 0, 0.021, GERMAN)
        == "1\u202f240 Artikel durchsucht, keiner zitiert (0,02 s)"
    )
    assert render.search_title(1, None, 0.021, ENGLISH) == "1 article searched (0.02 s)"


# --- the article


@pytest.mark.parametrize("cited", canned("wärmeplan").citations + canned("gift").citations)
def test_mark_is_the_quote_to_the_character(cited: Citation) -> None:
    article = next(a for a in ARTICLES if a.id == cited.article_id)
    page = reader.reader_page(article, (cited.start, cited.end), GERMAN, stale=False, part=True)
    assert marked(page) == cited.quote
    assert page.count(f'id="{links.MARK_ID}"') == 1


@given(st.integers(0, len(HEATING) - 1), st.integers(1, 400))
def test_any_span_is_marked_whole_and_anchored_once(start: int, length: int) -> None:
    span = (start, min(start + length, len(HEATING)))
    page = reader.reader_page(HEAT, span, GERMAN, stale=False, part=True)
    assert "".join(marked(page).split()) == "".join(HEATING[slice(*span)].split())
    assert page.count(f'id="{links.MARK_ID}"') == bool(HEATING[slice(*span)].strip())


def test_the_whole_text_is_shown_and_the_title_once() -> None:
    page = reader.reader_page(HEAT, None, GERMAN, stale=False, part=True)
    body = shown(page.split("</header>")[1])
    assert "".join(body.split()) == "".join(HEATING.removeprefix(HEAT.title or "").split())
    assert page.count("Stadtrat beschließt Wärmeplan") == 1


def test_asides_are_set_apart() -> None:
    page = reader.reader_page(HEAT, None, GERMAN, stale=False, part=True)
    assert '<h2 class="aside heading">Die Kosten</h2>' in page
    assert '<p class="aside caption">▲ Der Rathausplatz' in page
    assert '<p class="aside footer">Kommentar verfassen</p>' in page


def test_an_aside_glued_to_a_sentence_is_cut_off() -> None:
    text = "Die Lage Der Rat tagte."
    aside = dataclasses.replace(HEAT.asides[0], start=0, end=8, kind="heading")
    article = dataclasses.replace(HEAT, text=text, asides=(aside,), title=None)
    page = reader.reader_page(article, (9, 23), GERMAN, stale=False, part=True)
    assert re.search(r'<h2 class="aside heading">Die Lage</h2>\s*<p><mark', page)


def test_a_changed_article_gets_a_note_and_no_mark() -> None:
    page = reader.reader_page(HEAT, (5, 20), GERMAN, stale=True)
    assert GERMAN("reader.changed") in page
    assert "<mark" not in page


def test_header_names_what_is_known() -> None:
    page = reader.reader_page(ARTICLES[2], None, GERMAN, stale=False, part=True)
    assert '<p class="kicker">Kommentar</p>' in page
    assert "author" not in page


def test_an_article_of_which_nothing_is_known_shows_its_file() -> None:
    nameless = Article("x-1", "Text.", "x.txt", "")
    page = reader.reader_page(nameless, None, GERMAN, stale=False, part=True)
    assert re.search(
        r'<p class="kicker">x.txt</p>\s*<h1>Artikel ohne Titel</h1>\s*<p class="original">', page
    )
    unknown = citation(title=None, outlet=None, published=None)
    cards = render.evidence_html(
        dataclasses.replace(canned("wärmeplan"), citations=(unknown,), further=()), GERMAN
    )
    assert shown(cards) == "1„Die Vorlage wurde mit 38 gegen 21 Stimmen angenommen.“"


def test_pages_need_no_script_of_their_own() -> None:
    for page in (
        reader.reader_page(HEAT, None, GERMAN, stale=False),
        markup.missing_page(ENGLISH),
    ):
        assert "<script src=" in page  # it only sets the colours
        assert page.count("<script") == 1
        assert page.startswith("<!doctype html>")
    assert '<html lang="en"' in markup.missing_page(ENGLISH)


# --- words, numbers, dates


@pytest.mark.parametrize(
    ("header", "lang"),
    [
        (None, "de"),
        ("", "de"),
        ("*", "de"),
        ("de", "de"),
        ("de-AT,de;q=0.9,en;q=0.8", "de"),
        ("en-US,en;q=0.9,de;q=0.8", "en"),
        ("fr", "en"),
        ("de;q=1", "de"),
        ("den", "en"),
    ],
)
def test_interface_is_german_unless_the_browser_is_not(header: str | None, lang: str) -> None:
    assert words_for(header).lang == lang


@pytest.mark.parametrize(("chosen", "lang"), [("de", "de"), ("en", "en"), ("xx", "en"), (None, "en")])
def test_a_choice_goes_before_the_browser(chosen: str | None, lang: str) -> None:
    assert words_for("en-GB", chosen).lang == lang


@pytest.mark.parametrize(
    ("first", "last", "german", "english"),
    [
        (date(2025, 8, 15), date(2025, 8, 15), "15. August 2025", "15 August 2025"),
        (date(2025, 8, 15), date(2025, 8, 19), "15.–19. August 2025", "15–19 August 2025"),
        (date(2025, 3, 12), date(2025, 4, 2), "12. März – 2. April 2025", "12 March – 2 April 2025"),
        (
            date(2024, 12, 31),
            date(2025, 1, 1),
            "31. Dezember 2024 – 1. Januar 2025",
            "31 December 2024 – 1 January 2025",
        ),
    ],
)
def test_date_ranges_say_only_once_what_is_shared(first: date, last: date, german: str, english: str) -> None:
    assert GERMAN.dates(first, last) == german
    assert ENGLISH.dates(first, last) == english


def test_dates_counts_and_modes_in_both_languages() -> None:
    assert GERMAN.long_date(date(2025, 3, 1)) == "1. März 2025"
    assert ENGLISH.long_date(date(2025, 3, 1)) == "1 March 2025"
    assert [ENGLISH("articles.count", n=n) for n in (0, 1, 1240)] == [
        "0 articles",
        "1 article",
        "1,240 articles",
    ]
    assert mode_line("extractive", None, GERMAN) == "Ohne Sprachmodell: wörtliche Fundstellen"
    assert mode_line("gpt-x", None, ENGLISH) == "Language model: gpt-x"
    assert mode_line("gpt-x", "api.example", GERMAN) == (
        "Sprachmodell: gpt-x – Fragen und Fundstellen gehen an api.example"
    )
    assert mode_line("extractive", "api.example", GERMAN) == mode_line("extractive", None, GERMAN)


def mode_line(mode: str, sends_to: str | None, words: Words) -> str:
    return render.mode_line(engine_of(mode, sends_to), words)


def engine_of(mode: str, sends_to: str | None = None) -> Any:
    engine = FakeEngine()
    engine.mode, engine.sends_to = mode, sends_to
    return engine
