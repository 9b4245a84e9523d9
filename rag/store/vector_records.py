"""What is stored with a vector, in a folder as on a server: ids and metadata of chunks and articles."""

from __future__ import annotations

import json
import math
import zlib
from collections.abc import Sequence
from typing import Any

from rag.schema import Article, Chunk

_TECHNICAL = ["article_id", "start", "end", "ordinal", "fingerprint"]


def version_id(article_id: str, sha256: str) -> str:
    """Id of an article's record: versions of an article lie side by side, as their chunks do."""
    return f"{article_id}#{sha256[:12]}"


def chunk_records(pairs: Sequence[tuple[Article, Chunk]], note: str, *, is_server: bool) -> dict[str, Any]:
    """Ids, metadata and documents of chunks, as `upsert` takes them beside the vectors.

    On a server a chunk's text is its document, where every user of Chroma looks for it, and Chroma Cloud
    limits metadata. In an embedded index it is inside LlamaIndex's `_node_content` only: a document is
    also indexed for full-text search, which nobody needs, cannot be turned off, and costs as much again.
    """
    metadatas = [chunk_metadata(*pair, note, is_server=is_server) for pair in pairs]
    documents = [chunk.text for _, chunk in pairs] if is_server else None
    return {"ids": [chunk.id for _, chunk in pairs], "metadatas": metadatas, "documents": documents}


def article_records(articles: Sequence[Article], note: str, *, is_server: bool) -> dict[str, Any]:
    """Ids, vectors and metadata of articles, as `upsert` takes them."""
    return {
        "ids": [version_id(article.id, article.sha256) for article in articles],
        "embeddings": [_place(article.sha256) for article in articles],
        "metadatas": [article_metadata(article, note, is_server=is_server) for article in articles],
    }


def article_metadata(article: Article, note: str, *, is_server: bool) -> dict[str, str | int]:
    """An article as a record; `asides` as JSON, what is unknown left out.

    On a server it is the whole article, for replicas. The text is among the metadata there because a
    document would be indexed for full-text search, which nobody needs and which costs as much as everything
    else together. An embedded index leaves it out, since the library beside it has it: Chroma would write it
    twice, the second time into an index by value.
    """
    return _known(
        article_id=article.id,
        text=article.text if is_server else None,
        source=article.source,
        sha256=article.sha256,
        title=article.title,
        outlet=article.outlet,
        author=article.author,
        published=_day(article),
        language=article.language,
        genre=article.genre,
        asides=json.dumps([(aside.start, aside.end, aside.kind) for aside in article.asides]),
        pages=json.dumps(article.pages) if article.pages else None,
        fingerprint=note,
    )


def _place(sha256: str) -> Sequence[float]:
    """The vector of an article's record."""
    # Chroma wants a vector; a point on the circle is the cheapest that differs by article
    angle = zlib.crc32(sha256.encode()) / 2**32 * 2 * math.pi
    return [math.cos(angle), math.sin(angle)]


def chunk_metadata(
    article: Article, chunk: Chunk, note: str, *, is_server: bool = False
) -> dict[str, str | int]:
    """What is stored with a chunk's embedding; what is unknown is left out.

    The keys with an underscore are those by which LlamaIndex recognises its node, written here
    because its own `node_to_metadata_dict` serialises each node several times.
    """
    known = _known(
        article_id=article.id,
        title=article.title,
        outlet=article.outlet,
        author=article.author,
        published=_day(article),
        language=article.language,
        start=chunk.start,
        end=chunk.end,
        ordinal=chunk.ordinal,
        fingerprint=note,
    )
    node = {
        "id_": chunk.id,
        "metadata": known,
        "excluded_embed_metadata_keys": _TECHNICAL,
        "excluded_llm_metadata_keys": _TECHNICAL,
        "relationships": {"1": {"node_id": article.id, "node_type": "4", "class_name": "RelatedNodeInfo"}},
        "start_char_idx": chunk.start,
        "end_char_idx": chunk.end,
        "text": "" if is_server else chunk.text,
        "class_name": "TextNode",
    }
    return known | {
        "_node_content": json.dumps(node, ensure_ascii=False),
        "_node_type": "TextNode",
        "document_id": article.id,
    }


def _known(**fields: str | int | None) -> dict[str, str | int]:
    return {key: value for key, value in fields.items() if value is not None}


def _day(article: Article) -> int | None:
    """The date as a number that sorts and can be read: 16 August 2025 is 20250816."""
    day = article.published
    return None if day is None else day.year * 10_000 + day.month * 100 + day.day
