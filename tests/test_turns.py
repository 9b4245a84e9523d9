"""Protects the order at the processor: one after the other, first come first, what can wait later."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

from rag.recent import Recent
from rag.turns import Turns

PATIENT = 3600.0


def order_of(turns: Turns, *waits: tuple[str, float]) -> list[str]:
    """Who came when, of several that ask for a turn in this order while it is taken."""
    came: list[str] = []

    def work(name: str, patience: float) -> None:
        with turns.take(patience):
            came.append(name)

    with ThreadPoolExecutor(len(waits)) as pool, turns.take():
        for queued, wait in enumerate(waits, 1):
            pool.submit(work, *wait)
            while len(turns._waiting) < queued:
                time.sleep(0.001)
    return came


def test_turns_come_in_the_order_of_arrival() -> None:
    assert order_of(Turns(), ("a", 0), ("b", 0), ("c", 0)) == ["a", "b", "c"]


def test_what_can_wait_lets_others_pass() -> None:
    assert order_of(Turns(), ("later", PATIENT), ("a", 0), ("b", 0)) == ["a", "b", "later"]


def test_what_has_waited_long_enough_is_passed_no_more() -> None:
    assert order_of(Turns(), ("long ago", -PATIENT), ("a", 0)) == ["long ago", "a"]


def test_no_more_than_the_seats_work_at_a_time() -> None:
    turns, working, most = Turns(seats=2), 0, 0
    counting = threading.Lock()

    def work() -> None:
        nonlocal working, most
        with turns.take():
            with counting:
                working += 1
                most = max(most, working)
            time.sleep(0.002)
            with counting:
                working -= 1

    with ThreadPoolExecutor(8) as pool:
        for _ in range(20):
            pool.submit(work)
    assert most <= 2


def test_a_turn_that_fails_is_passed_on() -> None:
    turns = Turns()
    for _ in range(2):
        try:
            with turns.take():
                raise ValueError
        except ValueError:
            pass
    assert turns._free == 1


def test_the_longest_unused_is_forgotten_first() -> None:
    recent = Recent[str](2)
    recent.put("a", "A")
    recent.put("b", "B")
    assert recent.get("a") == "A"
    recent.put("c", "C")
    assert [recent.get(key) for key in "abc"] == ["A", None, "C"]
