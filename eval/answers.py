"""The weakest answers of a run, each with its question, the right place and what it cites, side by side."""

from __future__ import annotations

from collections.abc import Sequence

from eval.markup import Content, Markup, tag
from eval.measures import is_right
from eval.metrics import says, touches, without_markers
from eval.record import Json, Row, Run
from eval.words import Words

SHOWN = 20
_GOODNESS = (
    *("abstention_right", "evidence_hit", "fact_recall", "citation_recall", "quote_exact"),
    *("article_hit@10", "judge_faithfulness"),
)


def goodness(row: Row) -> float:
    """How good an answer is, 0 to 1: the mean of what is known of it; -1 where the case failed."""
    if row.error is not None:
        return -1.0
    # where only retrieval was measured, by how well it ranked
    known = [row.measures[name] for name in _GOODNESS if name in row.measures and _counts(name, row)]
    if "forbidden_rate" in row.measures:
        known.append(1 - row.measures["forbidden_rate"])
    return sum(known) / len(known) if known else 1.0


def _counts(name: str, row: Row) -> bool:
    return name != "article_hit@10" or row.answer is None


def weakest(run: Run, most: int = SHOWN) -> list[Row]:
    """The rows that fall short, worst first; of those as bad the surest answer comes first."""
    short = [row for row in run.rows if goodness(row) < 1]
    return sorted(short, key=lambda row: (goodness(row), -float((row.answer or {}).get("confidence", 0))))[
        :most
    ]


def outcome(row: Row, words: Words) -> str:
    """What became of a case, in a word."""
    if row.error is not None:
        return words.error
    if row.answer and row.answer["abstained"] and row.case.answerable is not True:
        return words.declined
    right = is_right(row.case, row.measures)
    return "" if right is None else words.right if right else words.wrong


def answer_cards(run: Run, words: Words) -> Markup:
    """The section of the weakest answers."""
    cards = [_card(row, words) for row in weakest(run)]
    return tag(
        "section",
        tag("h2", words.worst_title),
        tag("p", words.worst_note if cards else words.none_wrong, class_="lead"),
        cards,
    )


def _card(row: Row, words: Words) -> Markup:
    case = row.case
    known = [text for text in (case.id, case.type, case.lang) if text]
    badges = [tag("span", text, class_="badge") for text in _faults(row, words)]
    return tag(
        "article",
        tag("header", tag("span", " · ".join(known)), badges),
        _history(row, words),
        tag("h3", case.question),
        tag(
            "div",
            tag("div", tag("h4", words.answer), _answer(row), _facts(row, words)),
            tag("div", tag("h4", words.gold), _gold(row, words)),
            tag("div", tag("h4", words.cited), _cited(row, words)),
            class_="columns",
        ),
        class_="card",
    )


def _faults(row: Row, words: Words) -> list[str]:
    measures, case = row.measures, row.case
    if row.error is not None:
        return [words.error]
    if measures.get("abstention_right") == 0:
        return [words.wrongly_answered if case.answerable is False else words.wrongly_declined]
    found = {
        words.missed: measures.get("evidence_hit", 1) == 0,
        words.facts_missing: measures.get("fact_recall", 1) < 1,
        words.unsupported: measures.get("citation_recall", 1) < 1,
        words.inexact: measures.get("quote_exact", 1) < 1,
        words.forbidden: measures.get("forbidden_rate", 0) > 0,
    }
    return [fault for fault, is_so in found.items() if is_so]


def _history(row: Row, words: Words) -> Markup | None:
    if not row.case.history:
        return None
    turns = [tag("p", f"{turn.role}: {turn.content}") for turn in row.case.history]
    return tag("div", tag("p", tag("strong", words.conversation)), turns, class_="history")


def _answer(row: Row) -> Content:
    if row.error is not None:
        return tag("p", f"{row.error['type']}: {row.error['message']}", class_="warning")
    return tag("p", row.answer["text"]) if row.answer else None


def _facts(row: Row, words: Words) -> Markup | None:
    if not row.case.facts or row.answer is None:
        return None
    text = without_markers(row.answer["text"])
    items = []
    for ways in row.case.facts:
        said = any(says(text, way) for way in ways)
        label = f"{'✓' if said else '✗'} {' / '.join(ways)} ({words.said if said else words.not_said})"
        items.append(tag("li", label, class_=None if said else "no"))
    return tag("div", tag("h4", words.facts), tag("ul", items, class_="facts"))


def _gold(row: Row, words: Words) -> Content:
    if row.case.answerable is False:
        return tag("p", words.unanswerable)
    if not row.gold:
        return tag("p", words.no_gold)
    return [
        tag(
            "blockquote",
            tag("p", _marked(str(place["text"]), row.case.evidence)),
            tag("footer", _source(place)),
        )
        for place in row.gold
    ]


def _marked(text: str, fragments: Sequence[str]) -> list[Content]:
    """The text with the evidence fragments in it marked."""
    spans = sorted((at, at + len(f)) for f in fragments if f and (at := text.find(f)) >= 0)
    pieces: list[Content] = []
    end = 0
    for low, high in spans:
        if low >= end:
            pieces += [text[end:low], tag("mark", text[low:high])]
            end = high
    return [*pieces, text[end:]]


def _cited(row: Row, words: Words) -> Content:
    citations: Sequence[Json] = row.answer["citations"] if row.answer else ()
    if not citations:
        return tag("p", words.nothing_cited)
    gold = [(g["article_id"], g["start"], g["end"]) for g in row.gold]
    return [
        tag(
            "blockquote",
            tag("p", tag("mark", c["quote"]) if (hit := _hits(c, gold)) else str(c["quote"])),
            tag("footer", f"[{c['number']}] {_source(c)} · {words.status[c['status']]}"),
            class_="hit" if hit else None,
        )
        for c in citations
    ]


def _hits(citation: Json, gold: Sequence[tuple[str, int, int]]) -> bool:
    span = (citation["article_id"], citation["start"], citation["end"])
    return any(touches(span, place) for place in gold)


def _source(place: Json) -> str:
    named = [place.get("outlet"), place.get("title")]
    return ", ".join(str(name) for name in named if name) or str(place["article_id"])
