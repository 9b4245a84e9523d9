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
from tests.test_sync import ROOT, House

ARTICLES = 40
LONGEST = 600  # seconds that a sync may take which is not killed

# imports what a sync needs, says so, and syncs
SYNC = """
import sys
from pathlib import Path
from ingest.sync import sync
from rag.settings import Settings
import chromadb, llama_index.core, ingest.chunking, ingest.structure.article
print("ready", flush=True)
sync(Settings(articles=Path(sys.argv[1]), data=Path(sys.argv[2]), embedding="words"))
"""


def killed_sync(house: House, delay: float) -> float:
    """A sync in a process of its own that is killed `delay` seconds after its start, unless it is done.

    How long it lived, in seconds.
    """
    command = [sys.executable, "-c", SYNC, str(house.articles), str(house.data)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        assert process.stdout
        assert process.stdout.readline() == "ready\n", "the process ended before its sync"
        started = time.monotonic()
        try:
            assert process.wait(delay) == 0, "the sync failed by itself"
        except subprocess.TimeoutExpired:
            process.kill()
        return time.monotonic() - started


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
    found: Counter[str] = Counter()
    write(house, 0)
    house.sync()
    old = write(house, 1)
    longest = killed_sync(house, LONGEST)  # it comes to its end
    for version in range(2, times + 2):
        new = write(house, version)
        killed_sync(house, chance.uniform(0.0, 1.2 * longest))
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
