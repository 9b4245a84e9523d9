"""Why a file was not read, in the reader's language: what `ingest` says in English, in German too.

`ingest` speaks to the command line. A message that is not known here is shown as it is.
"""

from __future__ import annotations

import re

from rag.i18n import Words

_PARTS = {
    "a PDF": "ein PDF",
    "a PNG image": "ein PNG-Bild",
    "a JPEG image": "ein JPEG-Bild",
    "a GIF image": "ein GIF-Bild",
    "an image or a recording": "ein Bild oder eine Aufnahme",
    "a Word file or ZIP archive": "eine Word-Datei oder ein ZIP-Archiv",
    "a gzip archive": "ein gzip-Archiv",
    "a 7z archive": "ein 7z-Archiv",
    "a RAR archive": "ein RAR-Archiv",
    "an old Office file (.doc)": "eine alte Office-Datei (.doc)",
    "an RTF file": "eine RTF-Datei",
    "a program": "ein Programm",
    "a database": "eine Datenbank",
    "a web page": "eine Webseite",
    "something else": "etwas anderes",
    "it is empty": "sie ist leer",
    "save it as text, or remove it": "als Text speichern oder entfernen",
    "not YAML": "kein YAML",
}
_MESSAGES = tuple(
    (re.compile(pattern, re.DOTALL), german)
    for pattern, german in (
        (r"(.+) \(its earlier version still answers\)", "{0} (die frühere Fassung gilt noch)"),
        (
            r"(.+); the articles answer by their words, the next sync goes on",
            "{0}; die Artikel antworten nach ihren Wörtern, der nächste Abgleich geht weiter",
        ),
        (r"line (\d+): (.+)", "Zeile {0}: {1}"),
        (r"has no usable line: (.+)", "hat keine brauchbare Zeile: {0}"),
        (r"(.*?) ?does not exist; give a file .+", "{0} ist nicht da; bitte den Ordner wiederherstellen"),
        (
            r"files ending in '(.*)' are not read; use (.+)",
            "Dateien mit der Endung „{0}“ werden nicht gelesen; möglich sind {1}",
        ),
        (r"is nested too deeply; .+", "ist zu tief verschachtelt; bitte den Text als .txt speichern"),
        (
            r"has no text in it, only pictures; .+",
            "enthält keinen Text, nur Bilder; bitte Texterkennung anwenden (ocrmypdf)",
        ),
        (r"has no text in it; .+", "enthält keinen Text"),
        (
            r"has no article in it; .+",
            "enthält keinen Artikel; bitte die Seite des Artikels selbst speichern oder seinen Text als .txt",
        ),
        (r"cannot be read: it is not a regular file; .+", "ist nicht zu lesen: keine gewöhnliche Datei"),
        (r"cannot be read: (.+); check .+", "ist nicht zu lesen ({0}); bitte nachsehen, ob sie da ist"),
        (
            r"is larger than (\S+) MB; .+",
            "ist größer als {0} MB; bitte teilen oder BELEG_ARTICLE_LIMIT erhöhen",
        ),
        (r"is empty; .+", "ist leer"),
        (r"is not a (\w+) file but (.+?); (.+)", "ist keine {0}-Datei, sondern {1}; {2}"),
        (r"is binary, not text; (.+)", "ist binär, kein Text; {0}"),
        (r"is (.+), not what its ending says; (.+)", "ist {0}, anders als die Endung sagt; {1}"),
        (r"rename it to end in (\.\w+)", "bitte mit der Endung {0} benennen"),
        (
            r"the front matter is not closed; .+",
            "der Kopf ist nicht abgeschlossen; bitte darunter eine Zeile „---“ einfügen",
        ),
        (
            r"broken front matter \((.+)\); .+",
            "der Kopf ist fehlerhaft ({0}); Werte mit Doppelpunkt gehören in Anführungszeichen",
        ),
        (
            r"the front matter has no fields; .+",
            "der Kopf hat keine Felder; bitte Zeilen wie „title: …“ schreiben",
        ),
        (
            r"is not a readable web page \((.+)\); .+",
            "ist keine lesbare Webseite ({0}); bitte den Text als .txt speichern",
        ),
        (r"is locked by a password; .+", "ist durch ein Passwort geschützt; bitte eine Kopie ohne speichern"),
        (r"is a broken PDF \((.+)\); .+", "ist ein beschädigtes PDF ({0}); bitte neu exportieren"),
        (r"(.+ of other kinds: .+); (\d+ linked folders? not entered)", "{0}; {1}"),
        (r"(\d+) files? of other kinds: (.+)", "Dateien anderer Art ({0}): {1}"),
        (r"(.+), without ending (\d+)", "{0}, ohne Endung {1}"),
        (r"(\d+) linked folders? not entered", "verknüpfte Ordner, die nicht betreten werden: {0}"),
        (r"attachments were not read: (.+)", "Anhänge wurden nicht gelesen: {0}"),
        (r"is not an e-mail; .+", "ist keine E-Mail; bitte mit der Endung .txt benennen"),
        (r"has no web page in it; .+", "enthält keine Webseite; bitte die Seite neu speichern"),
        (r"has no subtitles in it; .+", "enthält keine Untertitel; bitte den Text als .txt speichern"),
        (
            r"is not a readable (OpenDocument text|e-book|RTF file) \((.+)\); .+",
            "ist nicht lesbar ({1}); bitte neu speichern, oder den Text als .txt",
        ),
        (
            r"(\d+) of (\d+) pages have no text: .+",
            "{0} von {1} Seiten haben keinen Text: gescannt? Bitte Texterkennung anwenden (ocrmypdf)",
        ),
        (
            r"of (\d+) pages the first (\d+) were read; .+",
            "von {0} Seiten wurden die ersten {1} gelesen; bitte teilen",
        ),
        (r"unpacks to (\d+) MB; .+", "entpackt sich zu {0} MB; bitte den Text als .txt speichern"),
        (
            r"is not a readable Word file \((.+)\); .+",
            "ist keine lesbare Word-Datei ({0}); bitte neu als .docx speichern",
        ),
        (
            r"the id '(.+)' is already taken by line (\d+); .+",
            "die id „{0}“ hat schon Zeile {1}; bitte eine ändern",
        ),
        (r"not JSON \((.+)\); .+", "kein JSON ({0}); bitte ein Objekt je Zeile schreiben"),
        (r"not a JSON object; .+", 'kein JSON-Objekt; bitte {{"text": "…"}} schreiben'),
        (r'no "text"; .+', "ohne „text“; jede Zeile braucht einen"),
        (r"'(.+)' is not a date; .+", "„{0}“ ist kein Datum; bitte als JJJJ-MM-TT schreiben"),
        (r"the file is not an upload; .+", "die Datei wurde nicht hochgeladen; bitte im Ordner löschen"),
        (
            r"(.+) holds no articles any more, but the index does; .+",
            "{0} enthält keine Artikel mehr. Im Dossier ist deshalb nichts geändert; bitte die Dateien"
            " zurücklegen, oder das Dossier leeren mit: python -m ingest --rebuild",
        ),
        (
            r"the Chroma server at (\S+) does not answer \((.*)\); .+",
            "der Chroma-Server {0} antwortet nicht ({1}); was eingelesen ist, gilt weiter. Bitte CHROMA_URL"
            " und den Server prüfen; es wird wieder versucht",
        ),
        (
            r"the Chroma server at (\S+) refuses us; check (.+)",
            "der Chroma-Server {0} weist ab; bitte prüfen: {1}",
        ),
        (
            r"the Chroma server at (\S+) cannot be trusted \((.*)\); .+",
            "dem Chroma-Server {0} ist nicht zu trauen ({1}); bitte BELEG_CHROMA_CA auf seine"
            " Zertifikate setzen",
        ),
        (
            r"the Chroma server at (\S+) holds no articles; .+",
            "der Chroma-Server {0} enthält keine Artikel; hier ist nichts geändert",
        ),
        (
            r"the articles on the Chroma server at (\S+) are written by another Beleg \((.*)\); .+",
            "auf den Chroma-Server {0} schreibt ein anderes Beleg ({1}), und dieses darum nicht; bitte dessen"
            " Artikel übernehmen (BELEG_CHROMA_REPLICA) oder sein Amt: python -m ingest --take-over",
        ),
        (
            r"the index in (.+) is in use by .+",
            "{0} ist von einem anderen Prozess belegt; bitte später noch einmal versuchen",
        ),
        (
            r"cannot use (.+): (.+); the index as it is goes on answering; .+",
            "{0} ist nicht zu schreiben ({1}); was eingelesen ist, gilt weiter. Bitte freien Platz und Rechte"
            " prüfen",
        ),
        (
            r"cannot (?:write|use) (.+?)(?: \(.+\))?: ([\d,]+) kB are free on its disk; .+",
            "auf dem Datenträger von {0} sind {1} kB frei, zu wenig; was eingelesen ist, gilt weiter."
            " Bitte Platz schaffen",
        ),
        (r"an internal error; .+", "ein interner Fehler; Näheres steht im Protokoll des Servers"),
        (r"(.+); check free space and permissions", "{0}; bitte freien Platz und Rechte prüfen"),
    )
)


def reason_text(message: str, words: Words) -> str:
    """A message of `ingest` in the interface language.

    >>> from rag.i18n import GERMAN
    >>> reason_text("line 3: 'soon' is not a date; write published as YYYY-MM-DD", GERMAN)
    'Zeile 3: „soon“ ist kein Datum; bitte als JJJJ-MM-TT schreiben'
    """
    return _german(message) if words.lang == "de" else message


def _german(message: str) -> str:
    if message in _PARTS:
        return _PARTS[message]
    for pattern, german in _MESSAGES:
        if match := pattern.fullmatch(message):
            return german.format(*map(_german, match.groups()))
    return message
