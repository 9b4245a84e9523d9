"""Turns at the processor: a bounded number of threads work at a time, the most urgent first.

Threads share Python's lock: of fifty that work at the same time all are late, and of fifty that work one
after the other only the last is.
"""

from __future__ import annotations

import heapq
import itertools
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager


class Turns:
    """Seats for work that waits for nothing but the processor. Thread-safe; not to be taken twice at once."""

    def __init__(self, seats: int = 1) -> None:
        self._free = seats
        self._waiting: list[tuple[float, int, threading.Lock]] = []
        self._arrivals = itertools.count()
        self._changing = threading.Lock()

    @contextmanager
    def take(self, patience: float = 0.0) -> Iterator[None]:
        """A turn, once it is this one's: as if it had come `patience` seconds later.

        So what can wait lets others pass, and yet its turn comes.
        """
        if ticket := self._queued(patience):
            ticket.acquire()
        try:
            yield
        finally:
            self._pass_on()

    def _queued(self, patience: float) -> threading.Lock | None:
        """Takes a free seat; where there is none, the lock that opens with the turn."""
        with self._changing:
            if self._free:
                self._free -= 1
                return None
            ticket = threading.Lock()
            ticket.acquire()
            heapq.heappush(self._waiting, (time.monotonic() + patience, next(self._arrivals), ticket))
            return ticket

    def _pass_on(self) -> None:
        with self._changing:
            if self._waiting:
                heapq.heappop(self._waiting)[2].release()
            else:
                self._free += 1
