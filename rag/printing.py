"""An answer as plain text with its sources, for terminals and for other programs' models."""

from rag.answering.texts import say
from rag.schema import Answer, Citation


def answer_text(answer: Answer, *, quotes: bool = False) -> str:
    """The text, what each `[n]` cites (with its words if `quotes`), doubts, and where to read on."""
    doubts = [
        f"{say(each.status, answer.language)}: {each.text}"
        for each in answer.statements
        if each.status in ("weak", "unsupported")
    ]
    cited = [f"[{c.number}] {_with_quote(c) if quotes else place(c)}" for c in answer.citations]
    further = [say("read_on", answer.language), *(f"  {_with_quote(c)}" for c in answer.further)]
    blocks = ([answer.text], cited, doubts, further if answer.further else [])
    return "\n\n".join("\n".join(lines) for lines in blocks if lines)


def place(citation: Citation) -> str:
    """Title, outlet, date, page and offsets; what is unknown is left out, the article's id remains."""
    day = citation.published.isoformat() if citation.published else None
    page = f"p. {citation.page}" if citation.page else None
    stated = ", ".join(part for part in (citation.title, citation.outlet, day, page) if part)
    return f"{stated or citation.article_id} ({citation.article_id}:{citation.start}-{citation.end})"


def _with_quote(citation: Citation) -> str:
    return f"{place(citation)}: {' '.join(citation.quote.split())}"
