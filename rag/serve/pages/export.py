"""Conversations and answers to keep: Markdown, HTML and Word to read, JSON for programs, with the evidence.

A turn is `{"question", "record"}` with an answer as `answer_to_dict` writes it, or `{"question", "text"}`
with the draft of one that was stopped, or `cut` by leaving the page. `changed` says for a citation
whether its article has changed since.
"""

import io
import json
import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import takewhile
from typing import Any, Literal

from markupsafe import Markup

from rag.i18n import Words
from rag.schema import Citation, Filters
from rag.serve.links import STATIC, label
from rag.serve.pages.catalogue import parts
from rag.serve.views import page
from rag.wire import answer_from_dict

Turn = dict[str, Any]
Form = Literal["md", "json", "html", "docx"]
Changed = Callable[[Citation], bool]

_ACTIVE = re.compile(r"[\\`*_\[\]<>|~#$!]|^[-+](?=\s)|^\d+(?=[.)])", re.MULTILINE)
_MARKER = re.compile(r"\[\d{1,3}\]")
_ESCAPED_MARKER = re.compile(r"\\\[(\d{1,3})\\\]")
_UNWRITABLE = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML, and so a Word file, cannot hold."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A question with its answer, for all forms of export.

    `note` says why an answer without a record is incomplete; `verbatim` that the answer consists of its
    quotes, after `lead`; `among` which articles could answer, if not all; `doubts` are sentences that are not
    fully supported, each with its status.
    """

    question: str
    paragraphs: Sequence[str] = ()
    note: str = ""
    verbatim: bool = False
    lead: Sequence[str] = ()
    among: str = ""
    doubts: Sequence[tuple[str, str]] = ()
    quotes: Sequence[Citation] = ()
    wrote: str = ""
    index: str = ""
    created: str = ""


def conversation(
    form: Form,
    title: str,
    turns: Sequence[Turn],
    words: Words,
    changed: Changed,
    *,
    base: str = "",
    today: date | None = None,
) -> bytes:
    """A file of a conversation with quotes, places, hashes, model and index; as JSON with the records.

    The links of HTML lead to the Beleg at the address `base`. Raises BadRequest when a record is none.
    """
    saved = words("export.saved", date=today or datetime.now(UTC).date())  # Gespeichert am 2. Januar 2026 …
    entries = [entry_of(turn, words) for turn in turns]
    told: dict[str, Any] = {"title": title, "saved": saved, "entries": entries, "changed": changed}
    if form == "docx":
        return _docx(words, **told)
    if form == "json":
        text = _json(title, turns, changed)
    else:
        style = Markup((STATIC / "kept.css").read_text(encoding="utf-8"))
        text = page(f"kept.{form}", words, plain=_plain, style=style, base=base, **told)
    # what a browser sends can hold a lone surrogate, which cannot be encoded
    return text.encode("utf-8", "replace")


def _docx(words: Words, title: str, saved: str, entries: Sequence[Entry], changed: Changed) -> bytes:
    import docx  # takes a third of a second

    document = docx.Document()

    def paragraph(text: str, style: str | None = None) -> None:
        document.add_paragraph(_writable(text), style)

    document.core_properties.title, document.core_properties.author = _writable(title)[:255], "Beleg"
    document.add_heading(_writable(title), 0)
    paragraph(saved, "Subtitle")
    for entry in entries:
        document.add_heading(_writable(entry.question), 1)
        if entry.among:
            paragraph(entry.among)
        for text in entry.lead if entry.verbatim else entry.paragraphs:
            paragraph(text)
        for status, text in entry.doubts:
            paragraph(f"{status}: {text}", "List Bullet")
        for each in entry.quotes:
            paragraph(f"[{each.number}] {each.quote}", "Intense Quote" if entry.verbatim else "Quote")
            place = words("export.place", start=str(each.start), end=str(each.end))
            details = f"{each.article_id}, {place}, {words('export.hash')} {each.sha256[:12]}"
            flag = f" – {words('answer.outdated')}" if changed(each) else ""
            paragraph(f"{label(each, words)} ({details}){flag}")
        index = f"{words('export.index')}: {entry.index}"
        made = f"{words('export.answer')}: {entry.wrote} · {index} · {entry.created}"
        document.add_paragraph().add_run(_writable(entry.note or made)).italic = True
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def _json(title: str, turns: Sequence[Turn], changed: Changed) -> str:
    """The records as they are, and for each citation whether it has `changed`."""
    told = []
    for turn in turns:
        if record := turn.get("record"):
            pairs = zip(record["citations"], answer_from_dict(record).citations, strict=True)
            citations = [{**sent, "changed": changed(citation)} for sent, citation in pairs]
            turn = {**turn, "record": {**record, "citations": citations}}
        told.append(turn)
    return json.dumps({"title": title, "turns": told}, ensure_ascii=False, indent=2)


def file_name(title: str, suffix: str) -> str:
    """A name for the file: the title's letters and digits.

    >>> file_name("Wer? Und „wann“?", "md")
    'beleg-wer-und-wann.md'
    """
    slug = re.sub(r"[^0-9a-zäöüß]+", "-", title.lower()).strip("-")[:60].strip("-")
    return f"beleg-{slug or 'antwort'}.{suffix}"


def entry_of(turn: Turn, words: Words) -> Entry:
    """The entry of a turn. Raises BadRequest when its record is none."""
    if not turn.get("record"):
        draft = _MARKER.sub("", str(turn.get("text") or "")).strip()
        note = words("answer.cut" if turn.get("cut") else "answer.stopped")
        return Entry(turn["question"], [draft] if draft else [], note)
    answer = answer_from_dict(turn["record"])
    told = {status: words(f"answer.{status}") for status in ("weak", "unsupported")}
    quotes = {citation.quote for citation in answer.citations}
    created = answer.created
    with suppress(ValueError, OverflowError):  # what is no time stays as it is
        at = datetime.fromisoformat(created).astimezone(UTC)
        created = f"{words.long_date(at)}, {at:%H:%M} UTC"
    titles = {each.article.id: each.article.title for each in answer.passages}
    titles |= {each.article_id: each.title for each in answer.citations}
    known = {id: title for id, title in titles.items() if title}
    chosen = " · ".join(name for name, _ in parts(answer.filters or Filters(), known, words))
    paragraphs = answer.text.strip().split("\n\n")
    # that it is unsure, or stands in the place of what a model wrote, is no quote
    lead = takewhile(lambda each: not _MARKER.search(each), paragraphs)
    return Entry(
        turn["question"],
        paragraphs,
        lead=[*lead] if answer.certainty == "unsure" or answer.reason else (),
        verbatim=bool(quotes) and {statement.text for statement in answer.statements} <= quotes,
        doubts=[(told[each.status], each.text) for each in answer.statements if each.status in told],
        among=words("export.among", names=chosen) if chosen else "",
        quotes=answer.citations,
        wrote=answer.model or words("answer.extractive"),
        index=answer.index_fingerprint,
        created=created,
    )


def _writable(text: str) -> str:
    return _UNWRITABLE.sub("\ufffd", text)


def _plain(text: str, *, marks: bool = False) -> str:
    """Text that Markdown shows as it is, but for the `marks` [n].

    >>> _plain("*nicht* [1] <b>", marks=True)
    '\\\\*nicht\\\\* [1] \\\\<b\\\\>'
    """
    escaped = _ACTIVE.sub(lambda found: f"\\{found[0]}" if not found[0].isdigit() else f"{found[0]}\\", text)
    return _ESCAPED_MARKER.sub(r"[\1]", escaped) if marks else escaped
