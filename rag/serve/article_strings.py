"""The words of the articles page, in German and English."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from rag.serve.strings import Strings


@dataclass(frozen=True, slots=True)
class ArticleStrings:
    """The page's words in one language; a pair is for one and for several, `{…}` are filled in."""

    title: str
    held: str
    passages: tuple[str, str]
    filter: str
    filter_hint: str
    search: str
    clear: str
    found: str
    none_found: str
    columns: dict[str, str]
    sort_by: str
    length: tuple[str, str]
    unknown: str
    undated_cell: str
    comment: str
    copy_of: str
    languages: dict[str, str]
    pages: str
    page_of: str
    earlier: str
    later: str
    timeline: str
    timeline_text: str
    timeline_empty: str
    per: dict[str, str]
    each: dict[str, str]
    week_of: str
    undated: tuple[str, str]
    short_months: tuple[str, ...]
    short_day: str
    empty_title: str
    empty_text: str
    add: str
    drop: str
    choose: str
    choose_only: str
    limits: str
    without_script: str
    results: str
    waiting: str
    sending: str
    checking: str
    indexing: str
    taken: str
    known: str
    refused: str
    incomplete: str
    too_large: str
    no_connection: str
    refresh: str
    refreshing: str
    reading: str
    writing: str
    current: str
    watched: str
    not_watched: str
    sync_failed: str
    from_folder: str
    from_upload: str
    why_not_deleted: str
    delete: str
    delete_title: str
    delete_text: str
    delete_many: str
    delete_yes: str
    delete_no: str
    deleted: str
    problems: tuple[str, str]
    foreign: str
    not_there: str
    from_server: str
    replica: str
    no_space: str


GERMAN = ArticleStrings(
    title="Artikel",
    held="Woraus die Antworten stammen: {parts}.",
    passages=("{n} Textstelle", "{n} Textstellen"),
    filter="Artikel durchsuchen",
    filter_hint="Wörter aus Titel, Text, Medium …",
    search="Suchen",
    clear="Suche aufheben",
    found="{shown} von {all} Artikeln",
    none_found="Kein Artikel enthält „{query}“.",
    columns={
        "titel": "Titel",
        "medium": "Medium",
        "datum": "Datum",
        "sprache": "Sprache",
        "laenge": "Länge",
        "stellen": "Stellen",
        "herkunft": "Herkunft",
    },
    sort_by="Sortieren nach",
    length=("{n} Wort", "{n} Wörter"),
    unknown="unbekannt",
    undated_cell="ohne Datum",
    comment="Kommentar",
    copy_of="Kopie von",
    languages={
        "de": "Deutsch",
        "en": "Englisch",
        "fr": "Französisch",
        "uk": "Ukrainisch",
        "ru": "Russisch",
        "pt": "Portugiesisch",
        "es": "Spanisch",
        "it": "Italienisch",
        "nl": "Niederländisch",
        "pl": "Polnisch",
    },
    pages="Seiten der Liste",
    page_of="Seite {page} von {pages}",
    earlier="Vorige Seite",
    later="Nächste Seite",
    timeline="Erscheinungsdaten",
    timeline_text="{articles} {per}, {range}; die meisten ({most}) {peak}. Die Tabelle nennt jedes Datum.",
    timeline_empty="Keiner dieser Artikel hat ein Datum.",
    per={"day": "nach Tagen", "week": "nach Wochen", "month": "nach Monaten", "year": "nach Jahren"},
    each={
        "day": "Artikel je Tag",
        "week": "Artikel je Woche",
        "month": "Artikel je Monat",
        "year": "Artikel je Jahr",
    },
    week_of="Woche ab {day}",
    undated=(
        "{n} Artikel ohne Datum ist nicht dargestellt.",
        "{n} Artikel ohne Datum sind nicht dargestellt.",
    ),
    short_months=tuple("Jan. Feb. März Apr. Mai Juni Juli Aug. Sep. Okt. Nov. Dez.".split()),
    short_day="{day}. {month} {year}",
    empty_title="Noch keine Artikel",
    empty_text="Ziehen Sie Dateien in das Feld „Artikel hinzufügen“, oder legen Sie sie in den Ordner"
    " „{folder}“. Danach beantwortet das Gespräch Fragen dazu.",
    add="Artikel hinzufügen",
    drop="Dateien hierher ziehen",
    choose="oder auswählen",
    choose_only="Dateien auswählen",
    limits="je höchstens {limit}",
    without_script="Zum Hochladen braucht diese Seite JavaScript. Ohne geht es so: Dateien in den Ordner"
    " „{folder}“ legen.",
    results="Hochgeladene Dateien",
    waiting="wartet",
    sending="wird gesendet",
    checking="wird geprüft",
    indexing="wird eingelesen",
    taken="aufgenommen",
    known="war schon da",
    refused="abgelehnt",
    incomplete="aufgenommen, aber nicht alles war zu lesen",
    too_large="ist größer als {limit}; bitte teilen",
    no_connection="Die Verbindung ist abgebrochen; bitte noch einmal versuchen",
    refresh="Neu einlesen",
    refreshing="Artikel werden eingelesen …",
    reading="{done} von {total} Dateien gelesen",
    writing="{done} von {total} Artikeln aufgenommen",
    current="Aktuell. Zuletzt geprüft um {time} Uhr.",
    watched="Der Ordner „{folder}“ wird beobachtet: Was sich dort ändert, erscheint hier von selbst.",
    not_watched="Der Ordner „{folder}“ wird nur auf Wunsch neu eingelesen.",
    sync_failed="Das Einlesen ist fehlgeschlagen: {reason}",
    from_folder="Ordner",
    from_upload="hochgeladen",
    why_not_deleted="Artikel aus „{folder}“ löschen Sie in diesem Ordner: Beleg liest ihn nur.",
    delete="{name} löschen",
    delete_title="Artikel löschen?",
    delete_text="„{title}“ wird gelöscht und in Antworten nicht mehr verwendet.",
    delete_many="Mit der Datei {file} werden alle {n} Artikel darin gelöscht und in Antworten nicht mehr"
    " verwendet.",
    delete_yes="Löschen",
    delete_no="Abbrechen",
    deleted="{name} ist gelöscht.",
    problems=("{n} Datei ist nicht ganz zu lesen", "{n} Dateien sind nicht ganz zu lesen"),
    foreign="Das ist nur von Belegs eigenen Seiten aus möglich.",
    not_there="Diesen Artikel gibt es nicht mehr.",
    from_server="Artikel vom Chroma-Server",
    replica="Dieses Beleg nimmt seine Artikel von einem Chroma-Server. Hinzufügen und löschen lassen sie sich"
    " nur bei dem Beleg, das dorthin schreibt.",
    no_space="Die Datei ließ sich nicht speichern ({reason}).",
)

ENGLISH = ArticleStrings(
    title="Articles",
    held="What the answers are taken from: {parts}.",
    passages=("{n} passage", "{n} passages"),
    filter="Search the articles",
    filter_hint="Words from title, text, outlet …",
    search="Search",
    clear="Clear search",
    found="{shown} of {all} articles",
    none_found="No article contains “{query}”.",
    columns={
        "titel": "Title",
        "medium": "Outlet",
        "datum": "Date",
        "sprache": "Language",
        "laenge": "Length",
        "stellen": "Passages",
        "herkunft": "Source",
    },
    sort_by="Sort by",
    length=("{n} word", "{n} words"),
    unknown="unknown",
    undated_cell="undated",
    comment="Comment",
    copy_of="Copy of",
    languages={
        "de": "German",
        "en": "English",
        "fr": "French",
        "uk": "Ukrainian",
        "ru": "Russian",
        "pt": "Portuguese",
        "es": "Spanish",
        "it": "Italian",
        "nl": "Dutch",
        "pl": "Polish",
    },
    pages="Pages of the list",
    page_of="Page {page} of {pages}",
    earlier="Previous page",
    later="Next page",
    timeline="Publication dates",
    timeline_text="{articles} {per}, {range}; most ({most}) {peak}. The table gives each date.",
    timeline_empty="None of these articles has a date.",
    per={"day": "by day", "week": "by week", "month": "by month", "year": "by year"},
    each={
        "day": "Articles per day",
        "week": "Articles per week",
        "month": "Articles per month",
        "year": "Articles per year",
    },
    week_of="week from {day}",
    undated=("{n} undated article is not shown.", "{n} undated articles are not shown."),
    short_months=tuple("Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()),
    short_day="{day} {month} {year}",
    empty_title="No articles yet",
    empty_text="Drop files into “Add articles”, or put them into the folder “{folder}”. The conversation"
    " then answers questions about them.",
    add="Add articles",
    drop="Drop files here",
    choose="or choose them",
    choose_only="Choose files",
    limits="at most {limit} each",
    without_script="Uploading needs JavaScript. Without it, put files into the folder “{folder}”.",
    results="Uploaded files",
    waiting="waiting",
    sending="being sent",
    checking="being checked",
    indexing="being read in",
    taken="added",
    known="was there already",
    refused="refused",
    incomplete="added, but not all of it could be read",
    too_large="is larger than {limit}; please split it",
    no_connection="The connection broke off; please try again",
    refresh="Read in again",
    refreshing="Reading articles in …",
    reading="{done} of {total} files read",
    writing="{done} of {total} articles added",
    current="Up to date. Last checked at {time}.",
    watched="The folder “{folder}” is being watched: what changes there appears here by itself.",
    not_watched="The folder “{folder}” is read in again on request only.",
    sync_failed="Reading in has failed: {reason}",
    from_folder="Folder",
    from_upload="uploaded",
    why_not_deleted="Articles from “{folder}” are deleted in that folder: Beleg only reads it.",
    delete="Delete {name}",
    delete_title="Delete article?",
    delete_text="“{title}” will be deleted, and no longer used in answers.",
    delete_many="With the file {file}, all {n} articles in it will be deleted, and no longer used in"
    " answers.",
    delete_yes="Delete",
    delete_no="Cancel",
    deleted="{name} is deleted.",
    problems=("{n} file cannot be read completely", "{n} files cannot be read completely"),
    foreign="This can be done from Beleg's own pages only.",
    not_there="This article is no longer there.",
    from_server="Articles from the Chroma server",
    replica="This Beleg takes its articles from a Chroma server. They can only be added and deleted at the"
    " Beleg that writes there.",
    no_space="The file could not be saved ({reason}).",
)

_BY_LANGUAGE = {"de": GERMAN, "en": ENGLISH}


def article_strings(words: Strings) -> ArticleStrings:
    """The articles page's words in the interface language."""
    return _BY_LANGUAGE[words.lang]


def short_date(day: date, text: ArticleStrings) -> str:
    """15. Aug. 2025, 15 Aug 2025."""
    return text.short_day.format(day=day.day, month=text.short_months[day.month - 1], year=day.year)


def size(limit: int, words: Strings) -> str:
    """A size in bytes for people: 20 MB, 1,5 MB, 500 kB."""
    value, unit = (limit / 1e6, "MB") if limit >= 1_000_000 else (limit / 1e3, "kB")
    return f"{value:.3g}".replace(".", words.decimal) + f"\u00a0{unit}"
