"""A program in a process of its own, which does what it is told and says how long that took."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_MEGABYTE = 1024  # of the kilobytes in /proc
_SECONDS_BETWEEN_LOOKS = 0.25


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

    def watched(self, name: str) -> tuple[Done, float]:
        """Has the program do it; the most memory in MB that it was seen to have meanwhile."""
        seen, over = [self.memory()], threading.Event()

        def look() -> None:
            while not over.wait(_SECONDS_BETWEEN_LOOKS):
                seen.append(self.memory())

        watching = threading.Thread(target=look)
        watching.start()
        try:
            return self(name), max(seen)
        finally:
            over.set()
            watching.join()

    def memory(self) -> float:
        """Memory in MB that it and the processes it began have now."""
        return memory_of(self._process.pid)


def memory_of(pid: int) -> float:
    """Memory in MB of a process and those it began; pages that they share count once (PSS)."""
    try:
        rollup = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")
        tasks = list(Path(f"/proc/{pid}/task").iterdir())
    except OSError:  # it has ended
        return 0.0
    children: list[str] = []
    for task in tasks:
        with suppress(OSError):  # a thread that has ended
            children += (task / "children").read_text().split()
    line = next((line for line in rollup.splitlines() if line.startswith("Pss:")), "Pss: 0 kB")
    return int(line.split()[1]) / _MEGABYTE + sum(memory_of(int(child)) for child in children)


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
        value = getattr(subject, name)(*arguments)
        seconds = time.perf_counter() - started
        print(json.dumps([value, seconds]), file=answers, flush=True)


def _program(name: str) -> Any:
    # each in its own process, with nothing of the other's loaded
    if name == "ours":
        from tests.bench.ours import Ours

        return Ours
    from tests.bench.stock import Stock

    return Stock


if __name__ == "__main__":
    main()
