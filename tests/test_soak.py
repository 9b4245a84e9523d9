"""Protects the long run: half a minute of everything at once through all doors, and what counts as a leak."""

from __future__ import annotations

import sys

import pytest

from tests import soak
from tests.usage import MOST_GROWTH, Usage, growth, leaks

STEADY = Usage(memory=500, files=60, sockets=5, threads=20)


def grown(**more: float) -> Usage:
    return Usage(*(getattr(STEADY, name) + more.get(name, 0) for name in Usage.__slots__))


@pytest.mark.parametrize("name", Usage.__slots__)
def test_what_grows_beyond_its_bound_is_a_leak(name: str) -> None:
    rising = [grown(**{name: step * getattr(MOST_GROWTH, name) / 4}) for step in range(20)]
    (leak,) = leaks(rising)
    assert leak.startswith(f"{name} grew by")


def test_what_fills_in_the_warm_up_is_none() -> None:
    warming = [grown(memory=-200 + 40 * step) for step in range(5)]
    assert leaks([*warming, *[STEADY] * 15]) == []
    assert growth([STEADY] * 8) == Usage(0, 0, 0, 0)


def test_a_trace_in_the_log_is_a_mistake_and_a_warning_is_none() -> None:
    fine = "2026-11-21 12:00:00 WARNING rag.serve.api.rest: a stream failed: the model broke off [a1]"
    wrong = "2026-11-21 12:00:00 ERROR rag.serve.chat.conversation: a question failed unexpectedly [a2]"
    assert soak.mistakes(f"{fine}\n{wrong}\nTraceback (most recent call last):") == [
        wrong,
        "Traceback (most recent call last):",
    ]


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="what a process holds is read from /proc")
def test_half_a_minute_of_everything_leaves_nothing_wrong(capsys: pytest.CaptureFixture[str]) -> None:
    assert soak.run(minutes=0.35, seed=7) == []
    assert "rest" in capsys.readouterr().out
