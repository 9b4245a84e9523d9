"""Protects the verdict on a sentence: supported by words that say all of it."""

from __future__ import annotations

from datetime import date

import pytest

from ingest.chunking import chunk_article
from rag.question.query import Concept
from rag.schema import Status
from rag.verification.support import Claim, Source, Support, support, together
from tests.dossier import article

TEXT = """Der Stadtrat von Moorhafen hat am Freitag nach dreistündiger Debatte den Wärmeplan verabschiedet. \
Die Vorlage wurde mit 38 gegen 21 Stimmen angenommen. Kämmerin Jana Voß bezifferte die Kosten auf \
612 Millionen Euro. Die Opposition nannte die Finanzierung „auf Kante genäht“. Einen Anschlusszwang \
gibt es laut Satzung nicht. Bürgermeister Harm Thedinga dankte den Stadtwerken für ihre Arbeit."""
PUBLISHED = date(2025, 3, 15)  # a Saturday


def evenly(_: Concept) -> float:
    return 1.0


def source() -> Source:
    plan = article("plan", TEXT, title="Rat beschließt Wärmeplan", published=PUBLISHED, language="de")
    [chunk] = chunk_article(plan, 120)
    return Source(plan, chunk)


def found(sentence: str, aim: int | None = None) -> Support:
    return support(Claim(sentence, evenly), source(), aim)


@pytest.mark.parametrize(
    ("sentence", "status"),
    [
        ("Der Stadtrat von Moorhafen verabschiedete den Wärmeplan nach dreistündiger Debatte.", "supported"),
        ("Der Wärmeplan wurde vom Stadtrat am 14. März 2025 verabschiedet.", "supported"),
        ("Die Vorlage wurde mit 38 gegen 21 Stimmen angenommen.", "supported"),
        ("Jana Voß bezifferte die Kosten auf 612 Mio. Euro.", "supported"),
        ("Die Opposition nannte die Finanzierung „auf Kante genäht“.", "supported"),
        ("Einen Anschlusszwang gibt es nicht.", "supported"),
        ("Jana Voß bezifferte die Kosten auf 621 Millionen Euro.", "unsupported"),
        ("Der Stadtrat verabschiedete den Wärmeplan nach vierstündiger Debatte.", "unsupported"),
        ("Der Stadtrat verabschiedete den Wärmeplan am 15. März.", "unsupported"),
        ("Die Opposition nannte die Finanzierung „kühn gerechnet“.", "unsupported"),
        ("Die Apfelernte fiel in diesem Herbst besonders reich aus.", "unsupported"),
        ("Harm Thedinga bezifferte die Kosten auf 612 Millionen Euro.", "weak"),
        ("Einen Anschlusszwang gibt es laut Satzung.", "weak"),
        ("Die Vorlage wurde nicht mit 38 gegen 21 Stimmen angenommen.", "weak"),
        ("The costs are 612 million euros, says Jana Voß.", "weak"),
        ("The costs are 600 million euros, says Jana Voß.", "unsupported"),
    ],
)
def test_status_of_a_sentence(sentence: str, status: Status) -> None:
    assert found(sentence).status == status


def verdict(claim: str, words: str) -> Status:
    """The status of a claim against a passage of these words."""
    told = article("kurz", words, language="de")
    [chunk] = chunk_article(told, 120)
    return support(Claim(claim, evenly), Source(told, chunk)).status


@pytest.mark.parametrize(
    ("words", "right", "wrong"),
    [
        (
            "Am Abend nahm Brandstätter Thedinga am Hafen in Empfang.",
            "Brandstätter nahm Thedinga am Hafen in Empfang.",
            "Am Abend nahm Thedinga Brandstätter am Hafen in Empfang.",
        ),
        (
            "Eine Lösung macht Moorhafen von Zugeständnissen Osterdeichs abhängig.",
            "Moorhafen macht eine Lösung von Zugeständnissen Osterdeichs abhängig.",
            "Eine Lösung macht Osterdeich von Zugeständnissen Moorhafens abhängig.",
        ),
        (
            "Der Rat redet von einem Versuch und nicht von einem Umbau.",
            "Der Rat redet nicht von einem Umbau und von einem Versuch.",
            "Der Rat redet von einem Umbau und nicht von einem Versuch.",
        ),
    ],
)
def test_names_that_have_changed_places_are_not_supported(words: str, right: str, wrong: str) -> None:
    assert verdict(right, words) == "supported"
    assert verdict(wrong, words) == "weak"


def test_name_behind_a_pronoun_counts_as_said() -> None:
    words = "Harm Thedinga kam am Montag. Dann besuchte er das Klinikum in Osterdeich."
    assert verdict("Harm Thedinga besuchte das Klinikum in Osterdeich.", words) == "supported"
    words = "Harm Thedinga kam am Montag. Dann besuchte Ines Brandt das Klinikum in Osterdeich."
    assert verdict("Harm Thedinga besuchte das Klinikum in Osterdeich, und Jana Voß auch.", words) == "weak"


def test_the_cited_words_are_those_that_say_it() -> None:
    start, end = found("Jana Voß bezifferte die Kosten auf 612 Millionen Euro.").span
    assert TEXT[start:end] == "Kämmerin Jana Voß bezifferte die Kosten auf 612 Millionen Euro."


def test_two_sentences_are_cited_where_one_does_not_say_it_all() -> None:
    start, end = found("Die Vorlage zu 612 Millionen Euro wurde mit 38 gegen 21 Stimmen angenommen.").span
    assert TEXT[start:end].startswith("Die Vorlage")
    assert TEXT[start:end].endswith("612 Millionen Euro.")


def test_number_elsewhere_in_the_passage_is_weak_not_unsupported() -> None:
    assert found("Bürgermeister Harm Thedinga dankte 38 Stadtwerken.").status == "weak"


def test_number_that_the_cited_words_have_otherwise_is_unsupported_wherever_else_it_stands() -> None:
    words = (
        "Sieben Monate dauerte der Bau. Der Weg dahin war lang. Viele Anwohner klagten laut. "
        "Harm Thedinga reiste fünfmal nach Osterdeich."
    )
    assert verdict("Harm Thedinga reiste fünfmal nach Osterdeich.", words) == "supported"
    assert verdict("Harm Thedinga reiste siebenmal nach Osterdeich.", words) == "unsupported"


def test_in_another_language_the_sentence_that_was_pointed_at_is_cited() -> None:
    start, end = found("The treasurer put the price at 612 million euros.", aim=2).span
    assert TEXT[start:end] == "Kämmerin Jana Voß bezifferte die Kosten auf 612 Millionen Euro."


def test_aim_decides_between_sentences_that_say_as_much() -> None:
    text = "Der Rat tagte am Abend im Rathaus. Am Abend im Rathaus tagte der Rat."
    twice = article("zwei", text, language="de")
    [chunk] = chunk_article(twice, 120)
    claim = Claim("Der Rat tagte am Abend im Rathaus.", evenly)
    spans = [support(claim, Source(twice, chunk), aim).span for aim in (0, 1)]
    assert spans == list(chunk.sentences)


def test_two_passages_may_support_a_sentence_together() -> None:
    other = article("preis", "Die Fernwärme kostet 2026 etwa 13,8 Cent je Kilowattstunde.", language="de")
    [chunk] = chunk_article(other, 120)
    sources = [source(), Source(other, chunk)]
    claim = Claim(
        "Einen Anschlusszwang gibt es nicht, und die Fernwärme kostet 13,8 Cent je Kilowattstunde.", evenly
    )
    alone = [support(claim, each) for each in sources]
    assert [each.status for each in alone] != ["supported", "supported"]
    assert together(claim, sources, alone) == "supported"


ENGLISH = """Moorhaven city council passed the heat plan on Friday after a three-hour debate. The bill was \
adopted by 38 votes to 21. Treasurer Jana Voss put the costs at 612 million euros. The statute does not make \
a connection compulsory. Kesley has sued Brandon over the pipes."""


@pytest.mark.parametrize(
    ("sentence", "status"),
    [
        ("The council of Moorhaven passed the heat plan after a three-hour debate.", "supported"),
        ("The heat plan was passed by the council on 14 March 2025.", "supported"),
        ("The costs were put at 612 million euros by Jana Voss.", "supported"),
        ("A connection is not compulsory.", "supported"),
        ("Brandon was sued by Kesley over the pipes.", "supported"),
        ("Kesley was sued by Brandon over the pipes.", "weak"),
        ("Brandon has sued Kesley over the pipes.", "weak"),
        ("The statute makes a connection compulsory.", "weak"),
        ("Jana Voss put the costs at 621 million euros.", "unsupported"),
        ("The council passed the heat plan on March 15.", "unsupported"),
        ("Die Kosten betragen 612 Millionen Euro, sagt Jana Voss.", "weak"),
    ],
)
def test_a_sentence_is_checked_in_the_language_of_the_article(sentence: str, status: Status) -> None:
    plan = article("plan", ENGLISH, title="Council adopts heat plan", published=PUBLISHED, language="en")
    [chunk] = chunk_article(plan, 120)
    assert support(Claim(sentence, evenly), Source(plan, chunk)).status == status


# --- in another language than the source

VISIT = "Witkoff reiste fünfmal nach Russland und traf dort Putin. Eine Einigung gab es nicht."


@pytest.mark.parametrize(
    ("claim", "cosine", "status"),
    [
        ("Witkoff travelled to Russia five times.", 0.93, "supported"),
        ("Witkoff travelled to Russia five times.", 0.85, "weak"),
        ("Witkoff travelled to Russia seven times.", 0.99, "unsupported"),
        ("Witkoff never travelled to Russia.", 0.99, "weak"),
        ("Kellogg travelled to Russia five times.", 0.99, "weak"),
        ("Putin met Witkoff in Russia.", 0.99, "weak"),
    ],
)
def test_another_language_is_supported_by_its_sense_where_facts_names_and_roles_agree(
    claim: str, cosine: float, status: str
) -> None:
    place = article("reise", VISIT, language="de")
    [chunk] = chunk_article(place, 120)
    found = support(Claim(claim, lambda _: 1.0, lambda _one, _other: cosine), Source(place, chunk), 0)
    assert found.status == status


@pytest.mark.parametrize(
    ("claim", "source"),
    [
        ("Moskau blieb gegenüber den Europäern hart.", "Die Europäer blieben gegenüber Moskau hart."),
        ("Die Ukraine fordert von Russland Land.", "Russland fordert von der Ukraine Land."),
        ("Kesley sold land to Wade.", "Wade sold land to Kesley."),
    ],
)
def test_nouns_that_have_changed_their_prepositions_have_changed_their_roles(claim: str, source: str) -> None:
    place = article("rollen", source, language="en" if "sold" in source else "de")
    [chunk] = chunk_article(place, 120)
    assert support(Claim(claim, lambda _: 1.0), Source(place, chunk)).status == "weak"
    assert support(Claim(source, lambda _: 1.0), Source(place, chunk)).status == "supported"
