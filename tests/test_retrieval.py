"""Protects the search: the passage that answers comes first, in whatever language it is asked for."""

from __future__ import annotations

from itertools import pairwise

import pytest

from rag.question.query import understand
from rag.retrieval.retriever import Nearness, Ranking
from rag.store.library import Library
from tests.dossier import BRIDGE, CONCERT, DOSSIER, WOLF, article, index_of, ranked

QUESTIONS = {
    "Welche Schäden fanden Gutachter an der Klappbrücke?": "bruecke",
    "Wer dirigiert die Konzerte in der Speicherhalle?": "konzert",
    "Wie viele Tonnen Äpfel ernten die Obstbauern?": "apfelernte",
    "Warum wird der Wolf nicht geschossen?": "wolf",
    "Wer leitet die Bücherei?": "buecherei",
}
FOREIGN = {
    "How much does the repair of the bridge cost?": "bruecke",
    "Where did the wolf kill the sheep?": "wolf",
    "Who directs the library at the market?": "buecherei",
    "Combien coûte la réparation du pont ?": "bruecke",
    "Qui dirige la bibliothèque ?": "buecherei",
    "Quanto custa a reparação da ponte?": "bruecke",
    "Quem dirige a biblioteca?": "buecherei",
    "Скільки коштує ремонт мосту?": "bruecke",
    "Хто керує бібліотекою?": "buecherei",
}


def found(ranking: Ranking) -> list[str]:
    return [hit.passage.article.id for hit in ranking.hits]


def scores(ranking: Ranking) -> list[float]:
    return [hit.passage.score for hit in ranking.hits]


@pytest.mark.parametrize(("question", "expected"), QUESTIONS.items())
def test_passage_that_answers_comes_first(question: str, expected: str) -> None:
    assert found(ranked(question, *DOSSIER))[0] == expected


@pytest.mark.parametrize(("question", "expected"), FOREIGN.items())
def test_question_in_another_language_finds_the_german_passage(question: str, expected: str) -> None:
    assert understand(question).language != "de"
    assert found(ranked(question, *DOSSIER))[0] == expected


@pytest.mark.parametrize(
    "spelling",
    ["Tschumatschenko", "Chumachenko", "Tchoumatchenko", "Czumaczenko", "Čumačenko", "Чумаченко"],
)
def test_name_is_found_in_any_spelling(spelling: str) -> None:
    assert found(ranked(f"Wo wurde {spelling} geboren?", *DOSSIER))[0] == "konzert"


@pytest.mark.parametrize("question", [*QUESTIONS, *FOREIGN, "Wie heißt die Hauptstadt von Peru?"])
def test_scores_are_sorted_and_between_zero_and_one(question: str) -> None:
    ranking = ranked(question, *DOSSIER)
    assert all(0 < score <= 1 for score in scores(ranking))
    assert all(one >= two for one, two in pairwise(scores(ranking)))


def test_a_passages_own_words_score_high_and_never_above_one() -> None:
    own = ranked(BRIDGE.text, *DOSSIER)
    assert found(own)[0] == "bruecke"
    assert 0.4 < scores(own)[0] <= 1


def test_scores_compare_across_questions() -> None:
    covered = ranked("Wer dirigiert die Konzerte?", *DOSSIER)
    half = ranked("Wer dirigiert die Konzerte in Singapur?", *DOSSIER)
    nothing = ranked("Wer regiert Singapur?", *DOSSIER)
    assert scores(covered)[0] > scores(half)[0] > max(scores(nothing), default=0.0)


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("Was stand am 17. Mai 2024 in der Zeitung?", "konzert"),
        ("Welche Zeitung titelte vom siebten Tag?", "buecherei"),
        ("Was schrieb Jette Lürsen?", "bruecke"),
    ],
)
def test_title_author_and_date_are_searchable(question: str, expected: str) -> None:
    assert found(ranked(question, *DOSSIER))[0] == expected


@pytest.mark.parametrize(
    "question",
    [
        "Wann beginnt die Ernte der Äpfel?",  # a part of the compound
        "Wer hat die Apfelernten gezählt?",  # another form
        "Fror es bei der Apfelernte?",
    ],
)
def test_other_forms_and_parts_of_a_compound_are_found(question: str) -> None:
    assert found(ranked(question, *DOSSIER))[0] == "apfelernte"


@pytest.mark.parametrize("form", ["verlor", "verliert", "verlieren", "verloren"])
def test_forms_of_a_strong_verb_are_one(form: str) -> None:
    other = article("gewinn", "Schäfer Jan Ubben gewann in drei Nächten elf Preise beim Kartenspiel.")
    ranking = ranked(f"Wer hat hier etwas {form}?", other, WOLF)
    assert found(ranking)[0] == "wolf"


@pytest.mark.parametrize("k", [1, 2, 3])
def test_at_most_k_passages_and_the_best_ones(k: int) -> None:
    question = "Was schreibt der Moorhafener Bote über die Karten?"
    assert found(ranked(question, *DOSSIER, k=k)) == found(ranked(question, *DOSSIER))[:k]
    assert len(ranked(question, *DOSSIER, k=k).hits) == k


def test_passage_inside_a_long_article_is_found() -> None:
    filler = "Der Rat sprach über Haushalt, Personal und Satzungen, ohne etwas zu entscheiden. "
    needle = "Im Hafenbecken liegt ein Anker aus dem Jahr 1702. "
    long = article("lang", filler * 20 + needle + filler * 20)
    ranking = ranked("Wie alt ist der Anker im Hafenbecken?", long, *DOSSIER, words=40)
    assert needle.strip() in ranking.hits[0].passage.chunk.text
    assert len(ranking.hits[0].passage.chunk.text.split()) <= 60


def test_words_in_neighbouring_sentences_count_more_than_scattered_ones() -> None:
    light, nets = "Im Speicher brennt noch Licht.", "Jemand flickt die Netze."
    council, noise = "Der Rat tagte am Montag.", "Danach ging es um Lärm."
    scattered = article("weit", f"{light} {council} {noise} {nets}")
    together = article("nah", f"{council} {light} {nets} {noise}")
    assert found(ranked("Wer flickt im Speicher Netze?", scattered, together)) == ["nah", "weit"]


def test_matrix_says_which_sentence_covers_which_concept() -> None:
    hit = ranked("Wo wurde Tschumatschenko geboren?", *DOSSIER).hits[0]
    name, born = 0, 1  # in the order of the question
    assert hit.matrix.shape == (len(hit.passage.chunk.sentences), 2)
    assert hit.matrix[:, name].argmax() == 1
    assert hit.matrix[:, born].argmax() == 2


def test_chunk_that_the_library_no_longer_has_is_never_served() -> None:
    retriever = index_of(*DOSSIER)
    (chunk,) = [each.id for each in retriever.library.chunks_of("konzert")]
    near = Nearness(0.5, {chunk: 1.0, "konzert#gone#0": 1.0})
    query = understand("Wer dirigiert die Konzerte?")
    assert found(retriever.rank(query, 20, near))[0] == "konzert"
    with Library.open(retriever.library.path.parent) as library:
        library.replace(removed=["konzert"])
    assert "konzert" not in found(retriever.rank(query, 20, near))


def test_a_passage_near_in_meaning_is_found_without_a_word_of_the_question() -> None:
    retriever = index_of(*DOSSIER)
    (chunk,) = [each.id for each in retriever.library.chunks_of("konzert")]
    assert found(retriever.rank(understand("Xylqua?"), 20, Nearness(0.5, {chunk: 1.0}))) == ["konzert"]


def test_only_the_articles_that_count_are_ranked() -> None:
    query = understand("Wer dirigiert die Konzerte, und was ist mit der Brücke?")
    assert found(index_of(*DOSSIER).rank(query, 20, only=["bruecke"])) == ["bruecke"]


@pytest.mark.parametrize("question", [*list(QUESTIONS)[:1], *list(FOREIGN)[:1], "Was ist das?", "?!", "42"])
def test_empty_index_finds_nothing(question: str) -> None:
    ranking = index_of().rank(understand(question), 20)
    assert ranking.hits == ()
    assert len(ranking.idf) == len(ranking.query.concepts)


def test_article_that_is_nothing_but_asides_finds_nothing() -> None:
    empty = article("leer", "", title="Klappbrücke")
    assert index_of(empty).rank(understand("Was ist mit der Klappbrücke?"), 20).hits == ()


@pytest.mark.parametrize(
    "question",
    ["Was ist das?", "What is that?", "Qu’est-ce que c’est ?", "O que é isso?", "?!", "…", "Xylqua Brzwnk"],
)
def test_question_without_words_of_the_articles_finds_nothing(question: str) -> None:
    assert ranked(question, *DOSSIER).hits == ()


def test_context_counts_but_less_than_the_question() -> None:
    index = index_of(BRIDGE, CONCERT)
    asked = understand("Wer dirigiert?", contexts=[("Die Klappbrücke hat Risse.", 0.3)])
    assert found(index.rank(asked, 20)) == ["konzert", "bruecke"]
