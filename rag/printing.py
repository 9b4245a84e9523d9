"""An answer as plain text with its sources, for terminals and for other programs' models."""

from rag.schema import Answer, Citation

_DOUBTS = {"weak": "Only partly borne out", "unsupported": "Not borne out by the articles"}


def answer_text(answer: Answer, *, quotes: bool = False) -> str:
    """The text, what each `[n]` cites (with its words if `quotes`), doubts, and where to read on."""
    lines = [answer.text, ""]
    lines += [f"[{c.number}] {_with_quote(c) if quotes else place(c)}" for c in answer.citations]
    doubts = [statement for statement in answer.statements if statement.status in _DOUBTS]
    if doubts:
        lines += ["", *(f"{_DOUBTS[statement.status]}: {statement.text}" for statement in doubts)]
    if answer.further:
        lines += ["", "Weiterlesen:" if answer.language == "de" else "Read on:"]
        lines += [f"  {_with_quote(c)}" for c in answer.further]
    return "\n".join(lines).rstrip()


def place(citation: Citation) -> str:
    """Title, outlet, date, page and offsets; what is unknown is left out, the article's id remains."""
    day = citation.published.isoformat() if citation.published else None
    page = f"p. {citation.page}" if citation.page else None
    stated = ", ".join(part for part in (citation.title, citation.outlet, day, page) if part)
    return f"{stated or citation.article_id} ({citation.article_id}:{citation.start}-{citation.end})"


def _with_quote(citation: Citation) -> str:
    return f"{place(citation)}: {' '.join(citation.quote.split())}"
