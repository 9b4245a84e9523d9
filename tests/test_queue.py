"""Protects many readers from each other: a bounded number is served, first come, first served."""

from __future__ import annotations

import threading

import pytest

from rag.errors import Overloaded
from rag.serve.queue import Queue


def test_a_free_seat_is_taken_without_waiting() -> None:
    queue = Queue(seats=2, waiting=0)
    assert [list(queue.enter()), list(queue.enter())] == [[], []]


def test_whoever_finds_the_queue_full_is_told_at_once() -> None:
    queue = Queue(seats=1, waiting=0)
    list(queue.enter())
    with pytest.raises(Overloaded, match="try again"):
        next(queue.enter())


def test_who_waits_learns_how_many_are_before() -> None:
    queue = Queue(seats=1, waiting=2)
    list(queue.enter())
    first, second = queue.enter(), queue.enter()
    assert (next(first), next(second)) == (1, 2)
    first.close()
    assert next(second) == 1


def test_a_seat_goes_to_who_came_first() -> None:
    queue = Queue(seats=1, waiting=5)
    list(queue.enter())
    order: list[int] = []
    waiting = [queue.enter() for _ in range(3)]
    for each in waiting:
        next(each)

    def sit(i: int) -> None:
        list(waiting[i])
        order.append(i)
        queue.leave()

    threads = [threading.Thread(target=sit, args=(i,)) for i in reversed(range(3))]
    for thread in threads:
        thread.start()
    queue.leave()
    for thread in threads:
        thread.join(timeout=60)
    assert order == [0, 1, 2]


def test_giving_up_makes_room_in_the_queue() -> None:
    queue = Queue(seats=1, waiting=1)
    list(queue.enter())
    waiting = queue.enter()
    next(waiting)
    waiting.close()
    again = queue.enter()
    assert next(again) == 1
    queue.leave()
    assert list(again) == []
