"""How many questions are answered at the same time, and how many may wait: first come, first served."""

from __future__ import annotations

import threading
from collections.abc import Iterator

from rag.errors import Overloaded

_SECONDS_BETWEEN_LOOKS = 0.5


class Gate:
    """Seats for questions that are being answered, and a bounded queue before them. Thread-safe."""

    def __init__(self, seats: int, waiting: int) -> None:
        self.seats = seats
        self.waiting = waiting
        self.taken = 0
        """Seats that are taken now."""
        self._queue: list[object] = []
        self._changed = threading.Condition()

    def enter(self) -> Iterator[int]:
        """Takes a seat; until there is one, yields now and then how many questions are before this one.

        Whoever takes a seat must `leave`; who stops iterating before gives up the place in the queue.
        Raises Overloaded at once when too many wait already.
        """
        ticket = object()
        with self._changed:
            if self.taken < self.seats and not self._queue:
                self.taken += 1
                return
            if len(self._queue) >= self.waiting:
                raise Overloaded("too many questions at once; please try again in a minute")
            self._queue.append(ticket)
        try:
            while not self._seated(ticket):
                yield self._queue.index(ticket) + 1
        finally:
            with self._changed:
                if ticket in self._queue:
                    self._queue.remove(ticket)
                    self._changed.notify_all()

    def leave(self) -> None:
        """Frees a seat for the next question."""
        with self._changed:
            self.taken -= 1
            self._changed.notify_all()

    def _seated(self, ticket: object) -> bool:
        """Whether it was this one's turn within a short while."""
        with self._changed:
            free = self._changed.wait_for(
                lambda: self.taken < self.seats and self._queue[0] is ticket, _SECONDS_BETWEEN_LOOKS
            )
            if free:
                self._queue.pop(0)
                self.taken += 1
                self._changed.notify_all()
            return free
