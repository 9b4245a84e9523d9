"""Protects the sentences that answers are made of: cut by rule in five languages, and never anything lost."""

from __future__ import annotations

import pytest
from hypothesis import given, settings

from rag.text.normalize import normalise, paragraphs
from rag.text.sentences import sentences
from tests.test_text import ANY_TEXT, NEWS_LIKE, assert_sound


def cut(text: str, language: str | None = "de") -> list[str]:
    return [text[low:high] for low, high in sentences(text, language=language)]


@pytest.mark.parametrize(
    "named",
    [
        "15. August 2025 in Anchorage",
        "3. Oktober",
        "24.02.2022 in Kiew",
        "24.2. den Krieg",
        "19.30 Uhr",
        "zum 80. Geburtstag",
        "das 20. Jahrhundert",
        "Ludwig XIV. von Frankreich",
        "Dr. Müller",
        "Prof. Dr. Meier",
        "J. D. Vance",
        "Wladimir W. Putin",
        "St. Petersburg",
        "z.B. Frankreich",
        "d. h. Moskau",
        "u. a. Frankreich",
        "v. a. Deutschland",
        "3,5 Mio. Euro",
        "5 Mrd. Euro",
        "ca. 300 Menschen",
        "Nr. 5",
        "Art. 5 der Nato",
        "Gen. Kellogg",
        "bzw. Kiew",
        "z. T. Moskau",
        "z. B. Frankreich",
        "i. d. R. Frankreich",
        "im Okt. 2022",
        "Hr. Müller",
        "mind. 3 Tage",
        "den 47. Präsidenten",
        "die 3. Runde",
        "den 2. Weltkrieg",
    ],
)
def test_dates_initials_and_abbreviations_end_no_sentence(named: str) -> None:
    whole = [f"Der Sprecher nannte gestern {named} ausdrücklich als Grund.", "Danach schwieg er lange Zeit."]
    assert cut(" ".join(whole)) == whole


@pytest.mark.parametrize(
    "whole",
    [
        ["Der Krieg dauert noch an!", "Wer hilft der Ukraine jetzt?", "Niemand weiß es genau."],
        ["Er sagte dort: „Wir gehen heute.“", "Dann ging er nach Hause."],
        ["Er sagte dort: »Wir gehen heute.«", "Dann ging er nach Hause."],
        ['Er sagte dort: "Wir gehen heute."', "Dann ging er nach Hause."],
        ["„Wir wollen endlich Frieden.", "Wir wollen ihn jetzt.“", "Das sagte der Präsident."],
        ["Erst kam „Der Spiegel“.", "Dann kam die Zeit hinzu."],
        ["Er sagte: „Das ist gut!“ und ging weg.", "Niemand hielt ihn auf."],
        ["„Kommt er wirklich hierher?“ fragte sie.", "Niemand gab eine Antwort."],
        ["Das Treffen dauerte lange (rund drei Stunden).", "Dann flog er heim."],
        ["Er flog gleich heim (es war schon spät.)", "Dann schlief er ein."],
        ["»Er rief: „Wir gehen nach Hause! “ «", "Dann ging er weg."],
    ],
)
def test_closing_marks_stay_with_their_sentence(whole: list[str]) -> None:
    assert cut(" ".join(whole)) == whole


@pytest.mark.parametrize(
    "text",
    [
        "„Kommt er wirklich hierher?“, fragte der Reporter.",
        "»Kommt er wirklich hierher?«, fragte der Reporter.",
        "Er sagte: „Wir gehen jetzt.“; sie aber blieb.",
    ],
)
def test_a_quotation_inside_a_sentence_does_not_end_it(text: str) -> None:
    assert cut(text) == [text]


@pytest.mark.parametrize(
    "text",
    [
        "75 % . Das ist eine klare Mehrheit der Befragten.",
        "Genf, 16. Juni 2021. Die Präsidenten trafen sich am Morgen.",
        "Ja! Er hat dem Plan tatsächlich zugestimmt.",
        "1. 2. 3. Das sind die Punkte der Liste.",
    ],
)
def test_fragments_join_the_sentence_that_follows(text: str) -> None:
    assert cut(text) == [text]


def test_a_fragment_at_the_end_stays_a_sentence() -> None:
    assert cut("Hat er dem Plan zugestimmt? Nein.") == ["Hat er dem Plan zugestimmt?", "Nein."]


@pytest.mark.parametrize(
    ("language", "whole"),
    [
        ("en", ["On Aug. 15 Mr. Trump met Mr. Putin in the U.S. state of Alaska.", "They talked for hours."]),
        ("fr", ["Le 15 août 2025, M. Trump a reçu M. Poutine.", "Ils ont parlé longtemps."]),
        ("pt", ["O Sr. Trump recebeu o Dr. Putin no Alasca.", "Eles falaram durante horas."]),
        ("uk", ["Президент прибув до Женеви вчора.", "Він розмовляв три години."]),
        ("xx", ["Am 15. August 2025 trafen sich beide.", "Danach reisten sie wieder ab."]),
        (None, ["Am 15. August 2025 trafen sich beide.", "Danach reisten sie wieder ab."]),
    ],
)
def test_each_language_has_its_boundaries_and_german_stands_in(
    language: str | None, whole: list[str]
) -> None:
    assert cut(" ".join(whole), language) == whole


def test_a_line_break_in_hard_wrapped_text_ends_no_sentence() -> None:
    assert cut("Der Präsident reiste am\nFreitag ab. Danach flog\ner nach Hause.") == [
        "Der Präsident reiste am\nFreitag ab.",
        "Danach flog\ner nach Hause.",
    ]


def test_spans_count_from_the_start_of_the_whole_text() -> None:
    text = "Titel\n\nDer Gipfel war gestern. Heute ist Ruhe in Genf.\n\nEnde"
    spans = sentences(text, *paragraphs(text)[1])
    assert [text[low:high] for low, high in spans] == ["Der Gipfel war gestern.", "Heute ist Ruhe in Genf."]


@settings(deadline=None)
@given(ANY_TEXT | NEWS_LIKE)
def test_sentences_are_slices_that_leave_out_white_space_only(raw: str) -> None:
    text = normalise(raw).strip()
    assert_sound(text, sentences(text))


@settings(deadline=None)
@given(NEWS_LIKE, NEWS_LIKE, NEWS_LIKE)
def test_what_stands_around_a_paragraph_does_not_move_its_sentences(
    before: str, paragraph: str, after: str
) -> None:
    paragraph = paragraph.strip()
    start = len(before)
    alone = [(start + low, start + high) for low, high in sentences(paragraph)]
    assert sentences(before + paragraph + after, start, start + len(paragraph)) == alone


def test_the_first_sentence_is_trimmed_too() -> None:
    assert cut("  Der Gipfel war gestern.") == ["Der Gipfel war gestern."]


@pytest.mark.parametrize(
    "text",
    [
        "Der Gipfel in Genf dauerte drei Stunden. " * 200,
        "Wort " * 2_000 + "Ende.",
        "x" * 7_000,
        "1. " * 3_000,
    ],
    ids=["sentences", "one sentence", "one word", "numbers"],
)
def test_texts_beyond_one_window_are_cut_without_loss(text: str) -> None:
    assert_sound(text.strip(), sentences(text.strip()))


def test_a_sentence_across_two_windows_stays_whole() -> None:
    sentence = "Der Gipfel in Genf dauerte nach Angaben des Kremls rund drei Stunden."
    assert cut(" ".join([sentence] * 200)) == [sentence] * 200


# --- what once cut sentences apart


@pytest.mark.parametrize(
    "whole",
    [
        ["Das Urteil (Az. 7 O 31/24) fiel am 3. 4. 2025 in Kleve.", "Die Stadt legt Berufung ein."],
        ["Gebaut wird in der Uferstr. 12 und am Markt.", "Das dauert bis zum Herbst."],
        ["Der Auftrag ging an die Lenz GmbH & Co. KG in Emden.", "Sie beginnt im Mai."],
        ["Erst in ihrem 16. Lebensjahr lernte sie schwimmen.", "Heute trainiert sie andere."],
        ["Der Zug fuhr zuletzt im Jahr 2023.", "14 Menschen stiegen ein."],
        ["Im Lager lagen noch 30.000.", "Belgien hatte weit mehr davon bestellt."],
        ["Das Tor fiel in Minute 89.", "Bayern jubelte danach sehr laut."],
        ["Das Amt gilt ab 1. Jänner als zuständig.", "Bis dahin bleibt alles beim Alten."],
        ["Er wählte dann doch Plan B.", "Der Rat war davon überrascht."],
        ["Es gab Brot, Käse usw.", "Die Gäste waren sehr zufrieden."],
        ["Es gab Waren aus Italien usw. Frankreich fehlte in der Liste."],
        ["Der Anteil stieg auf 12 Prozent.", "Die Zahl ist vorläufig."],
        ["Alle flohen (die Warnung kam spät. Niemand sagte etwas.) in den Keller.", "Dort blieben sie."],
        ["Wann öffnet das Bad wieder?", "(red, 12.6.2024)"],
        ["Die Seite steht auf www.Hafen.de, Post an rat@amt.Emden.de und ist neu.", "Das sagte der Leiter."],
    ],
)
def test_german_sentences_stay_whole(whole: list[str]) -> None:
    assert cut(" ".join(whole)) == whole


def test_a_forgotten_space_ends_a_sentence_all_the_same() -> None:
    assert cut("Der Anteil stieg auf zwölf Prozent.Die Zahl ist nur vorläufig.") == [
        "Der Anteil stieg auf zwölf Prozent.",
        "Die Zahl ist nur vorläufig.",
    ]


@pytest.mark.parametrize(
    ("language", "whole"),
    [
        ("en", ["The firm, e.g. Smith & Co. Ltd. of Leeds, paid at 5 p.m. on Monday.", "It was late."]),
        ("en", ["Asked about it, she simply said no.", "Germany then made an offer."]),
        ("en", ["See No. 5 in Vol. 2 of the report.", "Louis XIV. is not in it."]),
        ("fr", ["Mme. Le Goff et M. Da Silva arrivent, p. ex. à Lyon.", "Ils sont en retard."]),
        ("fr", ["Il a dit : « Nous partons. »", "« Il ment », dit-elle ensuite."]),
        ("pt", ["A Sra. Dos Santos mora na Av. Brasil, n. 12, em Lisboa.", "Ela gosta da cidade."]),
        ("uk", ["У 2014 р. Росія окупувала Крим, а В. Петренко жив на вул. Садовій.", "Він виїхав."]),
        ("uk", ["Вони купили хліб, сіль і т. д. на ринку в м. Київ.", "Потім пішли додому."]),
    ],
)
def test_other_languages_keep_theirs(language: str, whole: list[str]) -> None:
    assert cut(" ".join(whole), language) == whole


def test_marks_of_footnotes_stay_with_the_sentence_they_follow() -> None:
    assert cut("Der Damm wird erhöht.[2] Der Kreis zahlt die Hälfte.[4][11] Gebaut wird ab März.[1]") == [
        "Der Damm wird erhöht.[2]",
        "Der Kreis zahlt die Hälfte.[4][11]",
        "Gebaut wird ab März.[1]",
    ]
