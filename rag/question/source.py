"""The source that a question names: an outlet, an author, a title, a day or a kind of article."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

from rag.question.days import DATE, Days, days_of
from rag.question.known import QUOTED, Known, Named, base
from rag.question.query import detect_language
from rag.schema import Genre, Span
from rag.text.analysis import fold, tokens, words
from rag.text.languages import STOP, pattern, word_set

LEAST_NAME = 3
"""Least letters of a name that identifies a source."""
BETWEEN = 3
"""Most words between „laut“ and the like and the source's name: „laut einem Bericht der taz“."""

_SAYS, _BY, _VIEW, _ARTICLE, _COMMENTS, _STANDS = (
    re.compile(pattern(f"source.{name}"), re.IGNORECASE)
    for name in ("says", "by", "view", "article", "comments", "stands")
)
_IN, _FROM, _DETERMINERS, _AND, _LIGHT, _HAS, _DOES = (
    word_set(f"source.{name}") for name in ("inside", "of", "determiner", "also", "light", "has", "does")
)
_QUOTED = re.compile(QUOTED)


@dataclass(frozen=True, slots=True)
class Source:
    """The articles that a question names as its source, and what it asks of them.

    `asks` is the question without the words for the source; `sought`, used for the search, keeps authors,
    because they speak in their articles.
    """

    asks: str
    sought: str
    named: tuple[Named, ...] = ()
    titles: frozenset[str] | None = None
    days: Days | None = None
    genre: Genre | None = None

    @property
    def asks_more(self) -> bool:
        """Whether it asks for something particular; „Was schreibt die taz?“ does not."""
        stop = STOP[detect_language(self.asks)]
        said = [word for word in words(self.asks) if word.lower() not in stop]
        return not all(_SAYS.fullmatch(word) or _STANDS.fullmatch(word) for word in said)


_Found = tuple[Span, Source]
"""A source, and the span of the words that name it."""


def source_of(question: str, known: Known) -> Source | None:
    """The source that a question names; None where it names none.

    >>> source_of("Was berichtet die taz über Proteste?", known).asks
    'Was über Proteste?'
    """
    said = tokens(question)
    cut: list[_Found] = []
    for found in chain(
        _title(question, said, known), _day(question, said), _comments(said), _name(said, known)
    ):
        (low, high), _ = found
        if not any(low < end and start < high for (start, end), _ in cut):
            cut.append(found)
    if not cut:
        return None
    spoken = [span for span, part in cut if any(name.authors for name in part.named)]
    titles = [part.titles for _, part in cut if part.titles is not None]
    return Source(
        _without(question, [span for span, _ in cut]),
        _without(question, [span for span, _ in cut if span not in spoken]),
        tuple(name for _, part in cut for name in part.named),
        frozenset.union(*titles) if titles else None,
        next((part.days for _, part in cut if part.days), None),
        next((part.genre for _, part in cut if part.genre), None),
    )


def _without(question: str, cut: Sequence[Span]) -> str:
    rest, at = "", 0
    for start, end in sorted(cut):
        rest, at = rest + question[at:start], end
    left = " ".join((rest + question[at:]).split())
    return re.sub(r" (?=[?!,.;:])", "", left).lstrip(" ,:;–")


_Said = Sequence[tuple[str, int, int]]


def _title(question: str, said: _Said, known: Known) -> Iterator[_Found]:
    """A title, quoted or not, after words that make it a source: „im Artikel ‚…‘“."""
    for quoted in _QUOTED.finditer(question):
        before = [i for i, word in enumerate(said) if word[2] <= quoted.start()]
        start = _source_begins(said, len(before)) if before else None
        if start is not None and (ids := known.titled(quoted[1])):
            yield (start, quoted.end()), Source("", "", titles=ids)
    for i in range(1, len(said)):
        length, value = known.whole_at([word for word, _, _ in said[i:]])
        if isinstance(value, frozenset) and (start := _source_begins(said, i)) is not None:
            yield (start, said[i + length - 1][2]), Source("", "", titles=value)


def _source_begins(said: _Said, at: int) -> int | None:
    """Start of the words that make the name at `at` a source: „im Artikel“, „laut dem Text“, „in“."""
    found = None
    for word, start, _ in reversed(said[max(0, at - 4) : at]):
        lower = word.lower()
        if _ARTICLE.fullmatch(lower) or _BY.fullmatch(lower) or lower in _IN:
            found = start
        elif lower not in _LIGHT:
            break
    return found


def _day(question: str, said: _Said) -> Iterator[_Found]:
    """A date beside a word for article: „im Text vom 19. August“."""
    for date in DATE.finditer(question):
        at = sum(end <= date.start() for _, _, end in said)
        if at < 2 or said[at - 1][0].lower() not in _FROM | _IN | {"am", "on"}:
            continue
        noun = next((i for i in range(at - 2, max(-1, at - 5), -1) if _ARTICLE.fullmatch(said[i][0])), None)
        if noun is not None and (days := days_of(date.group())):
            start = _source_begins(said, at)
            yield (said[noun][1] if start is None else start, date.end()), Source("", "", days=days)


def _comments(said: _Said) -> Iterator[_Found]:
    """Comments as a source: „in den Kommentaren“, „Was sagen die Kommentare …?“."""
    for i, (word, _, end) in enumerate(said):
        if not _COMMENTS.fullmatch(word) or i == 0:
            continue
        before = [other.lower() for other, _, _ in said[max(0, i - 2) : i]]
        if before[-1] not in _DETERMINERS | {"in"}:
            continue
        if word.lower() == "opinion":
            if i + 1 >= len(said) or said[i + 1][0].lower() not in ("pieces", "articles"):
                continue
            end = said[i + 1][2]
        if not _IN.isdisjoint(before) or any(_SAYS.fullmatch(other) for other in before):
            first = i - 1 if before[0] not in _IN else max(0, i - 2)
            yield (said[first][1], end), Source("", "", genre="comment")


def _name(said: _Said, known: Known) -> Iterator[_Found]:
    """Known outlets and authors after words that make them a source."""
    i = 0
    while i < len(said):
        length, named = _name_at(said, i, known)
        start = _named_as_source(said, i, length, named) if named else None
        if named is None or start is None:
            i += 1
            continue
        i += length
        yield (start, said[i - 1][2]), Source("", "", named=(named,))
        while i + 1 < len(said) and said[i][0].lower() in _AND:  # „Küstenkurier und Bote“
            further = i + 1 + (said[i + 1][0].lower() in _DETERMINERS)
            length, named = _name_at(said, further, known)
            if named is None:
                break
            yield (said[i][1], said[further + length - 1][2]), Source("", "", named=(named,))
            i = further + length
        if i < len(said) and _BY.fullmatch(said[i][0]):
            yield said[i][1:], Source("", "")


def _name_at(said: _Said, at: int, known: Known) -> tuple[int, Named | None]:
    length, value = known.part_at([word for word, _, _ in said[at : at + 6]])
    return length, _narrowed(value, said, at) if isinstance(value, Named) else None


def _narrowed(name: Named, said: _Said, at: int) -> Named | None:
    """Outlets and authors whose last word the name ends with; any, if „die“ is before it."""
    if all(word.lower() in STOP["de"] or len(word) < LEAST_NAME for word in name.said.split()):
        return None
    determined = at > 0 and said[at - 1][0].lower() in _DETERMINERS and name.said[0].isupper()
    last = fold(name.said.split()[-1])
    outlets = frozenset(
        each for each in name.outlets if determined or any(last.startswith(head) for head in _heads(each))
    )
    authors = frozenset(each for each in name.authors if any(last.startswith(head) for head in _heads(each)))
    return Named(name.said, outlets, authors) if outlets or authors else None


def _heads(name: str) -> set[str]:
    """The last words of a name and of its part in parentheses: „Digest (nach taz)“ is also the taz."""
    last = (words(part)[-1] for part in re.split(r"[()/,:|]", name) if words(part))
    return {form for word in last for form in (fold(word), base(word))}


def _named_as_source(said: _Said, at: int, length: int, name: Named) -> int | None:
    """Start of the words that make the name a source; None if nothing does."""
    first = at
    while first > 0 and at - first < BETWEEN and said[first - 1][0].lower() in _LIGHT:
        first -= 1
    before, behind = (said[first - 1][0] if first else ""), [word for word, _, _ in said[at + length :]]
    own = said[at - 1][1] if at and said[at - 1][0].lower() in _DETERMINERS else said[at][1]
    if _SAYS.fullmatch(before):  # „Was schreibt die taz …?“
        return said[first - 1][1]
    if _BY.fullmatch(before) or _VIEW.fullmatch(before) or (_ARTICLE.fullmatch(before) and first < at):
        return _source_begins(said, at) or said[first - 1][1]
    in_it = before.lower() in _IN or (first < at and said[first][0].lower() in _IN)
    if name.outlets and in_it and any(_STANDS.fullmatch(word) for word, _, _ in said):
        return said[first - 1][1] if before.lower() in _IN else said[first][1]
    # „Hat die taz … berichtet?“, "What does X say …?", „X zufolge“
    has = before.lower() in _HAS and behind and _SAYS.fullmatch(behind[-1])
    does = any(word.lower() in _DOES for word, _, _ in said[first:at]) and any(
        map(_SAYS.fullmatch, behind[:2])
    )
    return own if has or does or (behind and _BY.fullmatch(behind[0])) else None
