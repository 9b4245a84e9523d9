"""BM25 over postings in numpy, on disk by revision: weighted alternatives, comparable scores."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

import numpy as np
from numpy.typing import NDArray

from rag.analysis import ANALYSER_VERSION, grams, keys
from rag.errors import IndexDamaged
from rag.schema import Article, Chunk
from rag.text import german_date

if TYPE_CHECKING:
    from rag.library import Library

Floats = NDArray[np.float32]
WeightedTerms = Sequence[tuple[float, Sequence[str]]]
"""Alternatives for one concept of a question: a weight from 0 to 1, and the terms it consists of."""

K1 = 1.2
KEPT_REVISIONS = 2
WORDS_B, GRAMS_B = 0.75, 0.9
_ARRAYS = ("indptr", "docs", "impact")


@dataclass(frozen=True, slots=True)
class Field:
    """Postings of one field of all documents, in columns sorted by term.

    `docs[indptr[t]:indptr[t + 1]]` are the documents of term t, `impact` beside them the BM25 term
    frequency part tf / (tf + k1 (1 - b + b dl / avgdl)), 0 to 1, without the idf.
    """

    vocabulary: Mapping[str, int]
    indptr: NDArray[np.int64]
    docs: NDArray[np.int32]
    impact: Floats
    size: int

    def save(self, folder: Path) -> None:
        """Writes the field into a new folder."""
        folder.mkdir(parents=True)
        for name in _ARRAYS:
            np.save(folder / f"{name}.npy", getattr(self, name))
        (folder / "vocabulary.txt").write_text("\n".join(self.vocabulary), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path, size: int) -> Self:
        """The field that `save` wrote, for `size` documents, its arrays mapped into memory."""
        arrays = [np.load(folder / f"{name}.npy", mmap_mode="r") for name in _ARRAYS]
        text = (folder / "vocabulary.txt").read_text(encoding="utf-8")
        terms = text.split("\n") if text else []
        indptr, docs, impact = arrays
        whole = len(indptr) == len(terms) + 1 and int(indptr[-1]) == len(docs) == len(impact)
        if not whole or int(docs.max(initial=-1)) >= size:
            raise ValueError("its parts do not fit together")
        return cls({term: t for t, term in enumerate(terms)}, indptr, docs, impact, size)

    def idf(self, df: int) -> float:
        """Inverse document frequency in Lucene's form, log(1 + (N - df + .5) / (df + .5))."""
        return float(np.log1p((self.size - df + 0.5) / (df + 0.5)))

    def term_idf(self, term: str) -> float:
        """The idf of one term; largest for an unknown one."""
        return self.idf(len(self._column(term)[0]))

    def synonyms(self, alternatives: WeightedTerms) -> tuple[float, Floats]:
        """One concept said in several ways: its idf, and the share of it in each document, (size,).

        As in Pirkola's structured queries (SIGIR 1998) the alternatives count as one term with the
        document frequency of their union; a document's share is that of its best alternative.
        """
        best = np.zeros(self.size, dtype=np.float32)
        for weight, terms in alternatives:
            if len(terms) == 1:
                docs, impact = self._column(terms[0])
                best[docs] = np.maximum(best[docs], np.float32(weight) * impact)
            elif terms:
                np.maximum(best, np.float32(weight) * self._mean(terms), out=best)
        return self.idf(int(np.count_nonzero(best))), best

    def sums(self, terms: Sequence[str]) -> tuple[float, Floats]:
        """The terms' summed idf, and the plain BM25 score of each document, (size,)."""
        total, score = 0.0, np.zeros(self.size, dtype=np.float32)
        for term in terms:
            docs, impact = self._column(term)
            idf = self.idf(len(docs))
            total += idf
            score[docs] += np.float32(idf) * impact
        return total, score

    def _mean(self, terms: Sequence[str]) -> Floats:
        share = np.zeros(self.size, dtype=np.float32)
        for term in terms:
            docs, impact = self._column(term)
            share[docs] += impact / np.float32(len(terms))
        return share

    def _column(self, term: str) -> tuple[NDArray[np.int32], Floats]:
        t = self.vocabulary.get(term)
        if t is None:
            return self.docs[:0], self.impact[:0]
        column = slice(self.indptr[t], self.indptr[t + 1])
        return self.docs[column], self.impact[column]


def build_field(documents: Iterable[Sequence[str]], b: float) -> Field:
    """Postings of `documents`, each given as its terms; b is BM25's length normalisation.

    BM25: Robertson & Zaragoza, The Probabilistic Relevance Framework (2009); the idf and the missing
    factor k1 + 1 are Lucene's (Kamphuis et al., Which BM25 Do You Mean?, ECIR 2020).
    """
    vocabulary: dict[str, int] = {}
    terms: list[NDArray[np.int64]] = []
    for document in documents:
        ids = [vocabulary.setdefault(term, len(vocabulary)) for term in document]
        terms.append(np.array(ids, dtype=np.int64))
    size = len(terms)
    lengths = np.array([len(ids) for ids in terms], dtype=np.int64)
    doc_of = np.repeat(np.arange(size, dtype=np.int64), lengths)
    flat = np.concatenate(terms) if terms else np.zeros(0, dtype=np.int64)
    pairs, tf = np.unique(flat * max(size, 1) + doc_of, return_counts=True)
    columns, docs = pairs // max(size, 1), pairs % max(size, 1)
    average = max(float(lengths.mean()) if size else 1.0, 1.0)
    norm = K1 * (1 - b + b * lengths[docs] / average)
    return Field(
        vocabulary=vocabulary,
        indptr=np.searchsorted(columns, np.arange(len(vocabulary) + 1)).astype(np.int64),
        docs=docs.astype(np.int32),
        impact=(tf / (tf + norm)).astype(np.float32),
        size=size,
    )


@dataclass(frozen=True, slots=True)
class LexicalIndex:
    """The two fields over all chunks: `ids[row]` is the chunk of document `row`."""

    ids: tuple[str, ...]
    words: Field
    grams: Field


def index_chunks(pairs: Iterable[tuple[Article, Chunk]]) -> LexicalIndex:
    """The index of chunks, each given with its article."""
    ids, texts = [], []
    for article, chunk in pairs:
        ids.append(chunk.id)
        texts.append(f"{heading(article)}\n{chunk.text}")
    return LexicalIndex(
        tuple(ids),
        build_field((keys(text) for text in texts), WORDS_B),
        build_field((grams(text) for text in texts), GRAMS_B),
    )


def heading(article: Article) -> str:
    """What holds for every sentence of an article: title, outlet, author, dateline and day."""
    datelines = [article.text[a.start : a.end] for a in article.asides if a.kind == "dateline"]
    stated = [article.title, article.outlet, article.author, *datelines, german_date(article.published)]
    return " · ".join(part for part in stated if part)


def build_index(folder: Path, library: Library) -> None:
    """Writes the index of the library's current revision below `folder`, and removes older ones.

    The one before stays: it answers until the library has changed over, and after a crash.
    """
    articles = {article.id: article for article in library.articles()}
    index = index_chunks((articles[chunk.article_id], chunk) for chunk in library.chunks())
    target = _folder(folder, library.revision)
    partial = target.with_suffix(".partial")
    for stale in (partial, target):
        shutil.rmtree(stale, ignore_errors=True)
    index.words.save(partial / "words")
    index.grams.save(partial / "grams")
    (partial / "ids.txt").write_text("\n".join(index.ids), encoding="utf-8")
    partial.rename(target)
    for stale in _by_revision(target.parent)[:-KEPT_REVISIONS]:
        shutil.rmtree(stale, ignore_errors=True)


def _by_revision(folder: Path) -> list[Path]:
    return sorted(folder.iterdir(), key=lambda path: int(path.name.partition("-")[0]))


def load_index(folder: Path, revision: int) -> LexicalIndex:
    """The index of a revision; raises IndexDamaged when it is not there or cannot be read."""
    source = _folder(folder, revision)
    try:
        text = (source / "ids.txt").read_text(encoding="utf-8")
        ids = tuple(text.split("\n")) if text else ()
        return LexicalIndex(
            ids, Field.load(source / "words", len(ids)), Field.load(source / "grams", len(ids))
        )
    except (OSError, EOFError, ValueError) as exc:
        raise IndexDamaged(
            f"the lexical index in {source} is missing or unreadable; run: python -m ingest"
        ) from exc


def _folder(folder: Path, revision: int) -> Path:
    return folder / "lexical" / f"{revision}-{ANALYSER_VERSION}"
