"""The kind of a question: about what the articles say, about the dossier itself, or just talk.

A question is about the dossier only if every word of it can be explained: it asks (how many, which, who,
when), names something that a dossier has (articles, sources, authors, titles, dates), and otherwise holds
only filters: an outlet, author or title that the library knows, a date, a language, a kind of article, or
what the articles should mention. If one word is left over, the question is for the articles: „Wie viele
Artikel hat das Grundgesetz?“, „Welche Quellen nennt Portnikov?“.

The words are the `classes` in `data/languages`.
"""

import functools
import itertools
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from rag.question.days import DATE, Days, days_of
from rag.question.known import QUOTED, Known, Named
from rag.question.query import detect_language
from rag.text.analysis import words
from rag.text.languages import LANGUAGES, pattern, table, word_set

Subject = Literal["articles", "outlets", "authors", "languages", "period"]

LONGEST = 40
"""Words; a longer question is not about the dossier."""

_LONGEST_PHRASE, _MOST_ABOUT, _MOST_UNKNOWN = 4, 6, 4  # words
_SCAN = re.compile(rf"{QUOTED}|({DATE.pattern})|\d+|[^\W\d_]+", re.IGNORECASE)

_ASKS = ("count", "which", "what", "list", "who", "when", "where")
_QUESTION_WORDS = frozenset(_ASKS) - {"list"}
_ONE = frozenset({"article", "piece", "report", "comment"})
_MANY = frozenset({"articles", "pieces", "reports", "comments"})
_SUBJECTS: dict[str, Subject] = {
    **dict.fromkeys(_ONE | _MANY | {"title", "titles"}, "articles"),
    **dict.fromkeys(("outlet", "outlets"), "outlets"),
    **dict.fromkeys(("author", "authors"), "authors"),
    "language": "languages",
    "period": "period",
}
_NOUNS = frozenset(_SUBJECTS)
_VERBS = frozenset({"exist", "publish", "write", "aux"})
_GROUPS = ("outlet", "outlets", "author", "authors", "language")
_RANGES = frozenset({"before", "after", "since", "until", "between"})
_COURTESIES = frozenset({"greeting", "thanks"})
# words that may accompany the subject without narrowing it
_LIGHT = frozenset(
    {"plain", "exist", "aux", "publish", "write", "dossier", "order", "date", "most", *_ASKS, *_NOUNS}
)
_SINGULAR_BEFORE, _ONE_SENTENCE, _COPULA, _INSIDE, _SUBORDINATE, _CONTRADICT, _MATTERS = (
    word_set(f"kind.{name}")
    for name in ("singular_before", "one", "copula", "inside", "subordinate", "contradict", "matters")
)


_Value = Named | Days | frozenset[str] | None
_Found = tuple[int, frozenset[str], _Value]
"""How many words at the beginning of a run are explained, by which classes, and what they mean."""


@dataclass(frozen=True, slots=True)
class Talk:
    """A greeting, thanks, a question about Beleg itself, or a task, which Beleg declines."""

    language: str
    about: Literal["greeting", "thanks", "self", "task"]


@dataclass(frozen=True, slots=True)
class Request:
    """What a question about the dossier asks for.

    `asks` is what to tell of the subject; `limit` is the number of articles, or of sentences of a `summary`;
    `contradictions` may be `about` something.
    Filters: `named` outlets and authors, ids of articles by `titles`, `days`, `weekday` (0 is Sunday),
    `written_in` a language, `genre`, `about` words that the articles mention. `unknown` is an outlet or
    author, `unknown_title` a title that the library does not have.
    """

    language: str
    subject: Subject
    asks: Literal["count", "which", "who", "when", "where", "summary", "contradictions"] = "which"
    named: tuple[Named, ...] = ()
    titles: frozenset[str] | None = None
    days: Days | None = None
    weekday: int | None = None
    written_in: str | None = None
    genre: Literal["report", "comment"] | None = None
    about: str | None = None
    order: Literal["newest", "oldest"] | None = None
    limit: int | None = None
    group: Subject | None = None
    unknown: str | None = None
    unknown_title: str | None = None

    @property
    def selects(self) -> bool:
        """Whether it selects some articles rather than all."""
        given = (self.named, self.titles, self.days, self.about, self.order, self.unknown, self.unknown_title)
        return any(given) or self.weekday is not None or bool(self.written_in)


@dataclass(frozen=True, slots=True)
class _Item:
    """A word or phrase of the question with the classes that explain it, if any."""

    word: str
    classes: frozenset[str] = frozenset()
    value: _Value = None
    quoted: bool = False

    def among(self, classes: frozenset[str] | Sequence[str]) -> bool:
        return not self.classes.isdisjoint(classes)

    def told(self, kind: str) -> str:
        """What follows `kind` in one of its classes, as 2 in `number:2`."""
        return next((name.removeprefix(kind) for name in self.classes if name.startswith(kind)), "")

    @property
    def number(self) -> int:
        return int(self.told("number:") or (self.word if self.word.isdecimal() else 0))


def kind_of(question: str, known: Known) -> Request | Talk | None:
    """The question as a request to the library, or as talk; None for a question about what articles say."""
    for language in _candidates(question):
        items = list(_scanned(question, known))
        for find in (_named(known.whole_at), _phrase(_lexicon(language)), _named(known.part_at)):
            items = _joined(items, find)
        for read in (_talk, _contradictions, _summary, _task, _request):
            found = read(items, language)
            if found is not None:
                return found
    return None


_OF_THEM = re.compile(rf"\b{pattern('kind.of_them')}\b", re.IGNORECASE)


def of_those_before(
    question: str, kind: Request | Talk | None, before: Request | Talk | None
) -> Request | None:
    """The request within the list before, where the question asks for some of it: „Welche davon …?“."""
    if not isinstance(kind, Request) or not isinstance(before, Request) or not _OF_THEM.search(question):
        return None
    names = ("titles", "days", "weekday", "written_in", "genre", "about")
    narrowed = {name: getattr(before, name) for name in names if getattr(kind, name) is None}
    return replace(kind, named=(*before.named, *kind.named), **narrowed)


def to_sum_up(kind: Request | Talk | None) -> Request | None:
    """The request, if it asks for a summary of articles."""
    return kind if isinstance(kind, Request) and kind.asks == "summary" else None


def _candidates(question: str) -> list[str]:
    """Languages in which it may be about the dossier, likeliest first: few words do not show the language."""
    likeliest = detect_language(question)
    others = [each for each in LANGUAGES if likeliest != "uk" and each not in (likeliest, "uk")]
    return [likeliest, *others] if len(words(question)) <= LONGEST else []


# --- words ----------------------------------------------------------------------------------------


@functools.cache
def _lexicon(language: str) -> dict[tuple[str, ...], frozenset[str]]:
    """Phrase → its classes."""
    found: dict[tuple[str, ...], frozenset[str]] = {}
    for name, phrases in table(language, "classes").items():
        for phrase in phrases.split():
            key = tuple(phrase.split("_"))
            found[key] = found.get(key, frozenset()) | {name}
    return found


def _scanned(question: str, known: Known) -> Iterator[_Item]:
    """Quotations, dates and words, in order."""
    for found in _SCAN.finditer(question):
        if found[1]:
            length, name = known.part_at(said := words(found[1]))
            value = known.titled(found[1]) or (name if length == len(said) else None)
            kind = "named" if isinstance(value, Named) else "titled"
            yield _Item(found[1], frozenset({kind} if value else ()), value, quoted=True)
        elif found[2]:
            yield _Item(found[2], frozenset({"days"}), days_of(found[2]))
        else:
            yield _Item(found[0])


def _joined(items: Sequence[_Item], find: Callable[[list[str]], _Found]) -> list[_Item]:
    """Joins runs of unexplained words that `find` can explain into one item."""
    taken: list[_Item] = []
    i = 0
    while i < len(items):
        run = _run(items, i)
        length, classes, value = find(run) if run else (0, frozenset[str](), None)
        taken.append(_Item(" ".join(run[:length]), classes, value) if length else items[i])
        i += max(1, length)
    return taken


def _run(items: Sequence[_Item], start: int) -> list[str]:
    run = itertools.takewhile(lambda item: not item.classes and not item.quoted, items[start:])
    return [item.word for item in run]


def _named(
    look_up: Callable[[Sequence[str]], tuple[int, Named | frozenset[str] | None]],
) -> Callable[[list[str]], _Found]:
    """Finds what the library knows as a title, an outlet or an author."""

    def find(run: list[str]) -> _Found:
        length, value = look_up(run)
        return length, frozenset({"named" if isinstance(value, Named) else "titled"}), value

    return find


def _phrase(lexicon: dict[tuple[str, ...], frozenset[str]]) -> Callable[[list[str]], _Found]:
    """Finds what the lexicon has, longest phrases first."""

    def find(run: list[str]) -> _Found:
        said = tuple(word.lower() for word in run[:_LONGEST_PHRASE])
        length = next((n for n in range(len(said), 0, -1) if said[:n] in lexicon), 0)
        return length, lexicon.get(said[:length], frozenset()), None

    return find


# --- meaning --------------------------------------------------------------------------------------


def _talk(items: Sequence[_Item], language: str) -> Talk | None:
    if not all(item.among(("self", "plain", *_COURTESIES)) for item in items):
        return None
    said = _classes(items)
    return next((Talk(language, each) for each in ("self", "thanks", "greeting") if each in said), None)


_Taken = tuple[list[_Item], Request]
_Step = Callable[[list[_Item], Request], _Taken | None]


def _classes(items: Iterable[_Item]) -> frozenset[str]:
    """All classes of some items."""
    return frozenset(name for item in items for name in item.classes)


def _without_courtesy(items: Sequence[_Item]) -> list[_Item]:
    return [item for item in items if not item.classes or not item.classes <= _COURTESIES]


def _request(items: list[_Item], language: str) -> Request | None:
    """The request, if every word of the question belongs to one."""
    if _classes(items).isdisjoint({*_NOUNS, "dossier", "titled"}):
        return None
    steps = (_about, _days, _unknown, _names, _grouped, _narrowed)
    taken = _taken(_without_courtesy(items), Request(language, "articles"), steps)
    return _asked(*taken) if taken and all(item.among(_LIGHT) for item in taken[0]) else None


def _taken(items: list[_Item], given: Request, steps: Iterable[_Step]) -> _Taken | None:
    """The items that all the steps leave, and the request that they make of the others."""
    for step in steps:
        taken = step(items, given)
        if taken is None:
            return None
        items, given = taken
    return items, given


def _task(items: list[_Item], language: str) -> Talk | None:
    """A task instead of a question: to write, translate, compute or ignore something."""
    said = _classes(items)
    opens = next((item for item in items if not item.among(("plain", "can_you", *_COURTESIES))), None)
    last = items[-1] if "can_you" in _classes(items[:3]) else None
    is_task = any(item and "task" in item.classes for item in (opens, last))
    asked = "prompt" in said or (is_task and said.isdisjoint(_QUESTION_WORDS))
    return Talk(language, "task") if asked else None


def _summary(items: list[_Item], language: str) -> Request | None:
    """A request for a summary of the articles named, or of all („Worum geht es hier?“)."""
    about = bool(items) and "what" in items[0].classes and "mention" in items[-1].classes
    said = _classes(items)
    if not about and "summary" not in said:
        return None
    items = _without_courtesy(items)
    given = Request(language, "articles", asks="summary")
    at = next((i for i, item in enumerate(items) if "sentences" in item.classes), None)
    if at:
        many = items[at - 1].number
        one = items[at - 1].word.lower() in _ONE_SENTENCE
        given = replace(given, limit=many or (1 if one else None))
        items = [*items[: at - bool(many)], *items[at + 1 :]]
    taken = _taken(items, given, (_days, _unknown, _names, _narrowed))
    if taken is None:
        return None
    items, given = taken
    unknown = given.unknown and said.isdisjoint({*_ONE, *_MANY, "dossier", "titled"})
    if unknown or (not given.selects and not said.isdisjoint({"author", "authors"})):
        return None  # „Was ist die Botschaft von Trump?“, „Was ist das Fazit des Autors?“
    light = _LIGHT | {"summary", "briefly", "task", "can_you", "mention", "source", "after", "per"}
    return given if all(item.among(light) for item in items) else None


def _contradictions(items: list[_Item], language: str) -> Request | None:
    """Where articles contradict each other, on the whole or about something: „… über die Dauer?“"""
    if not any(item.word.lower() in _CONTRADICT for item in items):
        return None
    items = [item for item in items if item.word.lower() not in _CONTRADICT | _MATTERS]
    if _classes(items).isdisjoint({*_MANY, "outlets", "authors", "dossier", "exist", "named", "titled"}):
        return None  # „Widerspricht sich Trump?“
    at = next((i for i, item in enumerate(items) if "mention" in item.classes), len(items))
    behind = (*_MANY, "outlets", "dossier", "exist", "between")
    end = next((i for i in range(at + 1, len(items)) if items[i].among(behind)), len(items))
    topic = itertools.dropwhile(lambda item: "plain" in item.classes, items[at + 1 : end])
    about = " ".join(item.word for item in topic) or None
    given = Request(language, "articles", asks="contradictions", about=about)
    taken = _taken([*items[:at], *items[end:]], given, (_days, _names, _narrowed))
    light = _LIGHT | {"between", "per", "source"}
    return taken[1] if taken and all(item.among(light) for item in taken[0]) else None


def _about(items: list[_Item], given: Request) -> _Taken | None:
    """What the articles should mention: the words after „über“, or before „erwähnt“ at the end."""
    at = next((i for i, item in enumerate(items) if "mention" in item.classes), None)
    noun = next((i for i, item in enumerate(items) if item.among(_ONE | _MANY)), None)
    if at is None:
        return items, given
    behind = at + 1
    while behind < len(items) and items[behind].among(("mention", "plain", "source")):
        behind += 1
    if noun is None or noun > at or items[noun].among(("report", "reports")):
        return None  # „Berichte über Verletzte“ asks what they say
    if behind < len(items) and items[behind].value is not None and "titled" in items[behind].classes:
        return [*items[:at], *items[at + 1 :]], given
    if behind < len(items):
        start, end = behind, _end_of_topic(items, behind)
        rest = items[:at] + items[end:]
    else:  # „In welchem Artikel wird X erwähnt?“
        start, end = at, at
        while start - 1 > noun and (not items[start - 1].classes or items[start - 1].among(_IN_TOPIC)):
            start -= 1
        rest = items[:start]
        if items[0].word.lower() not in _INSIDE and not items[0].among(("where",)):
            return None
    topic = [item for item in items[start:end] if "plain" not in item.classes]
    said = [item.word for item in items[start:end]]
    while said and items[start + len(said) - 1].among(("plain",)):
        said.pop()
    if not 0 < len(topic) <= _MOST_ABOUT or any(word.lower() in _SUBORDINATE for word in said):
        return None
    return rest, replace(given, about=" ".join(said))


_IN_TOPIC = frozenset({"plain", "named", "newest", "oldest", "in:de", "in:en", "in:fr", "in:pt", "in:uk"})


def _end_of_topic(items: Sequence[_Item], start: int) -> int:
    """Where the topic ends: before „von der taz“, „gibt es“."""
    end = start
    while end < len(items) and (not items[end].classes or items[end].among((*_IN_TOPIC, "source"))):
        if "source" in items[end].classes:
            follows = _next(items, end)
            if follows is not None and "named" in follows.classes:
                break
        end += 1
    return end


def _days(items: list[_Item], given: Request) -> _Taken | None:
    """Dates, and the words that make ranges of them."""
    at = [i for i, item in enumerate(items) if "days" in item.classes]
    found = [item.value for item in items if isinstance(item.value, Days)]
    if not at:
        return items, given
    if len(found) != len(at) or len(found) > 2:
        return None
    before = [j for i in at for j in _just_before(items, i)]
    classes = _classes(items[j] for j in before)
    how = next((each for each in ("before", "after", "since", "until") if each in classes), None)
    days = found[0].through(found[1]) if len(found) == 2 else found[0].ranged(how) if how else found[0]
    if days is None:
        return None
    dropped = {*at, *(j for j in before if items[j].among((*_RANGES, "source")))}
    return [item for i, item in enumerate(items) if i not in dropped], replace(given, days=days)


def _just_before(items: Sequence[_Item], at: int) -> list[int]:
    """Indices of words before a date that may make it a range: „vor dem 15. August“."""
    found = []
    for i in range(at - 1, max(-1, at - 4), -1):
        if not items[i].among((*_RANGES, "source", "plain")) or items[i].among(_ASKS):
            break
        found.append(i)
    return found


def _unknown(items: list[_Item], given: Request) -> _Taken | None:
    """A source or a title that the library does not have: „von der FAZ“, „der Artikel ‚Neue Wege‘“."""
    for i, item in enumerate(items):
        if item.quoted and not item.classes:
            if i and any(before.among(_ONE) for before in items[max(0, i - 2) : i]):
                return [*items[:i], *items[i + 1 :]], replace(given, unknown_title=item.word)
            return None
        if "source" in item.classes:
            start = i + 1
            while start < len(items) and "plain" in items[start].classes:
                start += 1
            run = _run(items, start)
            if run and len(run) <= _MOST_UNKNOWN and all(word[0].isupper() for word in run):
                rest = [*items[:i], *items[start + len(run) :]]
                return rest, replace(given, unknown=" ".join(run))
    return items, given


def _names(items: list[_Item], given: Request) -> _Taken:
    """Known outlets, authors and titles, with the prepositions before them."""
    named = tuple(item.value for item in items if isinstance(item.value, Named))
    titled = [item.value for item in items if "titled" in item.classes and isinstance(item.value, frozenset)]
    asks_who = "who" in _classes(items)
    named_next = ("named", "titled", "who", "when", "where", "which", "outlet", "author")

    def names_one(i: int) -> bool:  # „von der Zeitung taz“, „von wem“
        follows = _next(items, i)
        return items[i].among(("source", "until")) and (follows.among(named_next) if follows else asks_who)

    kept = [each for i, each in enumerate(items) if not each.among(("named", "titled")) and not names_one(i)]
    return kept, replace(given, named=named, titles=frozenset().union(*titled) if titled else None)


def _next(items: Sequence[_Item], at: int) -> _Item | None:
    """The next item that carries meaning."""
    return next((item for item in items[at + 1 :] if "plain" not in item.classes), None)


def _grouped(items: list[_Item], given: Request) -> _Taken:
    """„pro Medium“, „nach Datum sortiert“: how a count is split, how a list is ordered."""
    for i, item in enumerate(items):
        noun = _next(items, i)
        if i and noun and "per" in item.classes and noun.among(("date", *_GROUPS)):
            group = next((_SUBJECTS[name] for name in _GROUPS if name in noun.classes), None)
            return [*items[:i], *items[items.index(noun, i + 1) + 1 :]], replace(given, group=group)
    return items, given


def _narrowed(items: list[_Item], given: Request) -> _Taken | None:
    """Superlatives, numbers, languages, weekdays and kinds of article."""
    kept: list[_Item] = []
    for i, item in enumerate(items):
        if item.among(("newest", "oldest")):
            if not any(other.among(_ONE | _MANY) for other in items):
                return None  # "the first author", "the latest source": the library cannot know of what
            given = replace(given, order="newest" if "newest" in item.classes else "oldest")
        elif language := item.told("in:"):
            given = replace(given, written_in=language)
        elif day := item.told("on:"):
            given = replace(given, weekday=int(day))
        elif number := item.number:
            follows = items[i + 1 : i + 2]
            if not (follows and follows[0].among(("newest", "oldest", *_MANY))):
                return None
            given = replace(given, limit=number)
        elif i == len(items) - 1 and given.language == "de" and item.among(("before", "since")):
            continue  # the particle of a separable verb: „liegen … vor“, „decken … ab“
        else:
            kept.append(item)
    report, comment = (any(item.among((one, f"{one}s")) for item in kept) for one in ("report", "comment"))
    if report != comment:
        given = replace(given, genre="report" if report else "comment")
    return kept, given


def _asked(items: Sequence[_Item], given: Request) -> Request | None:
    """The request with its subject and what is asked of it; None where the dossier cannot say."""
    asks = [i for i, item in enumerate(items) if item.among(_ASKS)]
    ask = next((name for name in _ASKS if asks and name in items[asks[0]].classes), "")
    if ask != "list" and any("list" in items[i].classes for i in asks[1:]):
        return None  # „What sources does he name?“
    verbs, said = _classes(items) & _VERBS, {item.word.lower() for item in items}
    nouns = [i for i, item in enumerate(items) if item.among(_NOUNS) and (ask in ("", "list") or i > asks[0])]
    date = next((i for i, item in enumerate(items) if "date" in item.classes), len(items))
    if ask in ("who", "when", "where"):
        return _of_some(ask, items, given, verbs)
    if not nouns:  # „Was enthält das Dossier?“
        asks_of_all = ask in ("what", "list") and "dossier" in _classes(items)
        return given if asks_of_all and (said & _INSIDE or not said & _COPULA) else None
    if ask in ("which", "what") and date < nouns[0]:
        return _of_some("when", items, given, verbs)
    return _of_subject(ask, items, nouns, given, verbs)


def _of_subject(
    ask: str, items: Sequence[_Item], nouns: Sequence[int], given: Request, verbs: frozenset[str]
) -> Request | None:
    """How many, or which, of what the question names first."""
    noun, singular = items[nouns[0]], _is_singular(items, nouns[0])
    subject = next(_SUBJECTS[name] for name in sorted(noun.classes & _NOUNS))
    if subject in ("outlets", "authors") and singular and given.selects and ask in ("which", "what", "list"):
        return _of_some("where" if subject == "outlets" else "who", items, given, verbs)
    if ask == "what" and singular and not given.selects and subject != "period":
        return None
    if subject == "articles":
        stands = given.selects or noun.among(_MANY) or ("exist" in verbs and given.genre is not None)
    else:
        stands = "exist" in verbs and noun.among(("outlets", "authors"))
        # those of the articles, not those of a person: „Welche Quellen hat Portnikov?“
        of_others = (given.named and subject == "outlets") or "aux" in verbs or len(nouns) > 1
        if given.about or (of_others and not any(items[i].among(_ONE | _MANY) for i in nouns)):
            return None
    if not ask and not stands:
        return None  # neither keywords („Artikel von …“) nor a yes-or-no question
    if "most" in _classes(items) and subject not in ("outlets", "authors"):
        return None
    if ask == "count":
        return None if subject == "period" else replace(given, subject=subject, asks="count")
    return replace(given, subject=subject)


def _of_some(ask: str, items: Sequence[_Item], given: Request, verbs: frozenset[str]) -> Request | None:
    """Who wrote articles, when or where they appeared: some articles, or all."""
    nouns = [i for i, item in enumerate(items) if item.among(_ONE | _MANY | {"author", "authors"})]
    if not nouns and not (given.titles and verbs & {"write", "publish"}):
        return None
    if not given.selects and all(_is_singular(items, i) for i in nouns):
        return None  # „Wer hat den Bericht geschrieben?“ may mean a report that the articles mention
    said = _classes(items)
    if ask == "when":
        twice = sum("when" in item.classes for item in items) > 1
        return replace(given, subject="period") if twice or not given.selects else replace(given, asks="when")
    if ask == "who":
        by = said & {"author", "authors", "source"} or verbs & {"write", "publish"}
        subject: Subject = "articles" if given.selects else "authors"
        written = by or ("exist" in verbs and given.titles)
        return replace(given, asks="who", subject=subject) if written else None
    return replace(given, asks="where") if said & {"publish", "outlet", "outlets"} else None


def _is_singular(items: Sequence[_Item], at: int) -> bool:
    """Whether the noun is singular; for „Artikel“ the word before it decides."""
    if items[at].among(frozenset({*_MANY, "outlets", "authors", "titles"})):
        both = items[at].among(frozenset({*_ONE, "outlet", "author", "title"}))
        return both and at > 0 and items[at - 1].word.lower() in _SINGULAR_BEFORE
    return True
