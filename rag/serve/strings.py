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
    request: str
    log_out: str
    pages: str
    page_chat: str
    page_articles: str
    page_report: str
    other_language: str
    switch_language: str
    switch_theme: str
    conversations: str
    new_conversation: str
    kept_here: str
    none_kept: str
    rename: str
    delete: str
    delete_title: str
    delete_text: str
    keep: str
    save_markdown: str
    save_json: str
    close_list: str
    not_restored: str
    stop: str
    stopped: str
    retry: str
    edit: str
    edit_done: str
    edit_cancel: str
    like: str
    dislike: str
    save_answer: str
    follow_ups: str
    searching: str
    answered: str
    unsupported: str
    weak: str
    repaired: str
    dropped: tuple[str, str]
    partial: str
    model_failed: str
    without_model: str
    sends_to: str
    outdated: str
    waiting: tuple[str, str]
    busy: str
    exported: str
    exported_model: str
    exported_index: str
    exported_hash: str
    exported_place: str
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
    log_out="Abmelden",
    request="Kennung der Anfrage: {ident}",
    broken="Die Frage konnte wegen eines internen Fehlers nicht beantwortet werden. Bitte versuchen Sie es"
    " noch einmal; Näheres steht im Protokoll des Servers.",
    pages="Seiten",
    page_chat="Gespräch",
    page_articles="Artikel",
    page_report="Auswertung",
    other_language="English",
    switch_language="Switch to English",
    switch_theme="Helle oder dunkle Darstellung",
    conversations="Gespräche",
    new_conversation="Neues Gespräch",
    kept_here="Nur in diesem Browser gespeichert.",
    none_kept="Noch keine Gespräche.",
    rename="Umbenennen",
    delete="Löschen",
    delete_title="Gespräch löschen?",
    delete_text="„{title}“ wird aus diesem Browser gelöscht und ist danach nicht wiederherzustellen.",
    keep="Abbrechen",
    save_markdown="Als Markdown speichern",
    save_json="Als JSON speichern",
    close_list="Liste schließen",
    not_restored="Dieses Gespräch ist nicht mehr zu lesen.",
    stop="Antwort anhalten",
    stopped="Angehalten",
    retry="Noch einmal antworten",
    edit="Frage ändern",
    edit_done="Geänderte Frage absenden",
    edit_cancel="Frage lassen, wie sie war",
    like="Gute Antwort",
    dislike="Schlechte Antwort",
    save_answer="Antwort mit Belegen speichern",
    follow_ups="Weiterfragen",
    searching="Die Artikel werden durchsucht …",
    answered="Antwort",
    unsupported="nicht belegt",
    weak="nur teilweise belegt",
    repaired="Beleg berichtigt",
    dropped=(
        "Ein Verweis des Sprachmodells führte ins Leere und wurde entfernt.",
        "{n} Verweise des Sprachmodells führten ins Leere und wurden entfernt.",
    ),
    partial="Unvollständig und ungeprüft, denn das Sprachmodell brach ab: {reason}",
    model_failed="Das Sprachmodell konnte nicht antworten: {reason}",
    without_model="Antwort ohne Sprachmodell zeigen",
    sends_to="Fragen und Fundstellen gehen an {host}",
    outdated="seither geändert",
    waiting=(
        "Einen Moment – eine Frage ist noch vor Ihrer.",
        "Einen Moment – {n} Fragen sind noch vor Ihrer.",
    ),
    busy="Gerade stellen sehr viele Menschen Fragen. Bitte versuchen Sie es in einer Minute noch einmal.",
    exported="Gespeichert am {date} mit Beleg",
    exported_model="Antwort",
    exported_index="Index",
    exported_hash="Artikel-Hash",
    exported_place="Zeichen {start} bis {end}",
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
    log_out="Log out",
    request="Request: {ident}",
    broken="The question could not be answered because of an internal error. Please try again; the"
    " server's log says more.",
    pages="Pages",
    page_chat="Conversation",
    page_articles="Articles",
    page_report="Evaluation",
    other_language="Deutsch",
    switch_language="Auf Deutsch umschalten",
    switch_theme="Light or dark",
    conversations="Conversations",
    new_conversation="New conversation",
    kept_here="Kept in this browser only.",
    none_kept="No conversations yet.",
    rename="Rename",
    delete="Delete",
    delete_title="Delete conversation?",
    delete_text="“{title}” will be deleted from this browser, and cannot be brought back.",
    keep="Cancel",
    save_markdown="Save as Markdown",
    save_json="Save as JSON",
    close_list="Close list",
    not_restored="This conversation can no longer be read.",
    stop="Stop answering",
    stopped="Stopped",
    retry="Answer again",
    edit="Edit question",
    edit_done="Send the edited question",
    edit_cancel="Leave the question as it was",
    like="Good answer",
    dislike="Bad answer",
    save_answer="Save answer with its sources",
    follow_ups="Ask on",
    searching="Searching the articles …",
    answered="Answer",
    unsupported="not supported",
    weak="only partly supported",
    repaired="source corrected",
    dropped=(
        "One reference of the language model led nowhere and was removed.",
        "{n} references of the language model led nowhere and were removed.",
    ),
    partial="Incomplete and unchecked, for the language model broke off: {reason}",
    model_failed="The language model could not answer: {reason}",
    without_model="Show an answer without the language model",
    sends_to="questions and passages go to {host}",
    outdated="changed since",
    waiting=(
        "One moment – one question is still before yours.",
        "One moment – {n} questions are before yours.",
    ),
    busy="A great many people are asking questions right now. Please try again in a minute.",
    exported="Saved on {date} with Beleg",
    exported_model="Answer",
    exported_index="Index",
    exported_hash="article hash",
    exported_place="characters {start} to {end}",
    months=tuple(
        "January February March April May June July August September October November December".split()
    ),
    day="{day} {month} {year}",
    group=",",
    decimal=".",
)


LANGUAGES = {words.lang: words for words in (GERMAN, ENGLISH)}


def strings_for(accept_language: str | None, chosen: str | None = None) -> Strings:
    """The interface language: what a reader chose, else the browser's Accept-Language, else German.

    >>> strings_for("en-GB,en;q=0.9,de;q=0.5").lang
    'en'
    >>> strings_for("en-GB,en;q=0.9,de;q=0.5", chosen="de").lang
    'de'
    """
    if chosen in LANGUAGES:
        return LANGUAGES[chosen]
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
    return counted(words.articles, count, words)


def mode_line(mode: str, words: Strings, sends_to: str | None = None) -> str:
    """Who answers, said plainly: no model, or the model by its name and where text is sent."""
    if mode == "extractive":
        return words.mode_extractive
    told = f" – {words.sends_to.format(host=sends_to)}" if sends_to else ""
    return words.mode_model.format(model=mode) + told


def counted(forms: tuple[str, str], count: int, words: Strings) -> str:
    """The form for one or for several, with the number filled in."""
    return forms[count != 1].format(n=number(count, words))
