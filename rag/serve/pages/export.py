"""Conversations and answers to keep: Markdown to read, JSON for programs, both with the whole evidence.

A turn is `{"question", "record"}` with an answer as `answer_to_dict` writes it, or `{"question", "text"}`
with the draft of one that was stopped. `changed` tells for a citation whether its article is another than
the one that was cited.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime
from typing import Any

from rag.i18n import Words
from rag.schema import Answer, Citation
from rag.serve.pages.places import label
from rag.wire import Json, answer_from_dict

Turn = dict[str, Any]
Changed = Callable[[Citation], bool]

_ACTIVE = re.compile(r"[\\`*_\[\]<>|~#$!]|^[-+](?=\s)|^\d+(?=[.)])", re.MULTILINE)
_MARKER = re.compile(r"\[(\d{1,3})\]")


def conversation_markdown(
    title: str, turns: Sequence[Turn], words: Words, changed: Changed, today: date | None = None
) -> str:
    """A conversation with quotes, places, hashes, model and index, as Markdown.

    Raises BadRequest when a record is none.
    """
    saved = words("export.saved", date=today or datetime.now(UTC).date())
    blocks = [f"# {_plain(title)}", f"*{saved}*"]
    for turn in turns:
        blocks += _turn(turn, words, changed)
    return "\n\n".join(blocks) + "\n"


def conversation_json(title: str, turns: Sequence[Turn], changed: Changed) -> str:
    """A conversation as JSON: the records as they are, and for each citation whether it has `changed`.

    Raises BadRequest when a record is none.
    """
    return json.dumps(
        {"title": title, "turns": [_flagged(turn, changed) for turn in turns]}, ensure_ascii=False, indent=2
    )


def file_name(title: str, suffix: str) -> str:
    """A name for the file: the title's letters and digits.

    >>> file_name("Wer? Und „wann“?", "md")
    'beleg-wer-und-wann.md'
    """
    slug = re.sub(r"[^0-9a-zäöüß]+", "-", title.lower()).strip("-")[:60].strip("-")
    return f"beleg-{slug or 'antwort'}.{suffix}"


def _turn(turn: Turn, words: Words, changed: Changed) -> Iterator[str]:
    yield f"## {_plain(turn['question'])}"
    if not turn.get("record"):
        if draft := str(turn.get("text") or "").strip():
            yield _plain(_MARKER.sub("", draft))
        yield f"*{words('answer.stopped')}*"
        return
    answer = answer_from_dict(turn["record"])
    for paragraph in answer.text.strip().split("\n\n"):
        yield _text(paragraph)
    if remarks := _remarks(answer, words):
        yield remarks
    for citation in answer.citations:
        yield _quoted(citation, words, stale=changed(citation))
    yield _colophon(answer, words)


def _text(paragraph: str) -> str:
    """Foreign text with its `[n]` kept readable."""
    pieces = _MARKER.split(paragraph)
    shown = [_plain(piece) if i % 2 == 0 else f"[{piece}]" for i, piece in enumerate(pieces)]
    return "".join(shown)


def _remarks(answer: Answer, words: Words) -> str:
    """The sentences that their sources do not fully support."""
    told = {"weak": words("answer.weak"), "unsupported": words("answer.unsupported")}
    doubtful = [statement for statement in answer.statements if statement.status in told]
    return "\n".join(f"- *{told[each.status]}:* {_plain(each.text)}" for each in doubtful)


def _quoted(citation: Citation, words: Words, *, stale: bool) -> str:
    place = words("export.place", start=str(citation.start), end=str(citation.end))
    details = [f"`{citation.article_id}`", place, f"{words('export.hash')} `{citation.sha256[:12]}`"]
    flag = f" – **{words('answer.outdated')}**" if stale else ""
    quote = "\n> ".join(_plain(citation.quote).splitlines())
    return (
        f"> [{citation.number}] {quote}\n>\n> {_plain(label(citation, words))} ({', '.join(details)}){flag}"
    )


def _colophon(answer: Answer, words: Words) -> str:
    wrote = answer.model or words("answer.extractive")
    index = f"{words('export.index')}: `{answer.index_fingerprint}`"
    return f"*{words('export.answer')}: {_plain(wrote)} · {index} · {answer.created}*"


def _flagged(turn: Turn, changed: Changed) -> Json:
    if not turn.get("record"):
        return dict(turn)
    answer, record = answer_from_dict(turn["record"]), turn["record"]
    citations = [
        {**sent, "changed": changed(citation)}
        for sent, citation in zip(record["citations"], answer.citations, strict=True)
    ]
    return {**turn, "record": {**record, "citations": citations}}


def _plain(text: str) -> str:
    """Text that Markdown shows as it is.

    >>> _plain("*nicht* <b>")
    '\\\\*nicht\\\\* \\\\<b\\\\>'
    """
    return _ACTIVE.sub(lambda match: f"\\{match[0]}" if not match[0].isdigit() else f"{match[0]}\\", text)
