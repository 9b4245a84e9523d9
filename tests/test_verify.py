"""Protects what becomes of a model's sentences: checked, renumbered, mended where one place says it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ingest.chunking import chunk_article
from rag.answering.stream import CUT_OFF, LOOPED, Writing
from rag.models.chat import End
from rag.models.dialect import Restarted
from rag.question.query import Concept
from rag.schema import Article, Passage, Statement
from rag.verification.verify import Verifier
from tests.dossier import article

PLAN = article(
    "plan",
    "Der Stadtrat hat den Wärmeplan verabschiedet. Die Vorlage wurde mit 38 gegen 21 Stimmen angenommen.",
    language="de",
)
COSTS = article("kosten", "Kämmerin Jana Voß bezifferte die Kosten auf 612 Millionen Euro.", language="de")
WOLF = article(
    "wolf", "Ein Wolf riss in der Heide sieben Schafe. Der Schäfer fordert Hilfe vom Land.", language="de"
)
VOTED = "Die Vorlage wurde mit 38 gegen 21 Stimmen angenommen"
PRICED = "Jana Voß bezifferte die Kosten auf 612 Millionen Euro"


def evenly(_: Concept) -> float:
    return 1.0


def passages(*articles: Article) -> list[Passage]:
    return [Passage(chunk, each, 1.0) for each in articles for chunk in chunk_article(each, 120)]


def write(text: str, *articles: Article, reason: str = "stop", size: int = 7) -> tuple[Writing, str]:
    """A reply of a model over these passages, checked; and all that was shown while it came."""
    writing = Writing(Verifier(passages(*(articles or (PLAN, COSTS, WOLF))), evenly))
    deltas = [text[i : i + size] for i in range(0, len(text), size)]
    shown = "".join(writing.run(iter([*deltas, End(reason, {"prompt_tokens": 5.0})])))
    return writing, shown


def statuses(writing: Writing) -> list[str]:
    return [statement.status for statement in writing.statements]


def test_citations_are_numbered_as_they_appear_and_cut_out_of_the_article() -> None:
    writing, shown = write(f"{PRICED} [2]. {VOTED} [1.2].")
    assert writing.text == shown == f"{PRICED} [1]. {VOTED} [2]."
    assert [(c.number, c.article_id, c.quote) for c in writing.citations] == [
        (1, "kosten", COSTS.text),
        (2, "plan", f"{VOTED}."),
    ]
    assert statuses(writing) == ["supported", "supported"]


def test_a_number_before_its_sentence_is_shown_behind_it() -> None:
    writing, shown = write(f"[1.2] {VOTED}.\n[2.1] {PRICED}.")
    assert writing.text == shown == f"{VOTED} [1].\n{PRICED} [2]."
    assert statuses(writing) == ["supported", "supported"]


def test_statements_say_where_they_stand_in_the_text() -> None:
    writing, _ = write(f"{PRICED} [2].\n\n{VOTED} [1].")
    assert [writing.text[s.start : s.end] for s in writing.statements] == [f"{PRICED} [1].", f"{VOTED} [2]."]
    assert [s.text for s in writing.statements] == [f"{PRICED}.", f"{VOTED}."]


def test_the_same_place_keeps_its_number() -> None:
    writing, _ = write(f"{VOTED} [1]. Angenommen wurde die Vorlage mit 38 gegen 21 Stimmen [1.2][1].")
    assert writing.text.count("[1]") == 2
    assert len(writing.citations) == 1


def test_invented_number_is_dropped_with_its_reason() -> None:
    writing, _ = write(f"{VOTED} [1][7]. {PRICED} [0, 2].")
    assert writing.text == f"{VOTED} [1]. {PRICED} [2]."
    assert [reason.partition(":")[0] for reason in writing.dropped] == ["[7]", "[0]"]


def test_range_that_is_too_wide_is_dropped_with_its_reason() -> None:
    writing, _ = write(f"{VOTED} [1-9] [1].")
    assert writing.text == f"{VOTED} [1]."
    assert writing.dropped == ["[1-9]: no range of at most five passages"]


def test_changed_number_is_unsupported() -> None:
    writing, _ = write("Die Vorlage wurde mit 48 gegen 21 Stimmen angenommen [1].")
    assert statuses(writing) == ["unsupported"]
    assert writing.citations[0].status == "unsupported"


def test_claim_without_a_citation_that_no_passage_says_is_unsupported_and_gets_none() -> None:
    writing, _ = write(f"Die Vorlage wurde einstimmig abgelehnt. {PRICED} [2].")
    assert statuses(writing) == ["unsupported", "supported"]
    assert writing.statements[0].citations == ()


def test_claim_without_a_citation_is_given_one_where_one_passage_alone_says_it() -> None:
    again = article("wieder", f"In der Sitzung hieß es: {PRICED}.", language="de")
    writing, _ = write(f"{VOTED}. {PRICED}.", PLAN, COSTS, again)
    assert statuses(writing) == ["supported", "unsupported"]
    assert writing.text == f"{VOTED} [1]. {PRICED}."
    assert writing.statements[0].repaired


def test_citation_at_the_end_of_a_paragraph_counts_for_the_sentences_before_it() -> None:
    again = article("wieder", f"In der Sitzung hieß es: {PRICED}.", language="de")
    said = f"{PRICED}. Der Schäfer wohnt in Rom. Die Kosten bezifferte sie auf 612 Millionen Euro [2]."
    writing, _ = write(said, PLAN, COSTS, WOLF, again)
    assert statuses(writing) == ["supported", "unsupported", "supported"]
    assert writing.statements[0].repaired
    below, _ = write(said.replace(". Der", ".\n\nDer"), PLAN, COSTS, WOLF, again)
    assert statuses(below)[0] == "unsupported"


@pytest.mark.parametrize("written", ["(1)", "(1.2)", " (1.2) "])
def test_number_in_parentheses_points_where_the_passage_says_so(written: str) -> None:
    writing, _ = write(f"{VOTED} {written}.")
    assert (writing.text, statuses(writing)) == (f"{VOTED} [1].", ["supported"])


def test_number_in_parentheses_that_is_an_age_is_left() -> None:
    kid = article("kind", "Beim Fest gewann die Schülerin Pia Kohl (7) den Lauf vor allen anderen.")
    writing, _ = write("Den Lauf gewann beim Fest vor allen anderen die Schülerin Pia Kohl (7).", kid)
    assert "(7)" in writing.text
    assert statuses(writing) == ["supported"]


@pytest.mark.parametrize("title", ["Der Plan steht", "Die Kommunen suchen einen Plan", "2024 · 2024 · 2024"])
def test_a_head_of_a_passage_copied_more_or_less_is_shown_at_no_time(title: str) -> None:
    plan = replace(PLAN, outlet="Küstenkurier", title="Der Plan steht")
    writing, shown = write(f"{plan.outlet} · 2024-03-04 · {title}\n{VOTED} [1].", plan)
    assert writing.text == shown.strip() == f"{VOTED} [1]."
    writing, shown = write(f"{plan.outlet}: {VOTED} [1].", plan)
    assert writing.text == shown == f"{plan.outlet}: {VOTED} [1]."


@pytest.mark.parametrize(
    "again", [f"{VOTED} [1]. ", "Der Rat tagte bis in die Nacht hinein. Alle sangen Lieder. "]
)
def test_a_loop_ends_the_reply(again: str) -> None:
    unread = iter([f"{PRICED} [2]. ", *[again] * 40, End("stop")])
    writing = Writing(Verifier(passages(PLAN, COSTS, WOLF), evenly))
    list(writing.run(unread))
    assert len(list(unread)) > 30
    assert writing.text.count(again.strip()) <= 1
    assert LOOPED in writing.withheld


@pytest.mark.parametrize(
    "said",
    [
        "Die Passagen beantworten die Frage nicht.",
        "Keine Antwort.",
        "NO_ANSWER",
        "The passages do not mention who won.",
        "Ich kann diese Frage nicht beantworten.",
        "Les articles ne mentionnent pas le vainqueur.",
        "Os artigos não dizem nem mencionam quem venceu.",
        "У статтях немає відповіді на це запитання.",
    ],
)
def test_model_declines_in_words_of_its_own(said: str) -> None:
    writing, _ = write(said)
    assert writing.declined


def test_what_the_passages_do_not_say_beside_what_they_say_is_no_claim() -> None:
    writing, _ = write(f"{VOTED} [1]. Zu den Gründen sagen die Passagen nichts.")
    assert statuses(writing) == ["supported", "no claim"]
    assert not writing.declined


def test_what_was_thought_aloud_before_the_reply_is_forgotten() -> None:
    writing = Writing(Verifier(passages(PLAN, COSTS), evenly))
    list(writing.run(iter([f"Passage 1: {VOTED} [1.2]. Hm.", Restarted(), f"{PRICED} [2].", End("stop")])))
    assert writing.text == f"{PRICED} [1]."
    assert [citation.article_id for citation in writing.citations] == ["kosten"]


def test_greeting_and_introduction_are_no_claims() -> None:
    writing, _ = write(f"Gern!\nDas steht in den Artikeln:\n{VOTED} [1].")
    assert statuses(writing) == ["no claim", "no claim", "supported"]


def test_wrong_passage_is_mended_where_one_other_says_it() -> None:
    writing, shown = write(f"{PRICED} [3].")
    [statement] = writing.statements
    assert statement == Statement(f"{PRICED}.", (1,), "supported", 0, len(shown), repaired=True)
    assert writing.citations[0].article_id == "kosten"


def test_invented_number_alone_is_mended_too() -> None:
    writing, _ = write(f"{PRICED} [9].")
    assert writing.statements[0].repaired
    assert writing.citations[0].article_id == "kosten"
    assert writing.dropped


def test_nothing_is_mended_where_two_others_say_it() -> None:
    again = article("wieder", f"In der Sitzung hieß es: {PRICED}.", language="de")
    writing, _ = write(f"{PRICED} [3].", PLAN, COSTS, WOLF, again)
    assert statuses(writing) == ["unsupported"]
    assert writing.citations[0].article_id == "wolf"


def test_sentinel_declines_whatever_follows_or_surrounds_it() -> None:
    for text in ("KEINE_ANTWORT", " **KEINE_ANTWORT**.", "KEINE ANTWORT\n"):
        writing = Writing(Verifier(passages(PLAN), evenly))
        assert list(writing.run(iter([text, End("stop")]))) == []
        assert writing.declined, text
    writing = Writing(Verifier(passages(PLAN), evenly))
    assert list(writing.run(iter(["KEINE_", "ANTWORT, denn ", "das steht hier nicht.", End("stop")]))) == []
    assert writing.declined


def test_reply_that_hit_its_limit_loses_its_last_sentence_and_says_so() -> None:
    writing, _ = write(f"{PRICED} [2]. Die Vorlage wurde mit 38 gegen", reason="length")
    assert writing.text == f"{PRICED} [1]."
    assert writing.withheld == [f"Die Vorlage wurde mit 38 gegen: {CUT_OFF}"]
    assert writing.dropped == []


def test_however_the_reply_is_streamed_the_answer_is_the_same() -> None:
    text = (
        f"**{PRICED}** [2]. [Quelle 1] {VOTED}. [1] Ein Wolf riss sieben Schafe【3†x】.\n\nQuellen:\n[1] plan"
    )
    whole, _ = write(text, size=len(text))
    for size in range(1, 12):
        piecewise, _ = write(text, size=size)
        assert (piecewise.text, piecewise.statements, piecewise.citations) == (
            whole.text,
            whole.statements,
            whole.citations,
        )
