"""Fits the weights by which a sentence is chosen: `python -m eval.fit SET=ARTICLES …`, as seeds.jsonl=seeds.

Each set gets its own index, with the built-in encoder. The weights are those of a conditional
logit (McFadden 1974) over all sentences of the best passages, cross-validated by article in five folds; sets
count by the square root of their size. Halves tagged `test` are left out.
"""

import argparse
import json
import zlib
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from eval.cases import Case, load_cases
from eval.measures import Shelf, shelf_of, touches
from ingest.sync import sync
from rag.answering.extract import WEIGHTS, WEIGHTS_WITH_MEANING, features
from rag.engine import Engine, open_engine
from rag.models.embedder import shared_encoder
from rag.retrieval.meaning import sentence_meaning
from rag.settings import load_settings

FOLDS, RIDGE, STEPS = 5, 0.005, 60

Vector = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Example:
    """The sentences for a question: their features by name, and which of them answer it."""

    fold: int
    features: Mapping[str, Vector]
    right: NDArray[np.bool_]


def main(arguments: Sequence[str] | None = None) -> None:
    """Prints how often the first and one of three sentences answer, by set, and the weights."""
    parser = argparse.ArgumentParser(prog="python -m eval.fit", description=__doc__)
    parser.add_argument("sets", nargs="+", metavar="SET=ARTICLES", help="a question set, and its articles")
    parser.add_argument("--words", action="store_true", help="fit the weights without meaning")
    options = parser.parse_args(arguments)
    pairs = (each.partition("=") for each in options.sets)
    sets = {name: examples(Path(name), Path(folder)) for name, _, folder in pairs}
    shipped = WEIGHTS if options.words else WEIGHTS_WITH_MEANING
    names = list(shipped)
    weighted = [(e, len(found) ** -0.5) for found in sets.values() for e in found]
    without = {  # each fold is judged by the weights of the others
        fold: weights([(e, weight) for e, weight in weighted if e.fold != fold], names)
        for fold in range(FOLDS)
    }
    for name, found in sets.items():
        held_out = [rank(e, without[e.fold]) for e in found]
        now = [rank(e, shipped) for e in found]
        print(f"{name} ({len(found)}): shipped {_shares(now)}, cross-validated {_shares(held_out)}")
    fitted = {name: round(weight, 2) for name, weight in weights(weighted, names).items()}
    print(json.dumps(fitted, indent=4))


def examples(path: Path, articles: Path) -> list[Example]:
    """The answerable questions of a set with the sentences that are found for each."""
    data = Path(".beleg/fit") / f"{articles.name}-{zlib.crc32(str(articles.resolve()).encode()):08x}"
    settings = load_settings(articles=articles, data=data, embedding="e5")
    sync(settings, embed="all")
    with closing(open_engine(settings)) as engine:
        shelf = shelf_of(engine.library)
        cases = [case for case in load_cases(path) if case.evidence and "test" not in case.tags]
        found = [_example(engine, shelf, case) for case in cases]
    return [example for example in found if example.right.any()]


def rank(example: Example, by: Mapping[str, float]) -> int:
    """The place of the first sentence that answers, from 0."""
    scores = sum(weight * example.features[name] for name, weight in by.items())
    order = np.argsort(-np.asarray(scores), kind="stable")
    return int(np.flatnonzero(example.right[order])[0])


def weights(weighted: Sequence[tuple[Example, float]], names: Sequence[str]) -> dict[str, float]:
    """The maximum-likelihood weights with a ridge penalty, by Newton's method with step halving.

    The curvature is that of the sum over all sentences, as in an EM step, because several sentences may be
    right.
    """
    matrices = [np.stack([e.features[name] for name in names], axis=1) for e, _ in weighted]
    scale = np.concatenate(matrices).std(axis=0) + 1e-9
    matrices = [matrix / scale for matrix in matrices]
    share = np.array([w for _, w in weighted])
    share /= share.sum()

    beta: Vector = np.zeros(len(names))
    step: Vector = beta
    least = float("inf")
    for _ in range(STEPS):
        loss = RIDGE * float(beta @ beta) / 2
        slope, curvature = -RIDGE * beta, RIDGE * np.eye(len(names))
        for (example, _), matrix, part in zip(weighted, matrices, share, strict=True):
            scores = matrix @ beta
            chance = _softmax(scores)
            right = _softmax(np.where(example.right, scores, -np.inf))
            loss -= part * float(np.log(chance[example.right].sum() + 1e-300))
            slope += part * ((right - chance) @ matrix)
            centred = matrix - chance @ matrix
            curvature += part * (centred.T * chance) @ centred
        if loss > least:  # too far: go half of the way back
            step = step * 0.5
            beta = beta - step
            continue
        least, step = loss, np.linalg.solve(curvature, slope).astype(np.float64)
        beta = beta + step
    return dict(zip(names, (beta / scale).tolist(), strict=True))


def _softmax(scores: Vector) -> Vector:
    raised = np.exp(scores - scores.max())
    shares: Vector = raised / raised.sum()
    return shares


def _example(engine: Engine, shelf: Shelf, case: Case) -> Example:
    ranked = engine.find(case.question, case.history)
    hits, gold = ranked.ranking.hits, shelf.gold(case)
    places = [(hit.passage.article.id, *span) for hit in hits for span in hit.passage.chunk.sentences]
    right = [any(touches(place, span) for span in gold) for place in places]
    embed, question = shared_encoder().query, ranked.asked.standalone
    meaning = sentence_meaning(engine.library, ranked.ranking, question, embed)
    fold = zlib.crc32(min(case.articles or ("",)).encode()) % FOLDS
    return Example(fold, features(ranked.ranking, meaning) if hits else {}, np.array(right, dtype=bool))


def _shares(ranks: Sequence[int]) -> str:
    return " ".join(f"@{k} {np.mean([rank < k for rank in ranks]):.3f}" for k in (1, 3))


if __name__ == "__main__":
    main()
