"""Which n-grams stand in which texts."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
from numpy.typing import NDArray


def present(grams: Collection[str], texts: Sequence[str]) -> NDArray[np.bool_]:
    """Which text has which n-gram; shape (texts, grams)."""
    found = [[gram in text for gram in grams] for text in texts]
    return np.array(found, dtype=bool).reshape(len(texts), len(grams))
