"""The parts of a passage for the search, made at ingest: search keys, sentences for matching, vectors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, pairwise
from typing import TYPE_CHECKING, Self

from rag.question.separable import separated_verbs
from rag.schema import Article, Chunk
from rag.text.analysis import folded, keys, language_of
from rag.text.normalize import written_date

if TYPE_CHECKING:
    from rag.models.embedder import Floats


@dataclass(frozen=True, slots=True)
class SentenceTerms:
    """A sentence as its distinct search keys, and as its folded text.

    Both are lines with single spaces at and between the words.
    """

    line: str
    folded: str

    @property
    def keys(self) -> list[str]:
        """The distinct search keys, in the order of the sentence."""
        return self.line.split()


@dataclass(frozen=True, slots=True)
class PassageTerms:
    """A passage's sentences, and the heading of its article."""

    heading: SentenceTerms
    sentences: tuple[SentenceTerms, ...]

    def pack(self) -> str:
        """The terms as text: one line each, keys and folded text separated by a tab."""
        parts = (self.heading, *self.sentences)
        return "\n".join(f"{part.line[1:-1]}\t{part.folded}" for part in parts)

    @classmethod
    def unpack(cls, packed: str) -> Self:
        """The inverse of `pack`."""
        lines = (line.partition("\t") for line in packed.split("\n"))
        heading, *sentences = [SentenceTerms(f" {held} ", text) for held, _, text in lines]
        return cls(heading, tuple(sentences))


def sentence_terms(
    sentence: str, language: str | None = "de", held: Sequence[str] | None = None
) -> SentenceTerms:
    """The terms of a sentence in the language of its article; `held` are its search keys, if known."""
    held = keys(sentence, language) if held is None else held
    joined = [verb.key for verb in separated_verbs(sentence)] if language_of(language) == "de" else []
    return SentenceTerms(f" {' '.join(dict.fromkeys([*held, *joined]))} ", folded(sentence))


def passage_terms(article: Article, chunk: Chunk) -> tuple[PassageTerms, list[str]]:
    """The terms of a passage's sentences, and all its search keys, the heading's first.

    The keys are those of the whole passage, including text outside sentences.
    """
    edges = [chunk.start, *chain.from_iterable(chunk.sentences), chunk.end]
    parts = [heading(article), *(article.text[a:b] for a, b in pairwise(edges))]
    found = [(part, keys(part, article.language)) for part in parts]
    terms = [sentence_terms(part, article.language, held) for part, held in (found[0], *found[2::2])]
    return PassageTerms(terms[0], tuple(terms[1:])), [key for _, held in found for key in held]


def heading(article: Article) -> str:
    """Text that applies to every sentence of an article: title, outlet, author, dateline and day."""
    datelines = [article.text[a.start : a.end] for a in article.asides if a.kind == "dateline"]
    day = written_date(article.published, article.language)
    return " · ".join(filter(None, [article.title, article.outlet, article.author, *datelines, day]))


@dataclass(frozen=True, slots=True)
class PassageVectors:
    """The vectors of a passage, of its sentences, and of each sentence with the one before it.

    `passage` has the shape (dimension,); `sentences` and `pairs` (sentences, dimension).
    """

    passage: Floats
    sentences: Floats
    pairs: Floats

    @classmethod
    def unpack(cls, passage: bytes, sentences: bytes, pairs: bytes) -> Self:
        """From what `pack_vectors` made of each."""
        one = unpack_vectors(passage)
        return cls(
            one, unpack_vectors(sentences).reshape(-1, len(one)), unpack_vectors(pairs).reshape(-1, len(one))
        )


def pack_vectors(vectors: Floats) -> bytes:
    """Vectors as half-precision bytes, which cost no more than .001 of a cosine."""
    return vectors.astype("float16").tobytes()


def unpack_vectors(packed: bytes) -> Floats:
    """The inverse of `pack_vectors`, flat."""
    import numpy as np  # which a sync of nothing does without

    return np.frombuffer(packed, np.float16).astype(np.float32)
