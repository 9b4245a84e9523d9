"""Protects readers' feedback: stored with its answer, bounded, and never in the way of an answer."""

from __future__ import annotations

import json
import logging
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from rag.schema import Message
from rag.store.answers import FILE, Records, feedback_jsonl


def answer(ident: str, question: str = "Wer?") -> dict[str, object]:
    return {"id": ident, "question": question, "language": "de", "text": "„Sie“ [1]"}


def test_an_answer_comes_back_as_it_was_put_even_after_a_restart(tmp_path: Path) -> None:
    records = Records(tmp_path)
    records.put(answer("a"))
    records.close()
    assert Records(tmp_path).get("a") == answer("a")
    assert Records(tmp_path).get("b") is None


def test_rated_answers_are_evaluation_cases_with_their_history(tmp_path: Path) -> None:
    records = Records(tmp_path)
    records.put(answer("a"))
    records.put(answer("b", "Und wann?"), [Message("user", "Wer?"), Message("assistant", "Sie.")])
    assert records.rate("b", "down", "zu kurz", "incomplete")
    assert list(records.cases()) == [
        {
            "id": "feedback-b",
            "question": "Und wann?",
            "lang": "de",
            "history": [{"role": "user", "content": "Wer?"}, {"role": "assistant", "content": "Sie."}],
            "tags": ["thumbs-down", "incomplete"],
            "note": "zu kurz",
        }
    ]


def test_a_rating_is_taken_back(tmp_path: Path) -> None:
    records = Records(tmp_path)
    records.put(answer("a"))
    records.rate("a", "up")
    assert records.rating("a") == "up"
    records.rate("a", None)
    assert records.rating("a") is None
    assert feedback_jsonl(records) == ""


def test_an_unknown_answer_cannot_be_rated(tmp_path: Path) -> None:
    assert not Records(tmp_path).rate("nobody", "up")


def test_feedback_is_a_case_a_line(tmp_path: Path) -> None:
    records = Records(tmp_path)
    for ident in ("a", "b"):
        records.put(answer(ident, "Größe?\nJa"))
        records.rate(ident, "down")
    lines = feedback_jsonl(records).splitlines()
    assert [json.loads(line)["question"] for line in lines] == ["Größe?\nJa"] * 2


def test_the_oldest_are_forgotten_and_rated_ones_last(tmp_path: Path) -> None:
    records = Records(tmp_path, most=3)
    for ident in "abcde":
        records.put(answer(ident))
        if ident == "a":
            records.rate("a", "up")
    assert [ident for ident in "abcde" if records.get(ident)] == ["a", "d", "e"]


def test_a_conversation_is_found_by_its_last_answer(tmp_path: Path) -> None:
    records = Records(tmp_path)
    for ident, previous in [("a", None), ("b", "a"), ("c", "b"), ("other", "a"), ("loop", "loop")]:
        records.put(answer(ident), previous=previous)
    assert [each["id"] for each in records.conversation("c")] == ["a", "b", "c"]
    assert [each["id"] for each in records.conversation("other")] == ["a", "other"]
    assert {each["id"] for each in records.conversation("loop")} == {"loop"}
    assert records.conversation("nobody") == []


def test_records_of_an_earlier_version_go_on(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / FILE)) as old, old:
        old.execute("create table answers (id text primary key, answer text not null, history text not null,"
                    " rating text, note text not null default '') strict")  # fmt: skip
        old.execute("insert into answers (id, answer, history) values ('a', '{\"id\": \"a\"}', '[]')")
    records = Records(tmp_path)
    records.put(answer("b"), previous="a")
    assert [each["id"] for each in records.conversation("b")] == ["a", "b"]


def test_where_nothing_can_be_written_records_live_in_memory_and_the_log_says_so(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("no folder")
    with caplog.at_level(logging.WARNING):
        records = Records(tmp_path / "file")
    assert "not stored" in caplog.text
    records.put(answer("a"))
    assert records.rate("a", "up")
    assert records.get("a") == answer("a")


def test_a_read_only_file_is_found_out_at_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / FILE).write_bytes(b"this is no database at all" * 100)
    records = Records(tmp_path)
    assert "not stored" in caplog.text
    records.put(answer("a"))
    assert records.get("a")


def test_two_processes_share_the_records(tmp_path: Path) -> None:
    one, other = Records(tmp_path), Records(tmp_path)
    one.put(answer("a"))
    assert other.rate("a", "down")
    assert one.rating("a") == "down"
