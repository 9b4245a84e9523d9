"""Conversations and answers to keep: Markdown, HTML and Word to read, JSON for programs, with the evidence.

A turn is `{"question", "record"}` with an answer as `answer_to_dict` writes it, or `{"question", "text"}`
with the draft of one that was stopped, or `cut` by leaving the page. `changed` tells for a citation
whether its article is another than the one that was cited.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from rag.i18n import Words
from rag.schema import Citation
from rag.serve.assets import STATIC
from rag.serve.pages.places import citation_path, label
from rag.serve.views import page
from rag.wire import Json, answer_from_dict

if TYPE_CHECKING:
    from docx.document import Document

Turn = dict[str, Any]
Changed = Callable[[Citation], bool]

_ACTIVE = re.compile(r"[\\`*_\[\]<>|~#$!]|^[-+](?=\s)|^\d+(?=[.)])", re.MULTILINE)
_MARKER = re.compile(r"\[(\d{1,3})\]")
_UNWRITABLE = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML, and so a Word file, cannot hold."""


@dataclass(frozen=True, slots=True)
class Quoted:
    """A cited place: its number, its words, where they stand and whether the article has changed since."""

    number: int
    quote: str
    source: str
    article_id: str
    place: str
    sha256: str
    address: str
    changed: bool


@dataclass(frozen=True, slots=True)
class Entry:
    """A question with its answer, as every form of a kept conversation tells it.

    `note` says of an answer without a record why it is not complete; `verbatim` that the answer is nothing
    but its quotes; `doubts` are sentences that are not fully supported, each with its status.
    """

    question: str
    paragraphs: Sequence[str] = ()
    note: str = ""
    verbatim: bool = False
    doubts: Sequence[tuple[str, str]] = ()
    quotes: Sequence[Quoted] = ()
    wrote: str = ""
    index: str = ""
    created: str = ""


def entries(turns: Iterable[Turn], words: Words, changed: Changed) -> list[Entry]:
    """What there is to tell of each turn. Raises BadRequest when a record is none."""
    return [_entry(turn, words, changed) for turn in turns]


def saved(words: Words, today: date | None = None) -> str:
    """Gespeichert am 2. Januar 2026 mit Beleg"""
    return words("export.saved", date=today or datetime.now(UTC).date())


def conversation_markdown(
    title: str, turns: Sequence[Turn], words: Words, changed: Changed, today: date | None = None
) -> str:
    """A conversation with quotes, places, hashes, model and index, as Markdown.

    Raises BadRequest when a record is none.
    """
    blocks = [f"# {_plain(title)}", f"*{saved(words, today)}*"]
    for entry in entries(turns, words, changed):
        blocks += _markdown(entry, words)
    return "\n\n".join(blocks) + "\n"


def conversation_html(title: str, turns: Sequence[Turn], words: Words, changed: Changed, base: str) -> str:
    """A conversation as one HTML file; its links lead to the Beleg at the address `base`.

    Raises BadRequest when a record is none.
    """
    style = Markup((STATIC / "kept.css").read_text(encoding="utf-8"))
    told = entries(turns, words, changed)
    return page("kept.html", words, title=title, entries=told, saved=saved(words), style=style, base=base)


def conversation_docx(title: str, turns: Sequence[Turn], words: Words, changed: Changed) -> bytes:
    """A conversation as a Word file. Raises BadRequest when a record is none."""
    import docx  # takes a third of a second

    document = docx.Document()
    document.core_properties.title, document.core_properties.author = _writable(title)[:255], "Beleg"
    document.add_heading(_writable(title), 0)
    document.add_paragraph(saved(words), "Subtitle")
    for entry in entries(turns, words, changed):
        _write(document, entry, words)
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


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


def _entry(turn: Turn, words: Words, changed: Changed) -> Entry:
    if not turn.get("record"):
        draft = _MARKER.sub("", str(turn.get("text") or "")).strip()
        note = words("answer.cut" if turn.get("cut") else "answer.stopped")
        return Entry(turn["question"], [draft] if draft else [], note)
    answer = answer_from_dict(turn["record"])
    told = {"weak": words("answer.weak"), "unsupported": words("answer.unsupported")}
    quotes = {citation.quote for citation in answer.citations}
    return Entry(
        turn["question"],
        answer.text.strip().split("\n\n"),
        verbatim=bool(quotes) and {statement.text for statement in answer.statements} <= quotes,
        doubts=[(told[each.status], each.text) for each in answer.statements if each.status in told],
        quotes=[_quoted(citation, words, changed) for citation in answer.citations],
        wrote=answer.model or words("answer.extractive"),
        index=answer.index_fingerprint,
        created=_time(answer.created, words),
    )


def _time(created: str, words: Words) -> str:
    """2. Januar 2026, 13:05 UTC; what is no time stays as it is."""
    try:
        at = datetime.fromisoformat(created).astimezone(UTC)
    except (ValueError, OverflowError):
        return created
    return f"{words.long_date(at)}, {at:%H:%M} UTC"


def _quoted(citation: Citation, words: Words, changed: Changed) -> Quoted:
    return Quoted(
        citation.number,
        citation.quote,
        label(citation, words),
        citation.article_id,
        words("export.place", start=str(citation.start), end=str(citation.end)),
        citation.sha256[:12],
        citation_path(citation),
        changed(citation),
    )


def _markdown(entry: Entry, words: Words) -> Iterator[str]:
    yield f"## {_plain(entry.question)}"
    yield from map(_text, entry.paragraphs)
    if entry.note:
        yield f"*{entry.note}*"
        return
    if entry.doubts:
        yield "\n".join(f"- *{told}:* {_plain(text)}" for told, text in entry.doubts)
    for each in entry.quotes:
        details = f"`{each.article_id}`, {each.place}, {words('export.hash')} `{each.sha256}`"
        flag = f" – **{words('answer.outdated')}**" if each.changed else ""
        quote = "\n> ".join(_plain(each.quote).splitlines())
        yield f"> [{each.number}] {quote}\n>\n> {_plain(each.source)} ({details}){flag}"
    index = f"{words('export.index')}: `{entry.index}`"
    yield f"*{words('export.answer')}: {_plain(entry.wrote)} · {index} · {entry.created}*"


def _text(paragraph: str) -> str:
    """Foreign text with its `[n]` kept readable."""
    pieces = _MARKER.split(paragraph)
    shown = [_plain(piece) if i % 2 == 0 else f"[{piece}]" for i, piece in enumerate(pieces)]
    return "".join(shown)


def _write(document: Document, entry: Entry, words: Words) -> None:
    """Adds a question and its answer to a Word file."""
    document.add_heading(_writable(entry.question), 1)
    for paragraph in [] if entry.verbatim else entry.paragraphs:
        document.add_paragraph(_writable(paragraph))
    if entry.note:
        document.add_paragraph().add_run(entry.note).italic = True
        return
    for told, text in entry.doubts:
        document.add_paragraph(_writable(f"{told}: {text}"), "List Bullet")
    for each in entry.quotes:
        document.add_paragraph(
            _writable(f"[{each.number}] {each.quote}"), "Intense Quote" if entry.verbatim else "Quote"
        )
        changed = f" – {words('answer.outdated')}" if each.changed else ""
        details = f"{each.article_id}, {each.place}, {words('export.hash')} {each.sha256}"
        document.add_paragraph(_writable(f"{each.source} ({details}){changed}"))
    told = (
        f"{words('export.answer')}: {entry.wrote} · {words('export.index')}: {entry.index} · {entry.created}"
    )
    document.add_paragraph().add_run(_writable(told)).italic = True


def _writable(text: str) -> str:
    return _UNWRITABLE.sub("\ufffd", text)


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
