"""Protects the answer without a model: short, verbatim, cited to the character, and said once."""

from __future__ import annotations

import re
from datetime import date
from itertools import pairwise

import pytest

from rag.answering.compose import FURTHER, MOST_STATEMENTS, MOST_WORDS, cite, compose, nearest
from rag.answering.work import Outcome
from rag.schema import Article
from tests.dossier import BRIDGE, CONCERT, DOSSIER, WOLF, article, aside, candidates_for, ranked

QUESTIONS = [
    "Wer dirigiert die Konzerte und wo wurde sie geboren?",
    "Was kostet die Reparatur der Brücke?",
    "Wie viele Tonnen Äpfel ernten die Obstbauern?",
    "Was schreiben Küstenkurier und Moorhafener Bote?",
    "Warum lehnt das Ministerium den Abschuss ab?",
    "How many sheep did the shepherd lose?",
    "Wie heißt die Hauptstadt von Peru?",
]


def answer(question: str, *articles: Article, words: int = 120) -> Outcome:
    return compose(candidates_for(question, *articles, words=words), question)


def quotes(draft: Outcome) -> list[str]:
    return [citation.quote for citation in draft.citations]


def texts_of(*articles: Article) -> dict[str, str]:
    return {article.id: article.text for article in articles}


# --- the shape of every answer -----------------------------------------------------------------


@pytest.mark.parametrize("words", [30, 120])
@pytest.mark.parametrize("question", QUESTIONS)
def test_answer_is_short_numbered_and_cut_out_by_offset(question: str, words: int) -> None:
    draft = answer(question, *DOSSIER, words=words)
    texts = texts_of(*DOSSIER)
    assert 1 <= len(draft.citations) <= MOST_STATEMENTS == 3
    assert sum(len(quote.split()) for quote in quotes(draft)) <= MOST_WORDS == 80
    for citation in (*draft.citations, *draft.further):
        assert texts[citation.article_id][citation.start : citation.end] == citation.quote
    assert [c.number for c in draft.citations] == list(range(1, len(draft.citations) + 1))
    assert [int(n) for n in re.findall(r"\[(\d+)\]", draft.text)] == [c.number for c in draft.citations]
    assert {c.status for c in draft.citations} == {"supported"}


@pytest.mark.parametrize("question", QUESTIONS)
def test_statements_are_the_quotes_each_with_its_citation(question: str) -> None:
    draft = answer(question, *DOSSIER)
    assert [(s.text, s.citations) for s in draft.statements] == [
        (c.quote, (c.number,)) for c in draft.citations
    ]
    for statement in draft.statements:
        [number] = statement.citations
        shown = draft.text[statement.start : statement.end]
        assert shown == f"{' '.join(statement.text.split())} [{number}]"
    for citation in draft.citations:
        assert f"{' '.join(citation.quote.split())} [{citation.number}]" in draft.text


@pytest.mark.parametrize("words", [30, 120])
@pytest.mark.parametrize("question", QUESTIONS)
def test_further_places_are_few_other_and_counted_on(question: str, words: int) -> None:
    draft = answer(question, *DOSSIER, words=words)
    last = len(draft.citations)
    assert [c.number for c in draft.further] == list(range(last + 1, last + 1 + len(draft.further)))
    assert len(draft.further) <= FURTHER == 3
    assert {c.status for c in draft.further} <= {"no claim"}
    places = [(c.article_id, c.start) for c in (*draft.citations, *draft.further)]
    assert len(set(places)) == len(places)
    for further in draft.further:
        assert not any(
            c.article_id == further.article_id and c.start < further.end and further.start < c.end
            for c in draft.citations
        )
        assert f"[{further.number}]" not in draft.text


def test_sentences_that_do_not_fit_any_more_are_left_out() -> None:
    ends = "bank damm dorf fall feld flut gang grund haus hof kamm kante lager land last rand riss".split()
    articles = [
        article(
            f"a{i}",
            f"{(UNRELATED + ' ') * 4 * i}Die Kaimauer am Hafen ist in Gefahr wegen "
            f"{', '.join(kind + end for end in ends)} und wegen allem, was sonst noch über sie kommt.",
        )
        for i, kind in enumerate(["Sand", "Frost", "Moor"])
    ]
    question = "Warum ist die Kaimauer am Hafen in Gefahr?"
    assert [len(quotes(answer(question, *articles[:n]))) for n in (1, 2, 3)] == [1, 2, 2]


def test_a_next_paragraph_that_begins_with_a_pronoun_goes_on() -> None:
    said = "Ubbo Lüders trat am Freitag zurück."
    for after, expected in (("Er ist müde.", f"{said}\n\nEr ist müde."), ("Acht Boote fehlen.", said)):
        draft = answer("Warum trat Ubbo Lüders zurück?", article("a", f"{said}\n\n{after}"))
        assert quotes(draft)[0] == expected


def test_best_sentence_comes_first() -> None:
    assert quotes(answer("Was kostet die Reparatur der Brücke?", *DOSSIER))[0].startswith(
        "Die Reparatur kostet"
    )


def test_no_candidates_give_an_empty_answer() -> None:
    assert compose([]) == Outcome("", (), ())
    assert nearest([]) == ()


def test_citation_keeps_what_the_article_states() -> None:
    cited = cite(BRIDGE, (4, 15), 7, "weak")
    assert (cited.number, cited.quote, cited.status) == (7, "Klappbrücke", "weak")
    assert (cited.title, cited.outlet, cited.published) == (
        "Risse im Stahl",
        "Küstenkurier",
        date(2024, 3, 4),
    )
    assert (cited.article_id, cited.sha256) == (BRIDGE.id, BRIDGE.sha256)


@pytest.mark.parametrize(
    ("facts", "stated"),
    [
        ({"outlet": "Deichblatt", "published": date(2023, 7, 1)}, "[1] (Deichblatt, 01.07.2023)"),
        ({"outlet": "Deichblatt"}, "[1] (Deichblatt)"),
        ({"published": date(2023, 7, 1)}, "[1] (01.07.2023)"),
        ({}, "[1]"),
    ],
)
def test_source_is_named_as_far_as_it_is_known(facts: dict[str, object], stated: str) -> None:
    draft = answer("Wer hütet den Deich?", article("deich", "Den Deich hüten Schafe.", **facts))
    assert draft.text == f"Den Deich hüten Schafe. {stated}"


@pytest.mark.parametrize(
    ("language", "stated"),
    [
        ("de", "01.07.2023, S. 2"),
        ("en", "2023-07-01, p. 2"),
        ("fr", "01/07/2023, p. 2"),
        ("uk", "01.07.2023, с. 2"),
    ],
)
def test_day_and_page_of_a_source_are_written_in_the_language_of_the_answer(
    language: str, stated: str
) -> None:
    printed = article("deich", "Vorn.\n\nDen Deich hüten Schafe.", published=date(2023, 7, 1), pages=(0, 7))
    draft = compose(candidates_for("Wer hütet den Deich?", printed), language=language)
    assert draft.text.startswith(f"Den Deich hüten Schafe. [1] ({stated})")


# --- verbatim, whatever stands in the text -------------------------------------------------------

VERBATIM = {
    "umlauts": ("Übel gelaunte Möwen stören die Fähre nach Süderoog.", "Was stört die Fähre?"),
    "german quotes": ("Der Kapitän nennt die Möwen „freche Räuber“ und ‚Plage‘.", "Wie nennt er die Möwen?"),
    "soft hyphens": ("Die Möwen\u00adplage trifft den Fähr\u00adanleger hart.", "Was trifft hart?"),
    "no-break spaces": ("Die Möwen fraßen 12\u00a0kg Fisch an\u202fBord.", "Was fraßen die Möwen an Bord?"),
    "beyond the basic plane": ("Die Möwen 🐦🐦 stören die Fähre sehr.", "Was stören die Möwen?"),
    "double spaces": ("Die Möwen  stören   die Fähre sehr.", "Was stören die Möwen?"),
}  # fmt: skip


@pytest.mark.parametrize(("sentence", "question"), VERBATIM.values(), ids=VERBATIM)
def test_quote_is_verbatim(sentence: str, question: str) -> None:
    text = f"Grüße vom Öresund, „ahoi“ 👋.\n\n{sentence}\n\nDas Café am Kai schließt."
    draft = answer(question, article("moewen", text))
    first = draft.citations[0]
    assert sentence in first.quote
    assert text[first.start : first.end] == first.quote


def test_line_breaks_stay_in_the_quote_and_leave_the_text() -> None:
    text = (
        "Am Kai legte gestern ein Schiff aus Bergen an,\n"
        "das Ziegel und Käse geladen hatte. Die Mannschaft\n"
        "blieb bis zum Abend an Bord und spielte Karten.\n"
        "\n"
        "Der Zoll prüfte die Papiere und fand daran nichts,\n"
        "was zu beanstanden gewesen wäre. Am Montag fährt\n"
        "das Schiff weiter nach Danzig.\n"
    )
    draft = answer("Was hatte das Schiff aus Bergen geladen?", article("schiff", text))
    first = draft.citations[0]
    assert "Schiff aus Bergen an,\ndas Ziegel und Käse geladen" in first.quote
    assert text[first.start : first.end] == first.quote
    assert "Schiff aus Bergen an, das Ziegel und Käse geladen" in draft.text


# --- what belongs together -----------------------------------------------------------------------


def test_adjacent_sentences_become_one_citation() -> None:
    draft = answer("Wer dirigiert ab September die Konzerte und wo wurde sie geboren?", *DOSSIER)
    first = draft.citations[0]
    assert first.quote.startswith("Oksana Tschumatschenko dirigiert")
    assert "Sie wurde in Poltawa geboren" in first.quote
    assert not any("Poltawa" in quote for quote in quotes(draft)[1:])


LISTS = {
    "de": (
        "Welche Gründe nennt die Ärztin gegen den Umzug der Klinik?",
        "Die Ärztin nennt drei Gründe gegen den Umzug der Klinik. Erstens fehlen dort Betten. Zweitens "
        "ist der Weg zu weit. Drittens wird die alte Klinik gerade saniert. Am Montag tagt der Rat.",
        "gerade saniert.",
    ),
    "en": (
        "What reasons does the doctor give against moving the clinic?",
        "The doctor gives three reasons against moving the clinic. First, there are too few beds. Second, "
        "the road is long. Third, the old clinic is being restored. The council meets on Monday.",
        "being restored.",
    ),
    "uk": (
        "Які причини проти переїзду клініки називає лікарка?",
        "Лікарка називає причини проти переїзду клініки. По-перше, там бракує ліжок. По-друге, дорога "
        "задовга. У понеділок збирається рада.",
        "дорога задовга.",
    ),
}


@pytest.mark.parametrize("language", LISTS)
def test_a_list_is_quoted_to_its_end(language: str) -> None:
    question, text, end = LISTS[language]
    draft = answer(question, article("klinik", text, language=language))
    assert quotes(draft) == [text[: text.index(end) + len(end)]]


def test_a_lone_short_sentence_takes_the_next_along() -> None:
    draft = answer("Warum lehnt das Umweltministerium den Abschuss ab?", *DOSSIER)
    assert quotes(draft) == [WOLF.text[WOLF.text.index("Das Umwelt") :]]


LIGHTS = (
    "Im Rathaus ging es um Lampen. „Die Laternen leuchten nur bis Mitternacht. Danach bleibt es dunkel“, "
    "sagte Ratsherr Tamme Voss. Die Opposition lehnt das ab."
)


@pytest.mark.parametrize(
    "question", ["Wie lange leuchten die Laternen?", "Wann bleibt es dunkel?", "Was sagte Tamme Voss?"]
)
def test_quotation_is_extended_to_its_beginning_and_its_speaker(question: str) -> None:
    first = quotes(answer(question, article("licht", LIGHTS)))[0]
    assert (
        "„Die Laternen leuchten nur bis Mitternacht. Danach bleibt es dunkel“, sagte Ratsherr Tamme Voss."
        in first
    )


@pytest.mark.parametrize(
    ("text", "language", "question"),
    [
        (
            "The council met on Monday. “The bridge is old. It will hold for two winters,” said"
            " Ann Field. Then it rained.",
            "en",
            "How long will the bridge hold?",
        ),
        (
            "O conselho reuniu-se. «A ponte é velha. Aguenta dois invernos», disse Ana"
            " Campos. Depois choveu.",
            "pt",
            "Quantos invernos aguenta a ponte?",
        ),
    ],
)
def test_quoted_speech_is_whole_in_the_marks_of_each_language(
    text: str, language: str, question: str
) -> None:
    said = quotes(answer(question, article("rat", text, language=language)))[0]
    assert said.count("“") == said.count("”")
    assert said.count("«") == said.count("»")
    assert "old" in said or "velha" in said


def test_two_paragraphs_are_never_one_quote() -> None:
    text = "Der Direktor Paul Lenz geht im Mai in Rente.\n\nDie Gegner des Baus nannten das einen Sieg."
    said = quotes(answer("Wann geht der Direktor Paul Lenz in Rente?", article("klinik", text)))
    assert said[0] == "Der Direktor Paul Lenz geht im Mai in Rente."


def test_pull_quote_keeps_the_line_that_names_its_speaker() -> None:
    detail = ", ".join(f"das {n}. Siel" for n in range(1, 16))  # too long to take the next sentence along
    said = f"„Der Deich hält hohe Fluten aus, und ebenso {detail}.“\nWiebke Harms, Deichgräfin von Moorhafen"
    text = f"Im Herbst folgt die Prüfung der Anlagen.\n{said}\nDanach entscheidet der Rat über das Geld."
    assert quotes(answer("Hält der Deich hohe Fluten aus?", article("deich", text))) == [said]


PLANS = (
    "Die Stadt plant am Kai drei Neuerungen:\nEine Rampe, ein Geländer und neue Lampen sollen bis Mai "
    "fertig sein.\nAnwohner klagen über Lärm. Der Rat tagt im Juni."
)


def test_colon_takes_what_it_announces() -> None:
    first = quotes(answer("Was plant die Stadt am Kai?", article("kai", PLANS)))[0]
    assert first.startswith(
        "Die Stadt plant am Kai drei Neuerungen:\nEine Rampe, ein Geländer und neue Lampen"
    )


@pytest.mark.parametrize(
    ("question", "text"),
    [
        pytest.param(
            "Wie lange leuchten die Laternen?",
            LIGHTS.replace("„Die", "„Wir sparen Strom. Die"),
            id="middle of a quotation",
        ),
        pytest.param("Welche Neuerungen: Rampe, Geländer, Lampen?", PLANS, id="behind a colon"),
    ],
)
def test_no_word_is_quoted_twice(question: str, text: str) -> None:
    cited = sorted((c.start, c.end) for c in answer(question, article("a", text)).citations)
    assert all(one[1] <= two[0] for one, two in pairwise(cited))


def test_quotation_in_english_marks_is_not_extended_to_what_stands_before() -> None:
    text = (
        "Am Hafen wird gebaut. Der Kran ist neu. Die Mole bleibt offen. “Der Deich hält hohe Fluten aus”, "
        "sagte Deichgräfin Wiebke Harms. Im Herbst folgt die Prüfung."
    )
    first = quotes(answer("Hält der Deich hohe Fluten aus?", article("deich", text)))[0]
    assert first.startswith("“Der Deich hält")


def test_quotation_too_long_for_an_answer_is_cut_to_the_sentence() -> None:
    filler = "Wir haben lange darüber gesprochen, mit allen Fraktionen und Vereinen der Stadt. " * 9
    text = (
        f"„{filler}Die Laternen leuchten künftig bis Mitternacht. {filler}Das ist gut so“, sagte Tamme Voss."
    )
    draft = answer("Wie lange leuchten die Laternen künftig?", article("licht", text), words=400)
    assert "Die Laternen leuchten künftig bis Mitternacht." in quotes(draft)[0]
    assert sum(len(quote.split()) for quote in quotes(draft)) <= MOST_WORDS


# --- several articles ----------------------------------------------------------------------------

UNRELATED = "Auf dem Fischmarkt gab es am Sonnabend Schollen, Krabben und Räucheraal zu sehen."


def test_what_two_articles_say_alike_is_quoted_once() -> None:
    same = "Die Kaimauer von Moorhafen wird ab Montag für 3 Millionen Euro saniert."
    copy = "Ab Montag wird die Kaimauer von Moorhafen für 3 Millionen Euro endlich saniert."
    first = article("eins", f"{same} Der Verkehr fließt.", outlet="Küstenkurier")
    second = article("zwei", f"{copy} Im Café ist Ruhe.", outlet="Moorhafener Bote")
    draft = answer("Wann wird die Kaimauer saniert?", first, second)
    assert sum("Kaimauer" in quote for quote in quotes(draft)) == 1
    assert {c.article_id for c in (*draft.citations, *draft.further)} == {"eins", "zwei"}


def test_two_articles_that_contradict_each_other_are_both_quoted() -> None:
    first = article("eins", "Die Sanierung der Kaimauer kostet 24 Millionen Euro.")
    second = article("zwei", f"{UNRELATED} Die Sanierung der Kaimauer kostet 31 Millionen Euro.")
    draft = answer("Was kostet die Sanierung der Kaimauer?", first, second)
    assert {c.article_id for c in draft.citations} == {"eins", "zwei"}


@pytest.mark.parametrize(
    "before",
    [
        UNRELATED,
        pytest.param(
            "",
            id="same offsets",
        ),
    ],
)
def test_a_second_article_that_adds_something_is_quoted_too(before: str) -> None:
    first = article(
        "eins", f"{before} Die Kaimauer wird saniert, weil Muscheln das Mauerwerk zerstört haben."
    )
    second = article("zwei", "Saniert wird die Kaimauer, weil Schiffe sie unterspülen, sagt Lotse Jan Ubben.")
    draft = answer("Warum wird die Kaimauer saniert?", first, second)
    assert {c.article_id for c in draft.citations} == {"eins", "zwei"}


def test_much_weaker_sentences_are_left_to_further_reading() -> None:
    draft = answer("Wer dirigiert die Konzerte in der Speicherhalle?", *DOSSIER)
    assert {c.article_id for c in draft.citations} == {"konzert"}
    assert "konzert" not in {c.article_id for c in draft.further}


FERRY = article(
    "faehre",
    "Die Fähre nach Moorhafen braucht 25 Minuten. An Bord gibt es Kaffee und Kuchen. Der Kapitän der Fähre "
    "grüßt jeden Gast. Im Winter fährt die Fähre nur bis 16 Uhr.",
)


def test_a_question_for_a_value_gets_no_sentence_that_cannot_be_it() -> None:
    draft = answer("Wie viele Minuten braucht die Fähre nach Moorhafen?", FERRY)
    assert quotes(draft) == ["Die Fähre nach Moorhafen braucht 25 Minuten."]


def test_two_values_for_the_same_are_both_told() -> None:
    other = article("chronik", "Die Fähre nach Moorhafen braucht laut Chronik 40 Minuten. So steht es dort.")
    draft = answer("Wie viele Minuten braucht die Fähre nach Moorhafen?", FERRY, other)
    assert "25 Minuten" in draft.text
    assert "40 Minuten" in draft.text


def test_a_question_for_several_things_still_collects() -> None:
    sides = [
        article("rat", "Der Rat fordert für den Hafen eine neue Mauer. Der Haushalt ist knapp."),
        article("fischer", "Die Fischer fordern für den Hafen mehr Liegeplätze. Der Fang geht zurück."),
    ]
    draft = answer("Welche Forderungen gibt es für den Hafen?", *sides)
    assert {c.article_id for c in draft.citations} == {"rat", "fischer"}


# --- the nearest places --------------------------------------------------------------------------


def test_places_far_behind_the_best_are_not_named() -> None:
    found = candidates_for("Wie viele Schafe verlor der Schäfer Arne Petersen?", *DOSSIER)
    assert {candidate.article.id for candidate in found} > {"wolf"}
    assert [c.article_id for c in nearest(found)] == ["wolf"]


def test_nearest_places_are_the_best_sentence_of_each_chunk() -> None:
    found = candidates_for(
        "Wer dirigiert die Konzerte?",
        *(
            article(f"konzert-{name}", f"{name} dirigiert die Konzerte.")
            for name in ("Ada", "Bea", "Cleo", "Dora")
        ),
    )
    places = nearest(found)
    assert [c.number for c in places] == [1, 2, 3]
    assert len({c.article_id for c in places}) == 3
    assert places[0].quote == found[0].text


def test_nearest_places_leave_out_what_was_said() -> None:
    found = candidates_for("Wer dirigiert die Konzerte?", *DOSSIER)
    assert "konzert" not in {c.article_id for c in nearest(found, found[:1])}


def test_asides_are_never_quoted() -> None:
    text = "▲ Orchester in der Speicherhalle. Foto: Archiv\n\n" + CONCERT.text + "\n\nKommentar verfassen"
    caption, footer = "▲ Orchester in der Speicherhalle. Foto: Archiv", "Kommentar verfassen"
    marked = [aside(text, caption, "caption"), aside(text, footer, "footer")]
    shown = article("konzert", text, asides=marked)
    draft = answer("Welches Foto zeigt das Orchester in der Speicherhalle?", shown, BRIDGE)
    assert draft.citations
    for cited in (*draft.citations, *draft.further):
        assert "Foto" not in cited.quote
        assert "Kommentar" not in cited.quote


def test_ranking_is_left_as_it_was() -> None:
    found = candidates_for("Wer dirigiert die Konzerte?", *DOSSIER)
    before = list(found)
    assert compose(found) == compose(found)
    assert found == before
    assert ranked("Wer dirigiert die Konzerte?", *DOSSIER).hits


# --- who speaks ----------------------------------------------------------------------------------

SPEECH = (
    "„Die Brücke war nie für Lastwagen gedacht. Ihre Pfeiler stehen auf morschem Eichenholz."
    " Das wird teuer“, sagte Baurätin Inken Voss der Zeitung. Der Rat berät im Mai."
)


def test_a_sentence_inside_a_quotation_keeps_its_speaker() -> None:
    draft = answer("Worauf stehen die Pfeiler der Brücke?", article("rede", SPEECH))
    assert "morschem Eichenholz" in draft.citations[0].quote
    assert "sagte Baurätin Inken Voss der Zeitung." in draft.citations[0].quote


def test_a_speaker_named_before_the_quotation_is_kept_too() -> None:
    text = SPEECH.replace(" teuer“, sagte Baurätin Inken Voss der Zeitung.", " teuer.“")
    draft = answer(
        "Worauf stehen die Pfeiler?", article("rede", text.replace("„Die", "Inken Voss sagte: „Die"))
    )
    assert draft.citations[0].quote.startswith("Inken Voss sagte:")


def test_no_caption_is_quoted_to_reach_the_speaker() -> None:
    caption = "Foto: Archiv"
    text = SPEECH.replace("Eichenholz. Das", f"Eichenholz.\n\n{caption}\n\nDas")
    shown = article("rede", text, asides=[aside(text, caption, "caption")])
    draft = answer("Worauf stehen die Pfeiler der Brücke?", shown)
    assert "morschem Eichenholz" in draft.citations[0].quote
    assert caption not in draft.text


def test_a_quote_that_opens_with_a_pronoun_brings_the_sentence_that_names_whom_it_means() -> None:
    text = (
        "Der Rat tagte bis in die Nacht. In Moorhafen verhandelte eine Abordnung aus Bremen. "
        "Ihr gehörten zwei Kapitäne und ein Lotse an. Danach gab es Suppe."
    )
    found = candidates_for("Welche Kapitäne und Lotsen gehörten dazu?", article("rat", text, language="de"))
    draft = compose(found, "Welche Kapitäne und Lotsen gehörten dazu?")
    assert draft.citations[0].quote.startswith(
        "In Moorhafen verhandelte eine Abordnung aus Bremen. Ihr gehörten"
    )
