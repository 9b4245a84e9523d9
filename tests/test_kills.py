"""Protects the articles from `kill -9`: a sync that is killed at any moment loses nothing (`make faults`)."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.kill_sync import rounds
from tests.test_sync import House

TIMES = 5


@pytest.mark.slow
def test_killed_syncs_leave_a_whole_version_and_the_next_one_completes(tmp_path: Path) -> None:
    found = rounds(House(tmp_path), TIMES, random.Random(1))
    assert found.keys() <= {"old", "new"}
    assert found.total() == TIMES
