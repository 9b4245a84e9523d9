"""`make fuzz`: input that follows the coverage, with atheris, for each of `targets.py` in turn.

What breaks a target is written to `.fuzz/<target>/`; keep it as an `@example` in `test_properties.py`.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import atheris  # type: ignore[import-not-found,unused-ignore]

with atheris.instrument_imports(include=["rag", "ingest"]):
    from ingest.readers import SUFFIXES
    from ingest.readers.document import Document
    from tests import targets

FOUND = Path(".fuzz")
SLOWEST = 20  # seconds for one input: more is a text made to take for ever


def _text(data: Any) -> str:
    return str(data.ConsumeUnicodeNoSurrogates(data.ConsumeIntInRange(0, 2000)))


def _cuts(data: Any) -> list[int]:
    return [data.ConsumeIntInRange(0, 2000) for _ in range(data.ConsumeIntInRange(0, 8))]


TARGETS: dict[str, Callable[[Any], None]] = {
    "files": lambda data: targets.read(
        SUFFIXES[data.ConsumeIntInRange(0, len(SUFFIXES) - 1)], data.ConsumeBytes(4000)
    ),
    "chunks": lambda data: targets.cut(Document(_text(data)), data.ConsumeIntInRange(1, 60)),
    "citations": lambda data: targets.cite(_text(data), _cuts(data)),
    "questions": lambda data: targets.ask(_text(data), [_text(data), _text(data)]),
    "answers": lambda data: targets.write(_text(data), _cuts(data)),
    "texts": lambda data: targets.say(
        _text(data), targets.LANGUAGES[data.ConsumeIntInRange(0, len(targets.LANGUAGES) - 1)]
    ),
}


def main() -> int:
    """Runs the targets, each in a process of its own; the number of those that broke."""
    parser = argparse.ArgumentParser(prog="make fuzz", description=__doc__)
    parser.add_argument(
        "target", nargs="*", choices=[[], *TARGETS], help=f"of {', '.join(TARGETS)}; else all"
    )
    parser.add_argument("--seconds", type=int, default=60, help="for each target")
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.here:
        return _fuzz(options.target[0], options.seconds)
    broken = []
    for name in options.target or TARGETS:
        print(f"fuzzing {name} for {options.seconds} s", flush=True)
        command = [sys.executable, "-m", "tests.fuzz", name, "--here", "--seconds", str(options.seconds)]
        if subprocess.run(command, check=False).returncode:
            broken.append(name)
    print(f"broken: {', '.join(broken) or 'none'}")
    return len(broken)


def _fuzz(name: str, seconds: int) -> int:
    folder = FOUND / name
    (folder / "corpus").mkdir(parents=True, exist_ok=True)
    options = [
        f"-max_total_time={seconds}",
        f"-timeout={SLOWEST}",
        f"-artifact_prefix={folder}/",
        "-verbosity=0",
    ]
    run = TARGETS[name]
    atheris.Setup(
        ["fuzz", *options, str(folder / "corpus")], lambda raw: run(atheris.FuzzedDataProvider(raw))
    )
    atheris.Fuzz()
    return 0


if __name__ == "__main__":
    sys.exit(main())
