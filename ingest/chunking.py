"""Cuts articles into chunks: runs of whole sentences of about the same length, by offset."""

import re
from bisect import bisect_left
from collections.abc import Iterator
from itertools import groupby
from typing import NamedTuple

from ingest.structure.article import answerable
from rag.schema import Article, Chunk, Span
from rag.text.sentences import is_question, sentences

FULL_ENOUGH = 0.6
"""Share of the wanted length from which a chunk ends with its paragraph."""
REST = 0.25
"""Share of the wanted length below which a last chunk joins the one before."""
LONGEST = 1.5
"""Greatest length, in wanted lengths, of a chunk with such a rest, or what a colon or question announces."""

# text without spaces is cut, too: a hundred characters are not a word
_WORD = re.compile(r"\S{1,100}")


class _Sentence(NamedTuple):
    """A sentence to be packed; `ends_paragraph` when no other follows in its paragraph.

    A sentence that ends with a colon or asks something `announces` the next one, and they stay together.
    """

    start: int
    end: int
    words: int
    ends_paragraph: bool
    announces: bool


def chunk_article(article: Article, words: int = 120) -> list[Chunk]:
    """The article's chunks, about `words` words each, in order; empty when all of it is aside.

    Every sentence outside the asides is in exactly one chunk, and no chunk covers an aside. A
    sentence of more than twice `words` is cut between words.
    """
    starts = sorted(aside.start for aside in article.asides)
    blocks = answerable(article.text, article.asides)
    chunks: list[Chunk] = []
    for _, section in groupby(blocks, lambda block: bisect_left(starts, block[0])):  # between two asides
        for run in _pack([each for block in section for each in _sentences(article, block, words)], words):
            start, end, n = run[0].start, run[-1].end, len(chunks)
            spans = tuple((sentence.start, sentence.end) for sentence in run)
            id, text = f"{article.id}#{article.sha256[:12]}#{n}", article.text[start:end]
            chunks.append(Chunk(id, article.id, n, start, end, text, spans))
    return chunks


def _sentences(article: Article, block: Span, words: int) -> Iterator[_Sentence]:
    """The sentences of a paragraph, over-long ones in pieces."""
    spans = sentences(article.text, *block, language=article.language)
    for index, (start, end) in enumerate(spans):
        pieces = _pieces(article.text, start, end, words)
        for low, high, count in pieces:
            last = high == pieces[-1][1]
            announces = last and (article.text[high - 1] == ":" or is_question(article.text[low:high]))
            yield _Sentence(low, high, count, last and index + 1 == len(spans), announces)


def _pieces(text: str, start: int, end: int, words: int) -> list[tuple[int, int, int]]:
    """Start, end and number of words of a sentence, or of the equal parts of an over-long one."""
    count = len(text[start:end].split())
    if count <= 2 * words and end - start <= 20 * words:
        return [(start, end, count)]
    spans = [match.span() for match in _WORD.finditer(text, start, end)]
    if len(spans) <= 2 * words:
        return [(start, end, len(spans))]
    parts = -(-len(spans) // words)
    size = -(-len(spans) // parts)
    groups = [spans[low : low + size] for low in range(0, len(spans), size)]
    return [(group[0][0], group[-1][1], len(group)) for group in groups]


def _pack(section: list[_Sentence], words: int) -> list[list[_Sentence]]:
    """Runs of about `words` words, which end with a paragraph where one is full enough."""
    runs: list[list[_Sentence]] = [[]]
    size = 0
    for sentence in section:
        # a nearly empty chunk is better made too long
        full = size + sentence.words > words and size >= REST * words
        announced = bool(runs[-1]) and runs[-1][-1].announces and size + sentence.words <= LONGEST * words
        if full and not announced:
            runs.append([])
            size = 0
        runs[-1].append(sentence)
        size += sentence.words
        if sentence.ends_paragraph and not sentence.announces and size >= FULL_ENOUGH * words:
            runs.append([])
            size = 0
    runs = [run for run in runs if run]
    if len(runs) > 1:  # a small last one joins the one before, if that does not grow too far
        rest, before = (sum(sentence.words for sentence in run) for run in (runs[-1], runs[-2]))
        if rest < REST * words and rest + before <= LONGEST * words:
            runs[-2:] = [runs[-2] + runs[-1]]
    return runs
