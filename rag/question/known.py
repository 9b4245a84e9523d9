"""Finds the outlets, authors and titles of a library in a question; the places that articles name most."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rag.text.analysis import fold, key, words
from rag.text.figures import MONTHS
from rag.text.languages import STOP, word_set

QUOTED = r"[„“”«»\"‚‘]([^„“”«»\"‚‘’]{2,200})[“”»«\"‘’]"
"""What stands in quotation marks of any language, perhaps a title."""

_LEAST_TITLE = 3
"""Words; a shorter main part of a title counts as its name only in quotation marks."""
_LONGEST_ENDING = 3
_LEAST_STEM = 4
_LONGEST_NAME = 6
_DETERMINERS = word_set("source.article_word")

Words = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Named:
    """What a name in a question may mean: outlets and authors as the library writes them."""

    said: str
    outlets: frozenset[str] = frozenset()
    authors: frozenset[str] = frozenset()


class Known:
    """Names and titles of a library, prepared to be looked up; `titles` are pairs of an id and a title."""

    def __init__(
        self, outlets: Iterable[str], authors: Iterable[str], titles: Iterable[tuple[str, str]]
    ) -> None:
        self.outlets, self.authors = tuple(outlets), tuple(authors)
        self._titles: dict[Words, frozenset[str]] = {}
        plain: set[Words] = set()
        for id, title in titles:
            for part in {title, title.partition(":")[0]}:
                if said := _without_determiner(_lower(part)):
                    self._titles[said] = self._titles.get(said, frozenset()) | {id}
                    if len(_lower(part)) >= _LEAST_TITLE and len(said) > 1:
                        plain.add(said)
        self._beginnings: dict[str, list[Words]] = defaultdict(list)
        for said in sorted(plain, key=len, reverse=True):
            self._beginnings[said[0]].append(said)
        self._names: dict[Words, Named] = {}
        self._parts: dict[Words, Named] = {}
        for name in self.outlets:
            self._add(name, Named("", outlets=frozenset({name})))
        for name in self.authors:
            for person in people(name):
                self._add(person, Named("", authors=frozenset({name})))

    def _add(self, name: str, meant: Named) -> None:
        """Adds a name, and each run of words in it, which may mean several."""
        for case in (fold, base) if meant.outlets else (fold,):
            said = tuple(map(case, words(name)))
            ends = ((i, min(len(said), i + n)) for i in range(len(said)) for n in range(1, _LONGEST_NAME + 1))
            runs = {said[start:end] for start, end in ends}
            for names, run in ((self._names, said), *((self._parts, run) for run in runs)):
                if case is fold or len(run) > 1:
                    known = names.get(run, Named(""))
                    names[run] = Named("", known.outlets | meant.outlets, known.authors | meant.authors)

    def titled(self, quoted: str) -> frozenset[str]:
        """Ids of the articles that a quoted title means: the whole title, its main part, or some of its
        words."""
        said = _without_determiner(_lower(quoted))
        if found := self._titles.get(said):
            return found
        if len(said) < _LEAST_TITLE - 1:
            return frozenset()
        within = [
            ids
            for title, ids in self._titles.items()
            if any(title[i : i + len(said)] == said for i in range(len(title) - len(said) + 1))
        ]
        return frozenset().union(*within)

    def whole_at(self, run: Sequence[str]) -> tuple[int, Named | frozenset[str] | None]:
        """The number of words at the beginning of a run that are a title or a whole name, and its meaning."""
        lower = _lower(" ".join(run))
        if len(lower) == len(run):  # otherwise the words were split differently
            for title in self._beginnings.get(lower[0], ()):
                if lower[: len(title)] == title:
                    return len(title), self._titles[title]
        return _longest(run, self._names, least=2)

    def part_at(self, run: Sequence[str]) -> tuple[int, Named | frozenset[str] | None]:
        """The number of words at the beginning of a run that are part of a name, and whose name it is."""
        return _longest(run, self._parts, least=1)


def people(author: str) -> list[str]:
    """The persons who are stated as author, each by a full name: "Anna Muster, Ben Vale"."""
    names = author.split(", ")
    return names if all(" " in name for name in names) else [author]


def base(word: str) -> str:
    """A word of an outlet's name, whatever its case: Süddeutschen, Обласній."""
    return key(word, "uk" if re.search("[а-яґєії]", word.lower()) else "de")


def _longest(run: Sequence[str], names: dict[Words, Named], least: int) -> tuple[int, Named | None]:
    """The longest name that the run begins with; its last word may be inflected: Portnikovs, Портникова; of
    an outlet every word."""
    folded = [fold(word) for word in run[:_LONGEST_NAME]]
    for length in range(len(folded), least - 1, -1):
        word = folded[length - 1]
        least_left = max(_LEAST_STEM, len(word) - _LONGEST_ENDING)
        shorter = [word[:n] for n in range(len(word) - 1, least_left - 1, -1)]
        lasts = (word, *(shorter if len(word) > _LEAST_STEM else [word.removesuffix("s")]))
        bases = tuple(map(base, run[:length])) if length > 1 else ()
        for said in (*((*folded[: length - 1], last) for last in lasts), bases):
            if found := names.get(said):
                return length, Named(" ".join(run[:length]), found.outlets, found.authors)
    return 0, None


def _lower(text: str) -> Words:
    return tuple(word.lower() for word in words(text))


def _without_determiner(said: Words) -> Words:
    return said[1:] if len(said) > 1 and said[0] in _DETERMINERS else said


_NAME = r"([A-ZÄÖÜÀ-Ý][\w’'-]+[\w])"
_ANY = re.compile(_NAME)
_IN = re.compile(rf"\b(?:[Ii]n|à|[Ee]m) {_NAME}")
_WITH_ARTICLE = re.compile(
    rf"\b(?:d(?:er|ie|as|en|em|es)|\w*ein(?:e[nmrs]?)?|the|an?|l[ae]|les|[oa]s?|uma?) {_NAME}"
)
_NOUN = re.compile(r"(?:ung|heit|keit|schaft|tion|tät)(?:en)?$")
_LEAST, _IN_THERE, _WITH_ONE = 2, 0.2, 0.2


def places(texts: Sequence[str], n: int = 5) -> list[str]:
    """Names after „in“ that rarely come with an article, most frequent first.

    >>> places(["Sie trafen sich in Riad. In der Stadt, in Riad, war es heiß, in Wahrheit kühl."])
    ['Riad']
    """
    said, there, determined = (
        Counter(word for text in texts for word in pattern.findall(text))
        for pattern in (_ANY, _IN, _WITH_ARTICLE)
    )
    words = frozenset(MONTHS).union(*STOP.values())
    found = [
        name
        for name, count in there.items()
        if count >= max(_LEAST, _IN_THERE * said[name])
        and determined[name] <= _WITH_ONE * said[name]
        and name.lower() not in words
        and not _NOUN.search(name.lower())
        and not (name.endswith("s") and said[name[:-1]] > said[name])  # a genitive
    ]
    return sorted(found, key=lambda name: (-said[name], name))[:n]
