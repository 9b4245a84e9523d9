"""Makes the vectors of passages and, after them, newest first, of sentences, by which the answer is chosen.

Those of the built-in encoder are kept in the library at once, so that an interrupted run continues; a changed
article loses its vectors.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Literal

from rag.i18n import Phrase
from rag.schema import Article, Chunk
from rag.store.chroma import Embed, Pair, Progress, Stop
from rag.store.library import Library
from rag.store.terms import pack_vectors, unpack_vectors

if TYPE_CHECKING:
    from rag.models.embedder import Embedder, Floats

Wish = Literal["all", "passages"]
"""What the built-in encoder embeds: passages and their sentences, or passages alone."""

WISH = "embed"
"""A note in the library: the wish, which has to be given only once."""

MOST_UNASKED = 1_000
"""Most new articles that are embedded without a request: half an hour or more of one core."""

_AT_ONCE = 4  # passages: a second or two
_SPARE_VECTORS = 10_000  # cached vectors of other texts or models, in case these come back
_LONGEST_BEFORE = 300  # characters
_SECONDS = {"passages": 0.26, "all": 0.96}  # of one core, for a passage


def left_to_words(passages: int) -> Phrase:
    """A message that so many passages are found by words alone, and what embedding them would take."""
    minutes = {wish: passages * seconds / 60 for wish, seconds in _SECONDS.items()}
    said = {w: f"{round(m / 60)} h" if m >= 90 else f"{max(1, round(m))} min" for w, m in minutes.items()}
    return Phrase("left_to_words", passages=passages, long=said["all"], short=said["passages"])


def _embedded(article: Article, chunk: Chunk) -> str:
    """The text to embed for a passage: below the article's title, if there is one."""
    return f"{article.title}\n{chunk.text}" if article.title else chunk.text


def vectors_of(embedder: Embedder, pairs: Sequence[Pair]) -> Floats:
    """The vectors of passages."""
    return embedder.embed([_embedded(*pair) for pair in pairs])


def kept(library: Library, embed: Embed, pairs: Sequence[Pair]) -> Floats:
    """The vectors of passages as `embed` makes them, each once: they are kept in the library."""
    import numpy as np

    rows = library.rows_of([chunk.id for _, chunk in pairs])
    held = library.packed_passages(list(rows.values()))
    new = [pair for pair in pairs if rows.get(pair[1].id) not in held]
    made = dict(zip((chunk.id for _, chunk in new), embed(new) if new else (), strict=True))
    library.put_vectors((rows[id], pack_vectors(made[id]), None, None) for id in made if id in rows)
    return np.stack([made[c.id] if c.id in made else unpack_vectors(held[rows[c.id]]) for _, c in pairs])


def embed_sentences(library: Library, embedder: Embedder, progress: Progress, stop: Stop) -> int:
    """Makes missing vectors of sentences; returns the number of passages that still lack them.

    Raises ProviderUnavailable; vectors made before that are kept.
    """
    missing = library.without_sentences()
    for done in range(0, len(missing), _AT_ONCE):
        if stop():
            return len(missing) - done
        progress("sentences", done, len(missing))
        rows = missing[done : done + _AT_ONCE]
        packed = library.packed_passages(rows)
        for row, (article, chunk) in library.passages_at(rows).items():
            sentences = [article.text[start:end] for start, end in chunk.sentences]
            # what stands right before the passage, at most a paragraph
            before = article.text[: chunk.start].rstrip().rpartition("\n")[2][-_LONGEST_BEFORE:]
            pairs = [f"{one} {other}".strip() for one, other in pairwise([before, *sentences])]
            vectors = embedder.embed([*sentences, *pairs])
            n = len(sentences)
            library.put_vectors([(row, packed[row], pack_vectors(vectors[:n]), pack_vectors(vectors[n:]))])
    if missing:
        progress("sentences", len(missing), len(missing))
    return 0


def prune(library: Library, embedder: Embedder) -> None:
    """Lets go of cached vectors that nothing needs, when they are more than those that something does."""
    articles = library.articles()
    texts = (_embedded(each, chunk) for each in articles for chunk in library.chunks_of(each.id))
    embedder.prune(texts, 2 * library.counts().chunks + _SPARE_VECTORS)
