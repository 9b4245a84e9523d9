"""Answers to broad questions: sentences of the latest report near to what an answer might say.

Such a question shares no word with its answer, so sentences are compared with statements as an answer might
make them (Gao et al., "Precise Zero-Shot Dense Retrieval without Relevance Labels", ACL 2023).
"""

from collections.abc import Callable, Collection

import numpy as np

from rag.answering.extract import Candidate
from rag.models.embedder import Floats
from rag.question.broad import KINDS, Broad, answers_to
from rag.question.query import Query
from rag.retrieval.meaning import vectors_held
from rag.retrieval.retriever import Nearness, Ranking, Retriever
from rag.store.library import Library
from rag.text.analysis import language_of

ONE_STORY = 0.84
"""Least mean cosine of the beginnings of articles that tell one story: dossiers have .85 to .91, mixed news
.79."""
COMPARED, MOST_LATEST = 40, 3  # articles
ANSWER, OTHER, ASKED = 100.0, 50.0, 30.0
"""Weights of a sentence's nearness to answers of the kind, to those of the other, and to the question."""
FIRST, LATE = 4.0, 2.0
"""A report begins with the outcome, and ends with what comes next."""


def tell_one_story(library: Library) -> bool:
    """Whether the newest articles tell one story; without vectors nothing shows that."""
    first = [row for each in library.listed()[:COMPARED] for row in library.rows_of_article(each.id)[:1]]
    vectors = np.array([each.passage for each in library.vectors_of(first).values()])
    n = len(vectors)
    if n < 2:
        return n == 1
    whole = vectors.sum(axis=0)
    return float((whole @ whole - n) / (n * (n - 1))) >= ONE_STORY


def latest(library: Library, among: Collection[str]) -> list[str]:
    """Ids of the latest reports among some articles; of comments where there is nothing else."""
    listed = [each for each in library.listed() if each.id in among]
    reports = [each for each in listed if each.genre != "comment"] or listed
    return [each.id for each in reports if each.published == reports[0].published][:MOST_LATEST]


def all_of(index: Retriever, query: Query, ids: Collection[str]) -> Ranking:
    """The passages of some articles."""
    chunks = [chunk.id for id in ids for chunk in index.library.chunks_of(id)]
    return index.rank(query, len(chunks), Nearness(1.0, dict.fromkeys(chunks, 1.0)), ids)


def broadly(
    library: Library, ranking: Ranking, broad: Broad, question: str, embed: Callable[[str], Floats]
) -> list[Candidate]:
    """The sentences of a ranking, those that answer a broad question best first; none without vectors."""
    held = vectors_held(library, ranking)
    if not held:
        return []
    asked = embed(question)
    middle = np.concatenate([own.sentences for own in held]).mean(axis=0)
    begins = dict[str, int]()
    for hit in ranking.hits:
        id, (start, _) = hit.passage.article.id, hit.passage.chunk.sentences[0]
        begins[id] = min(start, begins.get(id, start))
    languages = {language_of(hit.passage.article.language) for hit in ranking.hits}
    aims = {each: _answer(broad.kind, each, embed) + ASKED * asked for each in languages}
    found = []
    for hit, own in zip(ranking.hits, held, strict=True):
        article = hit.passage.article
        aim = aims[language_of(article.language)]
        for place, (start, _) in enumerate(hit.passage.chunk.sentences):
            stands = FIRST * (start == begins[article.id]), LATE * start / len(article.text)
            score = float((own.sentences[place] - middle) @ aim) + stands[broad.kind == "next_step"]
            near = float(own.sentences[place] @ asked)
            found.append(Candidate(hit, place, score, hit.matrix[place], near))
    return sorted(found, key=lambda candidate: -candidate.score)


def _answer(kind: str, language: str, embed: Callable[[str], Floats]) -> Floats:
    """What answers of the kind have in common, and those of the other kinds have not."""
    said = {each: np.mean([embed(line) for line in answers_to(each, language)], axis=0) for each in KINDS}
    own = said.pop(kind)
    told: Floats = ANSWER * own - OTHER * np.mean(list(said.values()), axis=0)
    return told
