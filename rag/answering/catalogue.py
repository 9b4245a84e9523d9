"""Answers to questions about the dossier itself, from the library: counts, lists, dates, sources, authors."""

import functools
import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from rag.answering.compose import quoted
from rag.answering.disagreement import MOST_COMPARED, Difference, side_by_side
from rag.answering.texts import Texts, values
from rag.answering.work import Only, Outcome, SumUp
from rag.question.kind import Request, Subject, Talk, kind_of
from rag.question.known import Known, people
from rag.question.query import understand
from rag.retrieval.retriever import Retriever
from rag.schema import Article, Citation, Span, Statement, cite
from rag.store.library import Library
from rag.store.library_rows import Listed, Selection
from rag.text.analysis import words
from rag.text.languages import STOP

TASK = "a task"
"""The reason given when a task is declined."""
MOST_LISTED = 10
"""Most articles that an answer names; the articles page lists all."""
_FIRST_LINE = 300
_LEAST_WITHIN = 6  # least letters of a word that is also searched inside others: „Gas“ is in „Gasse“
_ADJECTIVE_ENDING = re.compile(r"(?<=\w{3})(?:ого|ому|им)\b")
_CASE_ENDING = re.compile(r"(?<=\w{3})(?:ові|еві|ою|ею|ом|ем|[ауіюя])\b")

_Line = tuple[str, str | None]
"""A line of an answer, and the id of the article that it cites, if any."""

Differing = Callable[[str | None, str, frozenset[str]], tuple[Sequence[Difference], int]]
"""What the articles with some ids say differently, about something in a language or at all; and how many of
them were compared."""


class Catalogue:
    """Answers from the library alone. Safe to use from several threads."""

    def __init__(self, library: Library, differing: Differing) -> None:
        self.library, self._differing = library, differing
        self._known_at = functools.lru_cache(1)(self._known)

    def kind(self, question: str) -> Request | Talk | None:
        """The question as a request to the library, or as talk; None where the articles answer."""
        found = kind_of(question, self.known)
        if isinstance(found, Request) and found.about and found.asks in ("who", "when", "where"):
            return found if self._rows(found, None) else None  # in these words no article mentions it
        return found

    def answer(self, asked: Request | Talk, only: Only = None) -> Outcome:
        """The answer to a question about the dossier, or to talk."""
        found, lines = list[Difference](), list[_Line]()
        if isinstance(asked, Talk):
            text = Texts(asked.language)
            opening = "" if asked.about == "self" else text(asked.about)
            about_me = text("about_me", articles=text.articles(self.library.counts().articles))
            lines = [(f"{opening} {about_me}".strip(), None)]
        elif asked.asks == "contradictions":
            lines, found = self._compared(asked, only)
        else:
            lines = self._tell(asked, only)
        whole, statements, citations = self._written(lines)
        sides, pairs = side_by_side(found)
        for pair in pairs:  # each with both sentences below the two values
            both = [sides[number - 1] for number in pair.citations]
            whole, quotations = quoted(both, asked.language, f"{whole}\n\n{values(pair.said)}")
            statements += quotations
        if isinstance(asked, Talk) and asked.about == "task":
            return Outcome(whole, (), (), "none", TASK)
        return Outcome(whole, tuple(statements), (*citations, *sides), contradictions=pairs)

    def _written(self, lines: Sequence[_Line]) -> tuple[str, list[Statement], list[Citation]]:
        """The lines as paragraphs; a heading with a single article is one: „Der neueste Artikel: …“"""
        if len(lines) == 2 and lines[0][0].endswith(":") and lines[1][1]:
            lines = [(f"{lines[0][0]} {lines[1][0]}", lines[1][1])]
        articles = {each.id: each for each in self.library.articles([id for _, id in lines if id])}
        whole, statements, citations = "", list[Statement](), list[Citation]()
        for line, id in lines:
            written, numbers, start = line, tuple[int, ...](), len(whole) + 2 * bool(whole)
            if id in articles:
                numbers = (len(citations) + 1,)
                written = f"{line} [{numbers[0]}]"
                citations.append(cite(articles[id], self.place(articles[id]), numbers[0], "no claim"))
            whole += ("\n\n" if whole else "") + written
            statements.append(Statement(line, numbers, "no claim", start, start + len(written)))
        return whole, statements, citations

    def _compared(self, asked: Request, only: Only) -> tuple[list[_Line], list[Difference]]:
        """What the selected articles say differently, and the line that says how many were compared."""
        text, rows = Texts(asked.language), self._rows(replace(asked, about=None), only)
        found, compared = self._differing(asked.about, asked.language, frozenset(row.id for row in rows))
        if not compared:
            older = text("not_compared", n=MOST_COMPARED)
            return [(older if rows and not asked.about else self._none(asked, text), None)], []
        found = list(found[:MOST_LISTED])
        about = text("on", text.quoted(asked.about)) if asked.about else ""
        one, many = text.at("differ")
        opening = text.at("none_differ") if not found else one if len(found) == 1 else many
        line = opening.format(articles=text.articles(compared), about=about, n=len(found))
        return [(line, None)], found

    def to_sum_up(self, asked: Request, only: Only = None) -> SumUp:
        """The articles that a request for a summary means; none where nothing fits."""
        rows = self._rows(asked, only)
        if asked.order:
            rows = rows[:1] if asked.order == "newest" else rows[-1:]
        text = Texts(asked.language)
        return SumUp(tuple(row.id for row in rows), {row.id: _named(row, text) for row in rows}, asked.limit)

    @property
    def known(self) -> Known:
        """The names and titles in the library at its current revision."""
        return self._known_at(self.library.revision)

    def _known(self, _revision: int) -> Known:
        rows = self.library.listed()
        titles = ((row.id, row.title) for row in rows if row.title)
        return Known(_distinct(row.outlet for row in rows), _distinct(row.author for row in rows), titles)

    def place(self, article: Article) -> Span:
        """The place that a citation of a whole article opens: its title, or its first sentence."""
        title = next((aside for aside in article.asides if aside.kind == "title"), None)
        if title is not None:
            return title.start, title.end
        chunks = self.library.chunks_of(article.id)
        sentence = next((span for chunk in chunks for span in chunk.sentences), None)
        return sentence or (0, min(len(article.text), _FIRST_LINE))

    def _tell(self, asked: Request, only: Only) -> list[_Line]:
        text, rows = Texts(asked.language), self._rows(asked, only)
        subject = asked.group or asked.subject
        if not rows:
            return [(self._none(asked, text), None)]
        if subject == "period":
            return _period(rows, text)
        if subject != "articles":
            return _groups(subject, rows, text)
        if asked.order:
            return _first(asked, rows, text)
        articles = _listed(rows[: asked.limit], text, with_author=asked.asks == "who")
        return [(self._opening(asked, rows, text), None), *articles]

    def _rows(self, asked: Request, only: Only) -> list[Listed]:
        """The articles that fit the request, newest first."""
        if asked.unknown or asked.unknown_title:
            return []
        ids = asked.titles if only is None else only & (asked.titles or only)
        if asked.about:
            found = frozenset(self._mentioned(asked.about, asked.language))
            ids = found if ids is None else ids & found
        by = tuple((name.outlets, name.authors) for name in asked.named)
        first, last = (asked.days.first, asked.days.last) if asked.days else (None, None)
        selection = Selection(ids, by, first, last, asked.weekday, asked.genre, asked.written_in)
        return self.library.listed(selection)

    def _mentioned(self, about: str, language: str) -> set[str]:
        """Ids of the articles with all these words, also inside others: Garantien in Sicherheitsgarantien."""
        mentioning = Retriever(self.library).mentioning
        found = mentioning(understand(about, language).concepts)
        if not found and language == "uk":  # names back in the nominative: Зеленського, Петерсена, Мерцом
            nominative = _CASE_ENDING.sub("", _ADJECTIVE_ENDING.sub("ий", about))
            found = mentioning(understand(nominative, "uk").concepts)
        said = [word for word in words(about) if word.lower() not in STOP[language]]
        if said and min(map(len, said)) >= _LEAST_WITHIN:
            found |= self.library.containing(said)
        return found

    def _opening(self, asked: Request, rows: Sequence[Listed], text: Texts) -> str:
        """The line above a list: who, when or where if it is the same for all, else "3 of 5 articles"."""
        authors, days = _distinct(row.author for row in rows), {row.published for row in rows}
        if asked.asks == "who" and authors:
            return text("written_by", names=", ".join(authors))
        if asked.asks == "when" and len(days) == 1 and (day := next(iter(days))):
            return text("appeared", day=text.day(day))
        if asked.asks == "where" and (outlets := _distinct(row.outlet for row in rows)):
            return text("appeared_in", names=", ".join(outlets))
        everything = self.library.counts().articles
        if what := _what(asked, text):
            return text("of", n=len(rows), all=everything, what=what)
        if len(rows) < everything:  # the reader has chosen articles
            return f"{text.articles(len(rows))}:"
        return text("holds", articles=text.articles(everything))

    def _none(self, asked: Request, text: Texts) -> str:
        """The line that nothing fits, with what exists instead."""
        counts = self.library.counts()
        if asked.unknown:
            authors = sorted({name for author in self.known.authors for name in people(author)})
            outlets, names = (
                ", ".join([*each[:MOST_LISTED], *(["…"] if len(each) > MOST_LISTED else [])]) or "–"
                for each in (self.known.outlets, authors)
            )
            return text("none_of", name=asked.unknown, outlets=outlets, authors=names)
        if not counts.articles:
            return text("holds", articles=text.articles(0))
        line = text("no_article", what=_what(asked, text), articles=text.articles(counts.articles))
        if counts.first and counts.last:
            line += text("ranging", first=text.day(counts.first), last=text.day(counts.last))
        return f"{line}."


def _listed(rows: Sequence[Listed], text: Texts, *, with_author: bool = False) -> list[_Line]:
    """The articles up to `MOST_LISTED`, and how many more there are."""
    lines: list[_Line] = [(_named(row, text, with_author=with_author), row.id) for row in rows[:MOST_LISTED]]
    return [*lines, *_more(rows, text)]


def _more(listed: Sequence[object], text: Texts) -> list[_Line]:
    more = len(listed) - MOST_LISTED
    return [(text("more", n=more), None)] if more > 0 else []


def _first(asked: Request, rows: Sequence[Listed], text: Texts) -> list[_Line]:
    """The newest or oldest articles: as many as asked for, else all of that day."""
    dated = [row for row in rows if row.published] or list(rows)
    if asked.order == "oldest":
        dated.reverse()
    of_that_day = [row for row in dated if row.published == dated[0].published]
    first = dated[: asked.limit] if asked.limit else of_that_day
    one, many = text.at(str(asked.order))
    heading = one if len(first) == 1 else many
    return [(heading, None), *_listed(first, text, with_author=asked.asks == "who")]


def _period(rows: Sequence[Listed], text: Texts) -> list[_Line]:
    """From when to when, with the first and the last article."""
    dated, lines = [row for row in rows if row.published], list[_Line]()
    if dated:
        first, last = text.day(dated[-1].published), text.day(dated[0].published)
        lines = [(text("period", articles=text.articles(len(dated)), first=first, last=last), None)]
        lines += [(_named(row, text), row.id) for row in dict.fromkeys((dated[-1], dated[0]))]
    if len(dated) < len(rows):
        lines.append((text("undated", articles=text.articles(len(rows) - len(dated))), None))
    return lines


def _groups(subject: Subject, rows: Sequence[Listed], text: Texts) -> list[_Line]:
    """How many articles each outlet, author or language has, most first, each with its newest one."""
    column, unstated = {
        "outlets": ("outlet", text("no_outlet")),
        "authors": ("author", text("no_author")),
        "languages": ("language", "?"),
    }[subject]
    said = [(name, row) for row in rows for name in people(getattr(row, column) or "")]
    spelt = {name.lower(): name for name in sorted({name for name, _ in said})}  # THE HERALD is The Herald
    stated = [(spelt[name.lower()] or None, row) for name, row in said]
    counted, newest = Counter(name for name, _ in stated), dict(reversed(stated))
    groups = sorted(counted.items(), key=lambda group: (group[0] is None, -group[1], group[0] or ""))
    lines: list[_Line] = [(text(subject, n=len(counted.keys() - {None})), None)]
    for name, n in groups[:MOST_LISTED]:
        shown = _language(name, text) if subject == "languages" and name else name or unstated
        lines.append((f"{shown}: {text.articles(n)}", newest[name].id))
    return [*lines, *_more(groups, text)]


def _named(row: Listed, text: Texts, *, with_author: bool = False) -> str:
    """An article in a list: „Sieben Monate bis Alaska“, taz, 15.08.2025."""
    title = text.quoted(row.title) if row.title else f"{text('no_title')} ({row.id})"
    author = (row.author or text("no_author")) if with_author else None
    return ", ".join(part for part in (title, author, row.outlet, text.day(row.published)) if part)


def _what(asked: Request, text: Texts) -> str:
    """The filters in words, as understood."""
    parts = [name.said for name in asked.named]
    parts += [text.quoted(title) for title in (asked.unknown_title,) if title]
    parts += [text.days(asked.days.first, asked.days.last)] if asked.days else []
    parts += [] if asked.weekday is None else [text.at("weekdays")[asked.weekday]]
    parts += [_language(asked.written_in, text)] if asked.written_in else []
    parts += [text.at("genres")[asked.genre == "comment"]] if asked.genre else []
    parts += [text("mentions", text.quoted(asked.about))] if asked.about else []
    return "; ".join(parts)


def _language(code: str, text: Texts) -> str:
    return str(text.at("names").get(code, code))


def _distinct(values: Iterable[str | None]) -> list[str]:
    return sorted({value for value in values if value})
