"""Measures the verifier itself, on pairs of sentence and passage labelled by hand."""

import argparse
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Annotated

from pydantic import Field, TypeAdapter

from eval.cases import read_lines
from eval.measures import Shelf, Supports
from eval.statistics import aligned, by_value
from rag import open_engine
from rag.errors import BadRequest
from rag.schema import Article, Chunk, Citation, Status
from rag.text.sentences import sentences
from rag.verification.support import Claim, Idf, Source, support, together

BY_VERIFIER = "rag.verification.support"
SET = Path(__file__).with_name("sets") / "support.jsonl"
JUDGED: tuple[Status, ...] = ("supported", "unsupported")
"""The verdicts with precision and recall; `weak` is neither right nor wrong."""
GIVEN: tuple[Status, ...] = (*JUDGED, "weak")
COLUMNS = (
    *("pairs", *(f"{share} {status}" for status in JUDGED for share in ("precision", "recall"))),
    *(f"judged {status}" for status in GIVEN),
)


def by_verifier(idf: Idf, shelf: Shelf) -> Supports[Citation]:
    """The verifier as the scorer: a statement's citations must reach *supported*, one of them or together. A
    statement of several sentences, as verbatim ones may be, is supported when each of them is."""

    @lru_cache(maxsize=4096)
    def source(article_id: str, start: int, end: int) -> Source | None:
        article = shelf.articles.get(article_id)
        return None if article is None else Source(article, _chunk(article, start, end))

    def supports(sentence: str, cited: Sequence[Citation]) -> bool:
        places = (source(c.article_id, c.start, c.end) for c in cited)
        sources = [place for place in places if place is not None]
        for start, end in sentences(sentence):
            claim = Claim(sentence[start:end], idf)
            found = [support(claim, each) for each in sources]
            alone = any(each.status == "supported" for each in found)
            if not alone and (len(found) < 2 or together(claim, sources, found) != "supported"):
                return False
        return bool(sources)

    return supports


def _chunk(article: Article, start: int, end: int) -> Chunk:
    spans = sentences(article.text, start, end, article.language) or [(start, end)]
    return Chunk(article.id, article.id, 0, start, end, article.text[start:end], tuple(spans))


@dataclass(frozen=True, slots=True)
class Pair:
    """A sentence, a passage, and a person's judgement whether the passage supports it. `kind` says how the
    sentence was made (true, changed number, negated …), `split` whether it may be tuned on."""

    id: Annotated[str, Field(coerce_numbers_to_str=True)]
    sentence: str
    article: str
    passage: str
    label: Status
    kind: str = "–"
    lang: str = "–"
    split: str = "–"


def load_pairs(path: Path) -> list[Pair]:
    """The labelled pairs of a file; raises BadRequest, naming the line, for one that is none."""
    pairs = read_lines(path, TypeAdapter(Pair), "labelled pair")
    if not pairs:
        raise BadRequest(f"{path} holds no pair")
    return pairs


def quality(outcomes: Sequence[tuple[Pair, Status]]) -> dict[str, float]:
    """How good verdicts are, by the names in `COLUMNS`, from pairs and the status given to each. A verdict
    that was never given has no precision, a label that no pair has no recall."""
    given = Counter(status for _, status in outcomes)
    labelled = Counter(pair.label for pair, _ in outcomes)
    right = Counter(status for pair, status in outcomes if status == pair.label)
    found: dict[str, float] = {"pairs": len(outcomes)}
    found |= {f"precision {status}": right[status] / given[status] for status in JUDGED if given[status]}
    found |= {f"recall {status}": right[status] / labelled[status] for status in JUDGED if labelled[status]}
    return found | {f"judged {status}": given[status] for status in GIVEN}


def by_group(outcomes: Sequence[tuple[Pair, Status]]) -> dict[str, dict[str, float]]:
    """The quality over all pairs, and by split, kind and language."""
    groups = by_value(outcomes, ("split", "kind", "lang"), lambda outcome: outcome[0])
    return {name: quality(members) for name, members in {"all": outcomes, **groups}.items()}


def main(arguments: Sequence[str]) -> int:
    """`python -m eval support`; returns the exit status. Raises BelegError."""
    parser = argparse.ArgumentParser(prog="python -m eval support", description=__doc__)
    parser.add_argument("pairs", type=Path, nargs="?", default=SET, help="labelled pairs, one a line of JSON")
    parser.add_argument("--articles", type=Path, help="folder with the articles (default: seeds)")
    parser.add_argument("--data", type=Path, help="folder of the index")
    parser.add_argument("--split", help="only the pairs of this split")
    parser.add_argument("--list", action="store_true", help="list the pairs that were judged otherwise")
    options = parser.parse_args(arguments)
    pairs = [pair for pair in load_pairs(options.pairs) if options.split in (None, pair.split)]
    if not pairs:
        raise BadRequest(f"{options.pairs} has no pair of the split {options.split}")
    outcomes = check_with_index(pairs, options.articles, options.data)
    print(_table(by_group(outcomes)))
    for pair, given in outcomes:
        if options.list and given != pair.label:
            print(f"\n{pair.id} ({pair.kind}): {pair.label}, judged {given}")
            print(f"  {pair.sentence}\n  {pair.passage}")
    return 0


def check_with_index(
    pairs: Sequence[Pair], articles: Path | None, data: Path | None
) -> list[tuple[Pair, Status]]:
    """The verifier's verdicts on the pairs, with the word weights of an index of these articles."""
    with closing(open_engine(articles, data)) as engine:
        held = {article.id: article for article in engine.library.articles()}
        outcomes, alike = [], engine.dense.alike if engine.dense else None
        for pair in pairs:
            # only the article's language and date matter; its text is the passage
            article = held.get(pair.article) or Article(pair.article, "", pair.article, "")
            place = replace(article, text=pair.passage, asides=())
            source = Source(place, _chunk(place, 0, len(pair.passage)))
            outcomes.append((pair, support(Claim(pair.sentence, engine.index.idf, alike), source).status))
    return outcomes


def _table(groups: Mapping[str, Mapping[str, float]]) -> str:
    rows = [["", *COLUMNS]]
    for name, found in groups.items():
        cells = [found.get(column, "–") for column in COLUMNS]
        rows.append([name, *(f"{cell:.3f}" if isinstance(cell, float) else str(cell) for cell in cells)])
    return aligned(rows)
