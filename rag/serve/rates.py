"""How often one client may do a thing: token buckets, bounded in number. Thread-safe."""

from __future__ import annotations

import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable

_MOST_CLIENTS = 10_000


class Rates:
    """`most` at once, and as many again in `seconds`, for each client."""

    def __init__(self, most: int, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.most = most
        self.seconds = seconds
        self._clock = clock
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._changing = threading.Lock()

    def wait(self, client: str) -> int:
        """Whole seconds until the client may do it (again), 0 when it may now; takes nothing."""
        with self._changing:
            left, _ = self._now(client)
            return 0 if left >= 1 else max(1, math.ceil((1 - left) * self.seconds / self.most))

    def take(self, client: str) -> int:
        """As `wait`; where it may, it has done so."""
        if waiting := self.wait(client):
            return waiting
        with self._changing:
            left, now = self._now(client)
            self._left[client] = (left - 1, now)
            self._left.move_to_end(client)
            while len(self._left) > _MOST_CLIENTS:
                self._left.popitem(last=False)
        return 0

    def _now(self, client: str) -> tuple[float, float]:
        """What is left to the client, and the time."""
        now = self._clock()
        left, then = self._left.get(client, (float(self.most), now))
        return min(self.most, left + (now - then) * self.most / self.seconds), now
