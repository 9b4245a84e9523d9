"""Protects detection: the text stays as it is, what is not the story is set aside, nothing is invented."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.copies import near_duplicates
from ingest.readers import read_file
from ingest.readers.document import Document
from ingest.structure.article import answerable, article_from, detect_language
from rag.schema import Article, Aside
from rag.text.normalize import normalise

BODY = (
    "Die Präsidenten haben in Anchorage drei Stunden lang miteinander gesprochen. Ein Ergebnis gibt es nicht."
    "\n\nDie Ukraine reagierte zurückhaltend auf das Treffen in Alaska, wie aus Kiew verlautete."
)
ORIGINALS = Path(__file__).parents[2] / "shared" / "articles"


def article(text: str, **stated: object) -> Article:
    return article_from(replace(Document(normalise(text)), **stated), "a", "a.txt")  # type: ignore[arg-type]


def marked(found: Article) -> list[tuple[str, str]]:
    return [(aside.kind, found.text[aside.start : aside.end]) for aside in found.asides]


def left(found: Article) -> str:
    """What may be an answer."""
    return "\n\n".join(found.text[start:end] for start, end in answerable(found.text, found.asides))


# --- nothing but the story ---------------------------------------------------------------------


@pytest.mark.parametrize(
    "lines",
    [
        [
            "Wir laden zu zwei Abenden ein. Sie kosten nichts.",
            "3. Juni 2025, Linde Hohenau",
            "5. Juni 2025, Linde Au",
        ],
        ["3. Juni 2025, Linde Hohenau", "Beginn ist um 19 Uhr.", "5. Juni 2025, Krone Au"],
        [
            "14. Juli 2024, Oberhausen",
            "Der Chor singt am Kanal.",
            "2. August 2024, Essen Werden",
            "Er singt im Dom.",
        ],
        ["Name;Höhe;Datum", "Hoher Stein;812;04.02.2025", "Tiefer Grund;94;04.02.2025"],
        ["Lore Anders * 12.04.1938 † 30.01.2025", "Wir nehmen Abschied von einer Lehrerin, die vielen half."],
        [
            "Der Verein lädt am Samstag in den Garten ein. Das teilte er mit.",
            "Rita Wald, 04.02.2025",
            "Alle dürfen mit.",
        ],
    ],
)
def test_lines_with_days_are_text_unless_they_are_a_byline_before_it(lines: list[str]) -> None:
    found = article("\n\n".join(lines))
    assert (found.author, found.published) == (None, None)
    assert left(found) == "\n\n".join(lines)


@pytest.mark.parametrize(
    "mark", ["[2]", "[1][3]", "²", " *", " (krs)", " (dpa/AFP)", " 🚲", " https://example.org/a?b=1"]
)
@pytest.mark.parametrize("title", [None, "Radweg am Kanal"])
def test_lead_with_something_hung_on_it_is_text(mark: str, title: str | None) -> None:
    lead = f"Der Radweg am Kanal kostet die Gemeinde 4,1 Millionen Euro.{mark}"
    found = article(f"{lead}\n\n{BODY}", title=title)
    assert left(found).startswith(lead[:55])
    assert not any(kind in ("title", "heading") for kind, _ in marked(found))


@pytest.mark.parametrize("place", ["Stadthalle Neuburg", "Groß Beken", "Gasthof Hirsch", "Town Hall Square"])
def test_a_place_is_no_author(place: str) -> None:
    assert article(f"Konzert im Juni\n\n{place}, 04.02.2025\n\n{BODY}").author is None


def test_signed_byline_below_a_lead_is_found() -> None:
    lead = "Der Chor reist in diesem Sommer durch vier Städte, und das zum ersten Mal seit Jahren."
    found = article(f"Chor auf Reisen\n\n{lead}\n\nVon Rita Wald, 04.02.2025\n\n{BODY}")
    assert (found.author, found.published) == ("Rita Wald", date(2025, 2, 4))
    assert left(found).startswith(lead)


def test_byline_beside_a_chronicle_is_found() -> None:
    chronicle = "3. Juni 2025, Linde Hohenau\n\nDer Chor singt.\n\n5. Juni 2025, Linde Au\n\nEr singt wieder."
    found = article(f"Chor auf Reisen\n\nVon Rita Wald, 04.02.2025\n\n{chronicle}")
    assert (found.author, found.published) == ("Rita Wald", date(2025, 2, 4))
    assert chronicle in left(found)


def test_plain_story_has_no_asides_and_states_nothing() -> None:
    found = article(BODY)
    assert found.asides == ()
    assert (found.title, found.outlet, found.author, found.published, found.genre) == (None,) * 5
    assert left(found) == BODY


@settings(deadline=None)  # the first call loads models
@given(st.text(max_size=300))
def test_any_text_stays_as_it_is_with_asides_in_order_inside_it(text: str) -> None:
    found = article(text)
    assert found.text == normalise(text)
    position = 0
    for aside in found.asides:
        assert position <= aside.start < aside.end <= len(found.text)
        position = aside.end


QUIRKS = """Gipfel ohne Ergebnis
Von Anna Muster
15. August 2025
▲ Trump
AFP/Getty Images
Foto: dpa
observador
Berlin (dpa) - Der Präsident sprach am Freitag lange.
Was nun?Die Regierung will beraten, wie es weitergeht.
Er sagte am Freitag nichts dazu.
Lesen Sie auch: Mehr
„Wir wollen Frieden.“
- Punkt
Titel | X
Er sprach lange. (dpa)

"""


@settings(deadline=None)  # the first call loads models
@given(st.lists(st.sampled_from(QUIRKS.split("\n")), max_size=14))
def test_quirks_in_any_order_never_overlap(lines: list[str]) -> None:
    found = article("\n".join(lines))
    assert all(one.end <= two.start for one, two in zip(found.asides, found.asides[1:], strict=False))


# --- titles ------------------------------------------------------------------------------------


def test_first_line_without_full_stop_is_the_title() -> None:
    found = article("Gipfel ohne Ergebnis\n\n" + BODY)
    assert (found.title, left(found)) == ("Gipfel ohne Ergebnis", BODY)


def test_title_directly_above_its_text_is_found() -> None:
    assert (
        article("Gipfel ohne Ergebnis\nTrump sprach mit Putin.\nPutin flog heim.").title
        == "Gipfel ohne Ergebnis"
    )


def test_title_author_and_date_in_one_line() -> None:
    found = article("Roter Teppich | Anna Muster.\u00a0 15.08.2025.\n\n" + BODY)
    assert (found.title, found.author, found.published) == ("Roter Teppich", "Anna Muster", date(2025, 8, 15))
    assert left(found) == BODY


def test_behind_a_title_a_newspaper_is_the_outlet_and_a_lone_name_nothing() -> None:
    assert article("Roter Teppich | Süddeutsche Zeitung\n\n" + BODY).outlet == "Süddeutsche Zeitung"
    found = article("Roter Teppich | Anna Muster\n\n" + BODY)
    assert (found.title, found.author, found.outlet) == ("Roter Teppich", None, None)
    assert left(found) == BODY


def test_kicker_above_the_title_is_a_heading() -> None:
    found = article("Ukraine-Krieg\n\nWas kommt nach Alaska?\n\n" + BODY)
    assert marked(found) == [("heading", "Ukraine-Krieg"), ("title", "Was kommt nach Alaska?")]


def test_stated_title_is_kept_and_its_repetition_set_aside() -> None:
    found = article("Gipfel ohne Ergebnis\n\n" + BODY, title="Gipfel ohne Ergebnis")
    assert marked(found) == [("title", "Gipfel ohne Ergebnis")]
    other = article("Die Lage nach dem Gipfel\n\n" + BODY, title="Gipfel ohne Ergebnis")
    assert (other.title, marked(other)) == ("Gipfel ohne Ergebnis", [("heading", "Die Lage nach dem Gipfel")])


def test_a_text_of_one_line_has_no_title() -> None:
    assert article("Nur eine Zeile ohne Punkt").title is None


# --- datelines and bylines ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "outlet"),
    [
        ("Berlin (dpa) -", "dpa"),
        ("MOSKAU/KIEW, 16. August (Reuters) –", "Reuters"),
        ("Berlin, 15. Aug. (AFP) -", "AFP"),
        ("(AFP) –", "AFP"),
        ("Frankfurt/Main (dpa-AFX) -", "dpa-AFX"),
        ("New York (AP) —", "AP"),
        ("Rom (epd).", "epd"),
        ("Washington taz |", "taz"),
        ("BERLIN dpa/taz |", "taz"),
        ("BERLIN, 15. August.", None),
    ],
)
def test_datelines_in_front_of_the_first_sentence_are_set_aside(line: str, outlet: str | None) -> None:
    found = article(f"{line} {BODY}")
    assert marked(found) == [("dateline", line)]
    assert (found.outlet, found.published, left(found)) == (outlet, None, BODY)


@pytest.mark.parametrize("gap", [" ", "\n\n"])
def test_date_mark_and_dateline_follow_each_other(gap: str) -> None:
    found = article(f" date 2025-08-16{gap}Washington taz | {BODY}")
    assert marked(found) == [("dateline", "date 2025-08-16"), ("dateline", "Washington taz |")]
    assert (found.published, found.outlet, left(found)) == (date(2025, 8, 16), "taz", BODY)


@pytest.mark.parametrize(
    "sentence",
    [
        "Genf, 16. Juni 2021. Ort und Datum markieren das letzte persönliche Treffen der beiden.",
        "Die Nachrichtenagentur (dpa) meldete am Freitag das Ende des Treffens in Alaska.",
        "Am 15. August 2025 trafen sich die Präsidenten auf einer Militärbasis in Alaska.",
        "Von Anna Muster war an diesem Tag in Anchorage nichts mehr zu hören und zu sehen.",
    ],
)
def test_running_text_that_looks_like_a_dateline_stays(sentence: str) -> None:
    found = article(f"{sentence}\n\n{BODY}")
    assert (found.asides, found.published, found.author, found.outlet) == ((), None, None, None)


@pytest.mark.parametrize(
    ("line", "author", "outlet", "published"),
    [
        ("Von Anna Muster", "Anna Muster", None, None),
        ("Von Anna Muster, Washington", "Anna Muster", None, None),
        ("Von Anna-Lena O’Neill und Max van der Bellen", "Anna-Lena O’Neill, Max van der Bellen", None, None),
        ("Von Dr. Anna Muster | 15. August 2025", "Dr. Anna Muster", None, date(2025, 8, 15)),
        (
            "Anna Muster | Süddeutsche Zeitung | 15.08.2025",
            "Anna Muster",
            "Süddeutsche Zeitung",
            date(2025, 8, 15),
        ),
        ("Stand: 15.08.2025, 14:30 Uhr", None, None, date(2025, 8, 15)),
        (
            "Veröffentlicht am 14.08.2025 um 10:15 Uhr, aktualisiert am 15.08.2025",
            None,
            None,
            date(2025, 8, 14),
        ),
        ("Aktualisiert am 15.08.2025, veröffentlicht am 14.08.2025", None, None, date(2025, 8, 14)),
        ("Freitag, 15. August 2025, 14:30 Uhr", None, None, date(2025, 8, 15)),
        ("2025-08-15T14:30:00+02:00", None, None, date(2025, 8, 15)),
        ("Berlin, 15. August 2025", None, None, date(2025, 8, 15)),
        ("New York, 15. August 2025", None, None, date(2025, 8, 15)),
        ("Politik | 15.08.2025", None, None, date(2025, 8, 15)),
    ],
)
def test_bylines_and_date_lines_state_author_outlet_and_day(
    line: str, author: str | None, outlet: str | None, published: date | None
) -> None:
    found = article(f"Gipfel ohne Ergebnis\n\n{line}\n\n{BODY}")
    assert (found.author, found.outlet, found.published) == (author, outlet, published)
    assert (found.title, left(found)) == ("Gipfel ohne Ergebnis", BODY)


@pytest.mark.parametrize(
    "title", ["Von Moskau und Kiew", "Von wegen Frieden", "15. August 2025: Tag der Entscheidung"]
)
def test_titles_that_begin_like_a_byline_stay_titles(title: str) -> None:
    found = article(f"{title}\n\n{BODY}")
    assert (found.title, found.author, found.published) == (title, None, None)


def test_dates_that_head_the_entries_of_a_timeline_are_not_the_article_s() -> None:
    text = f"Chronologie\n\n24. Februar 2022\n\nRussland greift die Ukraine an.\n\n15. August 2025\n\n{BODY}"
    assert article(text).published is None


def test_what_the_container_states_goes_before_what_the_text_states() -> None:
    found = article(
        f"Berlin (dpa) - {BODY}", outlet="Beispielblatt", published=date(2025, 1, 1), genre="report"
    )
    assert (found.outlet, found.published, found.genre) == ("Beispielblatt", date(2025, 1, 1), "report")


# --- captions ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "caption",
    [
        "▲ Die ersten Verhandlungen fanden in Belarus statt",
        "▲ Die ersten Verhandlungen fanden in Belarus statt\nANNA MUSTER / BELTA HANDOUT/EPA",
        "▲ Das letzte Treffen\nAFP/Getty Images",
        "▲ Das letzte Treffen\nPOOL/AFP über Getty Images",
        "▲ Das letzte Treffen\nHANDOUT DES PRESSEDIENSTES",
        "AFP/Getty Images",
        "Foto: dpa",
        "© Getty Images",
        "Bild: Imago / Xinhua",
        "Trump und Putin in Anchorage. Foto: Anna Muster/dpa",
        "Trump und Putin in Anchorage (Archivbild). © Reuters",
    ],
)
def test_captions_and_credits_between_paragraphs_are_set_aside(caption: str) -> None:
    found = article(f"{BODY}\n\n{caption}\n{BODY}")
    assert {kind for kind, _ in marked(found)} == {"caption"}
    assert left(found) == f"{BODY}\n\n{BODY}"


@pytest.mark.parametrize(
    "line",
    [
        "Das berichtete die Agentur AFP am Freitag unter Berufung auf Kreise in Moskau.",
        "„Das Bild ist schief“, sagte er der Agentur Reuters.",
        "▪ Erster Punkt der Einigung ist ein Waffenstillstand.",
    ],
)
def test_text_that_names_an_agency_or_a_picture_stays(line: str) -> None:
    assert line in left(article(f"{BODY}\n\n{line}\n\n{BODY}"))


# --- headings ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("heading", "sentence"),
    [
        ("Putins Forderungen sind dieselben", "Im Februar 2022 trafen sich die Delegationen in Belarus."),
        ("Von der „Naivität“ bis zur Drohung: Trumps neue Strategie", "Ende März warf er ihm Täuschung vor."),
        (
            "Die Delegationen: Putins Schwergewichte",
            "Am 18. Februar 2025 traf man sich in Riad zum ersten Mal.",
        ),
        ("Was nun?", "Die Regierung will am Montag über das Vorgehen beraten."),
        ("Ein Mann, ein Wort", "„Wir wollen Frieden“, sagte Trump am Freitag in Anchorage."),
        ("Neue Treffen im Herbst 2025", "Im Februar soll es dann ein Treffen in Genf geben."),
    ],
)
def test_headings_glued_to_the_next_sentence_are_cut_off(heading: str, sentence: str) -> None:
    found = article(f"{BODY}\n{heading}{sentence}\n{BODY}")
    assert marked(found) == [("heading", heading)]
    assert left(found) == f"{BODY}\n\n{sentence}\n\n{BODY}"


@pytest.mark.parametrize(
    "sentence",
    [
        "Die WhatsApp-Gruppe der Diplomaten wurde am Freitag gelöscht.",
        "Auf YouTube Im Februar gezeigte Videos sind am Freitag gelöscht worden.",
        "Das Unternehmen DeepMind will am Montag neue Zahlen vorlegen.",
        "Die Auktion auf eBay und TikTok endet am Montag in aller Frühe.",
        "Der Konzern ThyssenKrupp will am Montag in Essen neue Zahlen vorlegen.",
        "Das Netzwerk LinkedIn will am Montag in Berlin neue Zahlen vorlegen.",
        "Die SchülerInnen der Stadt haben am Freitag gegen den Gipfel demonstriert.",
        "Jede MitarbeiterIn der Stadt bekommt am Freitag einen freien Tag geschenkt.",
        "Der Senator McConnell und der Schauspieler DiCaprio trafen sich am Freitag.",
        "Der Twitter-Name @HansNiessl Im Burgenland gehört nicht dem Politiker selbst.",
        "Laut der AfD und der FDP ist das iPhone am Freitag noch nicht verfügbar.",
    ],
)
def test_capitals_inside_names_cut_nothing_off(sentence: str) -> None:
    assert article(f"{BODY}\n{sentence}\n{BODY}").asides == ()


@pytest.mark.parametrize(
    "heading", ["Weitere Luftangriffe in der Nacht", "Auf welcher Seite stehen die USA?", "„Wir sind bereit“"]
)
def test_short_lines_between_paragraphs_are_headings(heading: str) -> None:
    found = article(f"{BODY}\n\n{heading}\n\n{BODY}")
    assert marked(found) == [("heading", heading)]


@pytest.mark.parametrize(
    "text",
    [
        "„Mit dieser Denkweise ist es schwieriger.“\nMichael McFaul, ehemaliger US-Botschafter in Russland",
        "Mit dieser Denkweise ist es schwieriger.\nMichael McFaul, ehemaliger US-Botschafter in Russland",
        "„Wir sind noch nicht dort.“\n\nDonald Trump",
        "Das sind die Punkte:\n\nWaffenruhe im Osten",
        "Waffenruhe im Osten\n\nTreffen mit Kiew\n\nNeue Sanktionen",
        "- Waffenruhe im Osten\n- Treffen mit Kiew",
        "1. Waffenruhe im Osten",
    ],
)
def test_attributions_of_quotes_and_items_of_lists_stay_answerable(text: str) -> None:
    found = article(f"{BODY}\n\n{text}\n\n{BODY}")
    assert found.asides == ()


def test_text_without_punctuation_has_no_headings() -> None:
    lines = [f"Zeile {word} steht hier ganz allein" for word in ("eins", "zwei", "drei", "vier")]
    found = article("\n\n".join([*lines, "Nur diese hat einen Punkt."]))
    assert marked(found) == [("title", lines[0])]


def test_where_the_format_marks_headings_none_is_guessed() -> None:
    text = f"{BODY}\n\nWaffenruhe im Osten\n\n{BODY}\n\nTreffen mit Kiew"
    assert article(text, structured=True).asides == ()


# --- footers -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("footer", "outlet"),
    [
        ("observador", "Observador"),
        ("taz", "taz"),
        ("www.beispiel.de", "beispiel.de"),
        ("Kommentar verfassen", None),
        ("Anna Muster", None),
        ("kommentare", None),
        ("amu", None),
        ("(dpa)", "dpa"),
        ("(dpa/AFP)", "dpa"),
        ("dpa", "dpa"),
        ("dpa/taz", "taz"),
        ("Quelle: Reuters", "Reuters"),
        ("Lesen Sie auch: Was Putin in Alaska wirklich will", None),
    ],
)
@pytest.mark.parametrize("gap", ["\n", "\n\n"])
def test_last_lines_that_are_no_sentence_are_footers(gap: str, footer: str, outlet: str | None) -> None:
    found = article(f"{BODY}{gap}{footer}")
    assert marked(found) == [("footer", footer)]
    assert (found.outlet, found.genre, left(found)) == (outlet, None, BODY)


def test_source_behind_the_last_sentence_states_author_and_day() -> None:
    found = article(f"{BODY} (Anna Muster, Max Beispiel, DER STANDARD, 3.5.2016)")
    assert (found.author, found.outlet) == ("Anna Muster, Max Beispiel", "DER STANDARD")
    assert (found.published, left(found)) == (date(2016, 5, 3), BODY)


@pytest.mark.parametrize(
    "end", ["Man traf sich in Helsinki (16.7.2018).", "Er kam aus Genf (Schweiz)", "Kurz war er."]
)
def test_brackets_and_short_sentences_at_the_end_stay(end: str) -> None:
    found = article(f"{BODY}\n\n{end}")
    assert (found.asides, found.published) == ((), None)


def test_several_footers_below_each_other_are_all_found() -> None:
    found = article(f"{BODY}\n\nVon Anna Muster\n\nArtikel teilen\n\nKommentare")
    assert [kind for kind, _ in marked(found)] == ["byline", "footer", "footer"]
    assert found.author == "Anna Muster"


# --- genre and language ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        f"Kommentar\n\nTrumps Irrtum\n\n{BODY}",
        f"Trumps Irrtum\n\nEin Gastbeitrag von Anna Muster\n\n{BODY}",
        f"Kommentar: Trumps Irrtum\n\n{BODY}",
        f"Trumps Irrtum (Leitartikel)\n\n{BODY}",
        f"{BODY}\n\nMeinung",
        f"{BODY}\n\nDieser Beitrag gibt die Meinung des Autors wieder.",
    ],
)
def test_genre_is_comment_when_a_rubric_says_so(text: str) -> None:
    assert article(text).genre == "comment"


def test_a_comment_that_the_story_speaks_of_is_no_genre() -> None:
    assert article(f"Kein Kommentar aus Moskau\n\n{BODY}\n\nKommentar verfassen").genre is None


@pytest.mark.parametrize(
    ("text", "language"),
    [
        (BODY, "de"),
        ("The presidents of both countries met in Alaska on Friday and talked for three hours.", "en"),
        ("Президенти двох країн зустрілися в пʼятницю на Алясці та розмовляли три години.", "uk"),
        ("Os presidentes dos dois países encontraram-se na sexta-feira no Alasca.", "pt"),
        ("Nur kurz", None),
        ("12345 67890 12345 67890", None),
    ],
)
def test_language_of_a_text_and_none_when_it_is_too_short(text: str, language: str | None) -> None:
    assert detect_language(text) == language


# --- hash --------------------------------------------------------------------------------------


def test_hash_changes_with_text_metadata_and_asides_but_not_with_the_name() -> None:
    plain = article(BODY, language="de")
    others = [
        article(BODY + " ", language="de"),
        article(BODY, language="de", title="Titel"),
        article(BODY, language="de", published=date(2025, 1, 1)),
        article(BODY, language="de", asides=(Aside(0, 5, "heading"),)),
    ]
    assert len({plain.sha256, *(other.sha256 for other in others)}) == 5
    renamed = article_from(Document(normalise(BODY), language="de"), "b", "b.txt")
    assert renamed.sha256 == plain.sha256


# --- copies ------------------------------------------------------------------------------------


def named(id: str, text: str) -> Article:
    return Article(id=id, text=text, source=id, sha256=id)


def words(first: int, last: int) -> str:
    return " ".join(f"wort{n}" for n in range(first, last))


def test_copies_point_to_the_first_article_with_nearly_the_same_text() -> None:
    agency = words(0, 200)
    articles = [
        named("a", agency),
        named("other", words(500, 700)),
        named("b", "Berlin (dpa) – " + agency.replace("wort50 ", "„Wort50“, ")),
        named("c", agency + " " + words(300, 320)),
        named("half", words(0, 100) + " " + words(800, 900)),
    ]
    assert near_duplicates(articles) == {"b": "a", "c": "a"}


def test_the_shorter_of_two_is_the_copy_even_when_it_comes_first() -> None:
    assert near_duplicates([named("short", words(50, 100)), named("long", words(0, 400))]) == {
        "short": "long"
    }


def test_copies_of_copies_point_to_one_original() -> None:
    articles = [named(str(n), words(n * 8, n * 8 + 200)) for n in range(6)]
    assert set(near_duplicates(articles).values()) == {"0"}


def test_articles_of_a_few_words_are_copies_only_when_equal() -> None:
    articles = [named("a", "Kurz und gut"), named("b", "Kurz und schlecht"), named("c", "„Kurz und gut“")]
    assert near_duplicates([*articles, named("d", ""), named("e", "")]) == {"c": "a"}
    assert near_duplicates([]) == {}


def test_a_phrase_common_to_all_makes_no_copies() -> None:
    legal = words(10_000, 10_030)
    articles = [named(str(n), f"{words(n * 100, n * 100 + 100)} {legal}") for n in range(60)]
    assert near_duplicates(articles) == {}


# --- the originals -----------------------------------------------------------------------------


@pytest.fixture
def originals() -> dict[str, Article]:
    if not ORIGINALS.is_dir():
        pytest.skip(f"the five original articles are not in {ORIGINALS}")
    found = {}
    for path in sorted(ORIGINALS.glob("*.txt")):
        (document,) = read_file(path, limit_bytes=1_000_000).documents
        found[path.stem[:3]] = article_from(document, path.stem, path.name)
        assert found[path.stem[:3]].text == normalise(path.read_text("utf-8"))
    return found


def test_originals_state_what_they_state_and_no_more(originals: dict[str, Article]) -> None:
    facts = {key: (a.title, a.outlet, a.author, a.published) for key, a in originals.items()}
    assert facts == {
        "000": ("7 Monate voller Anrufe, Reisen und Treffen, die in Alaska enden", "Observador", None, None),
        "001": (None, None, None, None),
        "002": (None, "taz", None, date(2025, 8, 16)),
        "003": ("Roter Teppich für Putin", None, "Vitaly Portnikov", date(2025, 8, 15)),
        "004": (None, None, None, date(2025, 8, 19)),
    }
    assert {(a.language, a.genre) for a in originals.values()} == {("de", None)}


def test_asides_of_the_originals_are_exactly_these(originals: dict[str, Article]) -> None:
    kinds = {key: [kind for kind, _ in marked(a)] for key, a in originals.items()}
    assert kinds == {
        "000": ["title", "heading", "caption", "caption", "heading", "caption", "caption", "heading"]
        + ["caption"] * 4
        + ["footer"],
        "001": [],
        "002": ["dateline", "dateline", "heading", "heading", "heading"],
        "003": ["title", "byline", "footer"],
        "004": ["dateline"],
    }
    story = left(originals["000"])
    for start in ("Im Februar 2022, wenige Tage", "Ende März, nach einem", "Am 18. Februar 2025 traf"):
        assert f"\n\n{start}" in story
    for kept in ("Michael McFaul, ehemaliger US-Botschafter in Russland", "Genf, 16. Juni 2021."):
        assert kept in story
    for gone in ("▲", "/EPA", "Getty Images", "observador", "dieselben"):
        assert gone not in story.replace("dieselben Ziel", "")
