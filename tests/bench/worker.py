"""A program in a process of its own, which does what it is told and says how long that took."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_MEGABYTE = 1024  # of the kilobytes in /proc


@dataclass(frozen=True, slots=True)
class Done:
    """What a call returned, and its seconds."""

    value: Any
    seconds: float


class Worker:
    """The other end of a worker process."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def __call__(self, name: str, *arguments: str) -> Done:
        """Has the program do it; raises RuntimeError when that failed."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps([name, *arguments]) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"the benchmark's worker ended while it was to {name} {arguments}")
        value, seconds = json.loads(line)
        return Done(value, seconds)

    def memory(self, field: str = "VmRSS") -> float:
        """Memory in MB: `VmRSS` now, `VmHWM` the most it had."""
        status = Path(f"/proc/{self._process.pid}/status").read_text(encoding="ascii")
        line = next(line for line in status.splitlines() if line.startswith(field))
        return int(line.split()[1]) / _MEGABYTE


@contextmanager
def worker(program: str, articles: Path, data: Path) -> Iterator[Worker]:
    """Starts `ours` or `stock`; all that it imports is imported before the first call."""
    command = [sys.executable, "-m", "tests.bench.worker", program, str(articles), str(data)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield Worker(process)
        finally:
            assert process.stdin is not None
            process.stdin.close()
            process.wait()


def main() -> None:
    """Reads calls from stdin, a JSON list a line, and answers with value and seconds."""
    program, articles, data = sys.argv[1:]
    subject = _program(program)(Path(articles), Path(data))
    answers, sys.stdout = sys.stdout, sys.stderr  # whatever is printed meanwhile is no answer
    for line in sys.stdin:
        name, *arguments = json.loads(line)
        started = time.perf_counter()
        value = peak_of_children() if name == "peak_of_children" else getattr(subject, name)(*arguments)
        seconds = time.perf_counter() - started
        print(json.dumps([value, seconds]), file=answers, flush=True)


def peak_of_children() -> float:
    """The most memory, in MB, that one of the processes had which the program began and which have ended."""
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / _MEGABYTE


def _program(name: str) -> Any:
    # each in its own process, with nothing of the other's loaded
    if name == "ours":
        from tests.bench.ours import Ours

        return Ours
    from tests.bench.stock import Stock

    return Stock


if __name__ == "__main__":
    main()
