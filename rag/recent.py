"""What was worked out of late, up to a bound; the longest unused is forgotten first."""

from __future__ import annotations

import threading
from collections.abc import Hashable
from typing import Generic, TypeVar

Value = TypeVar("Value")


class Recent(Generic[Value]):
    """Values by key. Thread-safe."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._values: dict[Hashable, Value] = {}
        self._changing = threading.Lock()

    def get(self, key: Hashable) -> Value | None:
        """The value, which counts as used by that; None when it is not (or no longer) there."""
        with self._changing:
            value = self._values.pop(key, None)
            if value is not None:
                self._values[key] = value
            return value

    def put(self, key: Hashable, value: Value) -> None:
        """Keeps the value."""
        with self._changing:
            self._values.pop(key, None)
            self._values[key] = value
            if len(self._values) > self._most:
                del self._values[next(iter(self._values))]
