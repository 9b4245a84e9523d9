"""Kills syncs at random moments over changing articles: `make faults`.

After each kill every article must answer in its old or its new version, whole; then the next sync must
complete, and manifest, library, lexical index and Chroma agree.
"""

from __future__ import annotations

import argparse
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from rag.engine import open_engine
from tests.test_sync import KILLED, ROOT, House

ARTICLES = 40
LONGEST = 600.0  # seconds that a child may take which its timer did not kill


def text(number: int, version: int) -> str:
    """An article that says its version at its beginning, in its middle and at its end."""
    filling = f"Die Gemeinde {number} berät weiter über den Haushalt und die Schule am Markt. " * 12
    return "".join(f"In Ort {number} gilt Stand {version}. {filling}" for _ in range(3)).strip()


def write(house: House, version: int) -> dict[str, str]:
    """Changes every article, adds one and removes another; what each shall say."""
    wanted = {f"a{n}": text(n, version) for n in (*range(ARTICLES), ARTICLES + version)}
    for path in house.articles.iterdir():
        if path.stem not in wanted:
            path.unlink()
    for id, content in wanted.items():
        house.write(f"{id}.txt", content)
    return wanted


def kill(house: House, delay: float) -> None:
    """A sync in a process that is killed `delay` seconds after its imports, or as soon as it is done."""
    command = [sys.executable, "-c", KILLED, str(house.articles), str(house.data), str(delay)]
    killed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=LONGEST)
    assert killed.returncode == -9, killed.stderr


def check_answers(house: House, old: dict[str, str], new: dict[str, str]) -> str:
    """Which state answers; raises AssertionError for a mixture, a hole, or a search that finds neither."""
    held = house.texts()
    state = "old" if held == old else "new"
    assert held in (old, new), f"neither the old nor the new articles answer: {sorted(held)}"
    engine = open_engine(house.settings)
    try:
        passages = engine.search("Welcher Stand gilt in Ort 3?")
        assert passages, "nothing is found"
        for passage in passages:
            assert passage.chunk.text in held[passage.article.id]
    finally:
        engine.close()
    return state


def rounds(house: House, times: int, chance: random.Random) -> Counter[str]:
    """Kills `times` syncs; how often the old and the new state answered afterwards."""
    old = write(house, 0)
    started = time.perf_counter()
    house.sync()
    longest = 1.3 * (time.perf_counter() - started)
    found: Counter[str] = Counter()
    for version in range(1, times + 1):
        new = write(house, version)
        kill(house, chance.uniform(0.0, longest))
        found[check_answers(house, old, new)] += 1
        house.sync()
        assert house.texts() == new
        house.assert_whole()
        old = new
    return found


def main() -> None:
    """Prints what was survived; an assertion that fails is what was lost."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=50, help="syncs to kill (default: 50)")
    parser.add_argument("--seed", type=int, default=1, help="of the moments (default: 1)")
    options = parser.parse_args()
    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        found = rounds(House(Path(folder)), options.times, random.Random(options.seed))
    print(
        f"{options.times} syncs killed in {time.perf_counter() - started:.0f} s: afterwards the old articles"
        f" answered {found['old']} times, the new ones {found['new']} times; lost: 0"
    )


if __name__ == "__main__":
    main()
