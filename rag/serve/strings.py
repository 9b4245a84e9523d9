"""Every word of the interface, in German and English, and how each writes numbers and dates."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class Strings:
    """The words of one interface language; `{…}` are filled in by the methods below."""

    lang: str
    tagline: str
    start_title: str
    start_line: str
    suggestions: str
    conversation: str
    question: str
    placeholder: str
    ask: str
    clear: str
    mode_extractive: str
    mode_model: str
    check: str
    articles: tuple[str, str]
    searched: str
    further: str
    nearest: str
    comment: str
    citation: str
    sources: str
    copy: str
    copied: str
    close: str
    previous: str
    next: str
    whole_page: str
    reader: str
    untitled: str
    back: str
    changed: str
    missing_title: str
    missing_text: str
    empty_question: str
    long_question: str
    failed: str
    broken: str
    months: tuple[str, ...]
    day: str
    group: str
    decimal: str


GERMAN = Strings(
    lang="de",
    tagline="Nachrichten mit Belegen",
    start_title="Was möchten Sie wissen?",
    start_line="Antworten aus dem Dossier – jede Aussage mit Beleg.",
    suggestions="Vorgeschlagene Fragen",
    conversation="Gespräch",
    question="Ihre Frage",
    placeholder="Frage zu den Nachrichten stellen …",
    ask="Frage absenden",
    clear="Gespräch löschen",
    mode_extractive="Ohne Sprachmodell: wörtliche Fundstellen",
    mode_model="Sprachmodell: {model}",
    check="Bitte prüfen Sie die Belege.",
    articles=("{n} Artikel", "{n} Artikel"),
    searched="{found} von {all} Artikeln ausgewertet ({seconds} s)",
    further="Weitere Stellen",
    nearest="Nächstliegende Stellen",
    comment="Kommentar",
    citation="Beleg",
    sources="Quellen",
    copy="Antwort mit Quellen kopieren",
    copied="Kopiert",
    close="Artikel schließen",
    previous="Voriger Beleg",
    next="Nächster Beleg",
    whole_page="Als eigene Seite öffnen",
    reader="Artikel",
    untitled="Artikel ohne Titel",
    back="Zum Gespräch",
    changed="Der Artikel wurde seit dieser Antwort geändert; die belegte Stelle ist nicht mehr zu zeigen.",
    missing_title="Diesen Artikel gibt es hier nicht",
    missing_text="Vielleicht wurde er entfernt oder umbenannt, seit die Antwort gegeben wurde.",
    empty_question="Bitte geben Sie eine Frage ein.",
    long_question="Die Frage ist zu lang: {n} Zeichen, höchstens {limit} sind möglich. Bitte kürzen.",
    failed="Die Frage konnte nicht beantwortet werden: {reason}",
    broken="Die Frage konnte wegen eines internen Fehlers nicht beantwortet werden. Bitte versuchen Sie es"
    " noch einmal; Näheres steht im Protokoll des Servers.",
    months=tuple(
        "Januar Februar März April Mai Juni Juli August September Oktober November Dezember".split()
    ),
    day="{day}. {month} {year}",
    group="\u202f",
    decimal=",",
)

ENGLISH = Strings(
    lang="en",
    tagline="News with evidence",
    start_title="What would you like to know?",
    start_line="Answers from the dossier – every statement with its source.",
    suggestions="Suggested questions",
    conversation="Conversation",
    question="Your question",
    placeholder="Ask about the news …",
    ask="Send question",
    clear="Clear conversation",
    mode_extractive="Without a language model: verbatim passages",
    mode_model="Language model: {model}",
    check="Please check the sources.",
    articles=("{n} article", "{n} articles"),
    searched="{found} of {all} articles used ({seconds} s)",
    further="Further places",
    nearest="Nearest places",
    comment="Comment",
    citation="Source",
    sources="Sources",
    copy="Copy answer with sources",
    copied="Copied",
    close="Close article",
    previous="Previous source",
    next="Next source",
    whole_page="Open as a page",
    reader="Article",
    untitled="Untitled article",
    back="To the conversation",
    changed="The article has changed since this answer. The cited place can no longer be shown.",
    missing_title="There is no such article here",
    missing_text="It may have been removed or renamed since the answer was given.",
    empty_question="Please enter a question.",
    long_question="The question is too long: {n} characters, at most {limit} are possible.",
    failed="The question could not be answered: {reason}",
    broken="The question could not be answered because of an internal error. Please try again; the"
    " server's log says more.",
    months=tuple(
        "January February March April May June July August September October November December".split()
    ),
    day="{day} {month} {year}",
    group=",",
    decimal=".",
)


def strings_for(accept_language: str | None) -> Strings:
    """The interface language for a browser's Accept-Language header; German when it says nothing.

    >>> strings_for("en-GB,en;q=0.9,de;q=0.5").lang
    'en'
    """
    preferred = (accept_language or "de").split(",")[0].strip().lower()
    return GERMAN if preferred == "*" or preferred.split("-")[0].split(";")[0] == "de" else ENGLISH


def number(value: int, words: Strings) -> str:
    """An integer with grouped thousands: 1 240, 1,240."""
    return f"{value:,}".replace(",", words.group)


def seconds(value: float, words: Strings) -> str:
    """A duration with two decimals: 0,02 or 0.02."""
    return f"{value:.2f}".replace(".", words.decimal)


def long_date(day: date, words: Strings) -> str:
    """16. August 2025, 16 August 2025."""
    return words.day.format(day=day.day, month=words.months[day.month - 1], year=day.year)


def date_range(first: date, last: date, words: Strings) -> str:
    """15.–19. August 2025, saying only once what both dates share."""
    if first == last:
        return long_date(first, words)
    if (first.year, first.month) == (last.year, last.month):
        dot = "." if words.lang == "de" else ""
        return f"{first.day}{dot}–{long_date(last, words)}"
    start = long_date(first, words)
    if first.year == last.year:
        start = start.removesuffix(f" {first.year}")
    return f"{start} – {long_date(last, words)}"


def article_count(count: int, words: Strings) -> str:
    """5 Artikel, 1 article."""
    return words.articles[count != 1].format(n=number(count, words))


def mode_line(mode: str, words: Strings) -> str:
    """Who answers, said plainly: no model, or the model by its name."""
    return words.mode_extractive if mode == "extractive" else words.mode_model.format(model=mode)
