"""Protects the seeds: complete, of a digest's length, and in no words but our own."""

from __future__ import annotations

import re
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import ROOT

SEEDS = sorted(path for path in (ROOT / "seeds").glob("*.md") if path.name != "README.md")
FIELDS = {"title", "outlet", "author", "published", "language", "genre", "digest_of"}
RUN = 8

each_seed = pytest.mark.parametrize("seed", SEEDS, ids=lambda path: path.stem)


def front_matter(seed: Path) -> dict[str, Any]:
    found = yaml.safe_load(seed.read_text("utf-8").split("---\n")[1])
    assert isinstance(found, dict)
    return found


def body(seed: Path) -> str:
    return seed.read_text("utf-8").split("---\n", 2)[2]


def runs(text: str) -> set[tuple[str, ...]]:
    """All runs of eight words."""
    words = re.findall(r"\w+", text.lower())
    return {tuple(words[at : at + RUN]) for at in range(len(words) - RUN + 1)}


def test_there_are_seeds() -> None:
    assert len(SEEDS) == 5


@each_seed
def test_front_matter_is_complete(seed: Path) -> None:
    assert seed.read_text("utf-8").startswith("---\n")
    matter = front_matter(seed)
    assert set(matter) == FIELDS
    assert isinstance(matter["published"], date)
    assert not isinstance(matter["published"], datetime)
    assert matter["language"] == "de"
    assert matter["genre"] in ("report", "comment")
    texts = [matter[field] for field in FIELDS - {"published"}]
    assert all(isinstance(text, str) and text == text.strip() != "" for text in texts)


@each_seed
def test_length_is_that_of_a_digest(seed: Path) -> None:
    assert 700 <= len(body(seed).split()) <= 1800


@each_seed
def test_no_run_of_eight_words_is_an_originals(seed: Path, shared: Path) -> None:
    ours = runs(front_matter(seed)["title"] + "\n" + body(seed))
    originals = sorted((shared / "articles").glob("*.txt"))
    assert originals
    for original in originals:
        common = ours & runs(original.read_text("utf-8"))
        assert {" ".join(run) for run in common} == set(), f"{seed.name} repeats {original.name}"


def test_every_original_has_exactly_one_digest(shared: Path) -> None:
    originals = sorted(path.stem for path in (shared / "articles").glob("*.txt"))
    assert sorted(front_matter(seed)["digest_of"] for seed in SEEDS) == originals


def test_a_copied_run_is_found() -> None:
    original = "Der Stadtrat hat am Dienstag den Plan mit 38 Stimmen beschlossen."
    assert runs(original) & runs("so: „der Stadtrat hat am Dienstag den Plan mit“ …")
    assert not runs(original) & runs("Der Stadtrat hat am Dienstag Plan mit 38 Stimmen beschlossen")
