"""Answers as records, with what readers thought of them: one bounded SQLite file in the data folder.

Where the folder cannot be written, records are kept in memory until the program ends, and the log says so.
"""

import json
import logging
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

from rag.schema import Message

Json = dict[str, Any]
Rating = Literal["up", "down"]
Reason = Literal["wrong", "off_topic", "unsupported", "incomplete"]
"""Reasons for rating an answer down."""

FILE = "records.sqlite"
MOST = 10_000
MOST_IN_MEMORY = 500
LONGEST = 200  # most answers of a conversation to look up

_CREATE = """
create table if not exists answers (
    id text primary key,
    answer text not null,
    history text not null,
    rating text check (rating in ('up', 'down')),
    note text not null default '',
    previous text,
    reason text
) strict
"""
_ADDED = ("previous", "reason")  # columns that earlier versions lack
_CONVERSATION = """
with recursive said(id, answer, previous, n) as (
    select id, answer, previous, 1 from answers where id = ?
    union all
    select a.id, a.answer, a.previous, n + 1 from answers a join said on a.id = said.previous where n < ?
)
select answer from said order by n
"""
# rated answers are deleted last
_FORGET = """
delete from answers where id in (
    select id from answers order by rating is not null, rowid
    limit max(0, (select count(*) from answers) - ?)
)
"""

log = logging.getLogger(__name__)


class Records:
    """Answers by id. Safe to use from several threads, and from several processes."""

    def __init__(self, folder: Path | None, most: int = MOST) -> None:
        """Opens the records in `folder`, of which the `most` latest are kept; None keeps them in memory."""
        self.most = most
        self._lock = threading.Lock()
        try:
            self._connection = _connect(folder)
        except (OSError, sqlite3.Error) as exc:
            log.warning("answers and feedback are not stored, %s cannot be written: %s", folder, exc)
            folder = None
            self._connection = _connect(None)
        if folder is None:
            self.most = min(most, MOST_IN_MEMORY)

    def put(self, answer: Json, history: Sequence[Message] = (), previous: str | None = None) -> None:
        """Stores an answer (from `answer_to_dict`), the earlier messages used, the id of the one before."""
        said = [{"role": message.role, "content": message.content} for message in history]
        row = (answer["id"], _dumped(answer), _dumped(said), previous)
        self._run("insert or replace into answers (id, answer, history, previous) values (?, ?, ?, ?)", row)
        self._run(_FORGET, (self.most,))

    def get(self, ident: str) -> Json | None:
        """The answer with this id, None when it is not (or no longer) there."""
        rows = self._run("select answer from answers where id = ?", (ident,))
        return json.loads(rows[0][0]) if rows else None

    def conversation(self, ident: str) -> list[Json]:
        """The answers of a conversation up to the one with this id, oldest first; none if it is gone."""
        rows = self._run(_CONVERSATION, (ident, LONGEST))
        return [json.loads(answer) for (answer,) in reversed(rows)]

    def rate(self, ident: str, rating: Rating | None, note: str = "", reason: Reason | None = None) -> bool:
        """Records a rating, None to take it back; returns whether the answer exists."""
        sql = "update answers set rating = ?, note = ?, reason = ? where id = ?"
        return bool(self._run(f"{sql} returning id", (rating, note, reason, ident)))

    def rating(self, ident: str) -> Rating | None:
        """The rating of an answer."""
        rows = self._run("select rating from answers where id = ?", (ident,))
        return rows[0][0] if rows else None

    def cases(self) -> Iterator[Json]:
        """Rated answers as evaluation cases, oldest first.

        {"id": "feedback-3f…", "question": "Wer …?", "lang": "de", "history": [],
         "tags": ["thumbs-down", "wrong"], "note": ""}
        """
        columns = "answer, history, rating, reason, note"
        sql = f"select {columns} from answers where rating is not null order by rowid"
        for answer, history, rating, reason, note in self._run(sql):
            record = json.loads(answer)
            yield {
                "id": f"feedback-{record['id']}",
                "question": record["question"],
                "lang": record["language"],
                "history": json.loads(history),
                "tags": [f"thumbs-{rating}", *([reason] if reason else [])],
                "note": note,
            }

    def close(self) -> None:
        """Closes the file; records in memory are gone."""
        with self._lock:
            self._connection.close()

    def _run(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """The rows of a statement in a transaction of its own; none when it fails, which the log says."""
        with self._lock:
            try:
                with self._connection:
                    return self._connection.execute(sql, values).fetchall()
            except sqlite3.Error as exc:
                log.warning("answers' records cannot be used: %s", exc)
                return []


def feedback_jsonl(records: Records) -> str:
    """The rated answers as an evaluation set: a case a line, for `python -m eval`."""
    return "".join(_dumped(case) + "\n" for case in records.cases())


def _connect(folder: Path | None) -> sqlite3.Connection:
    """The records of a folder, or without one in memory. Raises OSError and sqlite3.Error."""
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
    path = ":memory:" if folder is None else folder / FILE
    connection = sqlite3.connect(path, check_same_thread=False, timeout=5)
    try:
        connection.execute("pragma journal_mode = wal")
        connection.execute("pragma synchronous = normal")
        with connection:
            connection.execute(_CREATE)
            there = {row[1] for row in connection.execute("pragma table_info(answers)")}
            for column in sorted(set(_ADDED) - there):
                connection.execute(f"alter table answers add column {column} text")
            connection.execute("update answers set note = note where false")  # fails where it is read-only
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def _dumped(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
