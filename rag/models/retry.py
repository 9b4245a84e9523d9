"""The one retry layer in front of every provider; the clients below it never try again by themselves."""

from __future__ import annotations

import random
import time

from rag.errors import ProviderError, ProviderRateLimited, ProviderUnavailable
from rag.models.faults import is_quota, retry_after

FIRST_WAIT = 0.5
"""Seconds before the second try where the server asks for no other time; doubled for each further one."""

PASSING = (ProviderUnavailable, ProviderRateLimited)
"""Errors that may be gone a moment later; a timeout has cost time enough."""


def wait_to_retry(
    error: ProviderError,
    cause: Exception,
    attempt: int,
    *,
    retries: int,
    longest: float,
) -> bool:
    """Waits before another try, as long as the server asks for; False when none shall be made.

    `attempt` counts from 0. None is made after `retries`, for an error that time does not mend, and
    where the wait would be over `longest` seconds.
    """
    if not isinstance(error, PASSING) or is_quota(cause) or attempt >= retries:
        return False
    asked = retry_after(cause)
    wait = FIRST_WAIT * 2**attempt * random.uniform(1, 1.5) if asked is None else asked
    if wait > longest:
        return False
    time.sleep(wait)
    return True
