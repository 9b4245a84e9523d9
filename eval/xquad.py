"""Measures retrieval and sentence selection on an XQuAD folder: `python -m eval.xquad XQUAD [NEWS.csv]`.

Prints, for German and English questions, R@1, R@5 and R@10 of the paragraph, how often one of
the first one and three sentences holds the answer, end to end, with the news articles (a CSV of
`label;'text'` lines, 10kGNAD) as distractors, and how many questions are declined: of all, and of
the same with their paragraph taken out, where all should be. The paragraphs may be in any of our
languages. Also the rank of names in foreign spellings.
"""

from __future__ import annotations

import argparse
import json
import re
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from tqdm import tqdm

from ingest.sync import sync
from rag.answering.confidence import THRESHOLD, confidence
from rag.answering.extract import candidates
from rag.engine import CANDIDATE_PASSAGES, Engine, open_engine
from rag.question.query import understand
from rag.settings import load_settings

_LANGUAGES = ("de", "en")

# a German spelling and others of the same sounds: applied to names to make spellings that are not there
_RESPELL = [
    ("sch", "sh"), ("tsch", "ch"), ("w", "v"), ("j", "y"), ("z", "s"), ("k", "c"), ("ei", "ey"), ("ie", "i"),
    ("ck", "k"), ("ph", "f"), ("ü", "ue"), ("ö", "oe"), ("ä", "ae"), ("ß", "ss"), ("th", "t"), ("y", "i"),
]  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> None:
    """Builds a temporary index and prints the measures."""
    parser = argparse.ArgumentParser(prog="python -m eval.xquad", description=__doc__)
    parser.add_argument("xquad", type=Path, help="folder with passages.jsonl and dev.jsonl")
    parser.add_argument("news", type=Path, nargs="?", help="CSV of distractor articles")
    parser.add_argument("--no-dictionary", action="store_true", help="without the Ding dictionary")
    options = parser.parse_args(arguments)
    questions = [json.loads(line) for line in (options.xquad / "dev.jsonl").open(encoding="utf-8")]
    with tempfile.TemporaryDirectory() as folder:
        engine = _engine(Path(folder), options)
        with closing(engine):
            for language in _LANGUAGES:
                print(language, _measure(engine, questions, language))
            print("names in a spelling that is not there, hit@1", _names(engine))


def _engine(folder: Path, options: argparse.Namespace) -> Engine:
    articles = folder / "articles"
    articles.mkdir()
    rows = [*_passages(options.xquad), *(_news(options.news) if options.news else ())]
    lines = (json.dumps(row, ensure_ascii=False) for row in rows)
    (articles / "all.jsonl").write_text("\n".join(lines), encoding="utf-8")
    # paragraphs stay whole, as the published figures count them
    settings = load_settings(articles=articles, data=folder / "data", chunk_words=400)
    if options.no_dictionary:
        settings = replace(settings, dictionary=None)
    sync(settings)
    return open_engine(settings)


def _passages(folder: Path) -> Iterator[dict[str, str]]:
    for line in (folder / "passages.jsonl").open(encoding="utf-8"):
        yield json.loads(line)


def _news(path: Path) -> Iterator[dict[str, str]]:
    for number, line in enumerate(path.open(encoding="utf-8")):
        yield {"id": f"news-{number}", "text": line.partition(";")[2].strip().strip("'")}


def _measure(engine: Engine, questions: Sequence[dict[str, object]], language: str) -> str:
    ranks, firsts, declined = [], [], []
    for question in tqdm(questions, unit="questions", leave=False):
        query = understand(
            str(question[f"question_{language}"]),
            dictionary=engine.dictionary,
            languages=engine.index.languages,
        )
        ranking = engine.index.rank(query, CANDIDATE_PASSAGES)
        ids = [hit.passage.article.id for hit in ranking.hits]
        gold, answer = str(question["passage"]), int(str(question["answer_start"]))
        ranks.append(ids.index(gold) + 1 if gold in ids else 0)
        found = candidates(ranking)
        right = [c.article.id == gold and c.span[0] <= answer < c.span[1] for c in found[:3]]
        firsts.append((bool(right and right[0]), any(right)))
        others = replace(ranking, hits=tuple(h for h in ranking.hits if h.passage.article.id != gold))
        sure = confidence(ranking, found), confidence(others, candidates(others))
        declined.append([chance < THRESHOLD for chance in sure])
    share = {k: sum(0 < rank <= k for rank in ranks) / len(ranks) for k in (1, 5, 10)}
    at_1, at_3 = (sum(pair[i] for pair in firsts) / len(firsts) for i in (0, 1))
    recalls = " ".join(f"R@{k} {value:.3f}" for k, value in share.items())
    there, absent = (sum(pair[i] for pair in declined) / len(declined) for i in (0, 1))
    return f"{recalls}   sentence @1 {at_1:.3f} @3 {at_3:.3f}   declined {there:.3f} of absent {absent:.3f}"


def _names(engine: Engine) -> str:
    """How often the best passage for a respelled rare name is one that has the name."""
    spelled: dict[str, set[str]] = {}
    for article in engine.library.articles():
        for name in re.findall(r"(?<=[a-zäöü] )[A-ZÄÖÜ][a-zäöüß]{5,}(?= [A-ZÄÖÜ]|[,.])", article.text):
            spelled.setdefault(name, set()).add(article.id)
    known = {
        word.lower() for article in engine.library.articles() for word in re.findall(r"\w+", article.text)
    }
    hits = tried = 0
    for name, articles in sorted(spelled.items()):
        other = _respelled(name)
        if other == name or other.lower() in known or len(articles) > 3:
            continue
        tried += 1
        passages = engine.search(other, 1)
        hits += bool(passages) and name.lower() in passages[0].article.text.lower()
    return f"{hits / tried:.3f} of {tried}" if tried else "none"


def _respelled(name: str) -> str:
    lower = name.lower()
    for german, other in _RESPELL:
        lower = lower.replace(german, other)
    return lower.capitalize()


if __name__ == "__main__":
    main()
