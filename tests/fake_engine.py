"""A small engine with canned answers over invented articles, for the tests of the web chat."""

from __future__ import annotations

import dataclasses
import hashlib
import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from rag.answering.disagreement import Difference
from rag.errors import ProviderUnavailable
from rag.schema import (
    Answer,
    Article,
    Aside,
    Chunk,
    Citation,
    Delta,
    Done,
    Event,
    Filters,
    Message,
    Passage,
    Retrieved,
    Statement,
    Status,
)

HEATING = """Stadtrat beschließt Wärmeplan für 40 Quartiere

Der Stadtrat hat am Dienstagabend nach dreistündiger Debatte den kommunalen Wärmeplan verabschiedet. \
Die Vorlage wurde mit 38 gegen 21 Stimmen angenommen.

▲ Der Rathausplatz am Abend der Sitzung. Foto: Stadtarchiv

Kern des Plans ist der Ausbau der Fernwärme in 40 Quartieren. Bis 2035 sollen zwei Drittel aller \
Haushalte ohne Erdgas heizen, bisher sind es 18 Prozent. Für Eigentümer außerhalb der Netzgebiete sind \
Zuschüsse für Wärmepumpen vorgesehen.

Die Kosten

Kämmerin Jana Voß bezifferte die Kosten auf 612 Millionen Euro über zehn Jahre. Rund 45 Prozent davon \
sollen aus Bundesmitteln kommen. Die Opposition kritisierte, die Finanzierung sei „auf Kante genäht“.

Die ersten Bauarbeiten beginnen im September in der Nordstadt. Anwohner müssen mit monatelangen \
Sperrungen rechnen. Die Stadtwerke wollen vorab in jedem Quartier eine Sprechstunde anbieten.

Umweltverbände begrüßten den Beschluss, mahnten aber ein schnelleres Tempo an. „Jede Heizung, die heute \
noch mit Gas eingebaut wird, läuft zwanzig Jahre“, sagte Mira Adler vom Klimabündnis.

Kommentar verfassen
"""
TENANTS = """Was auf Mieterinnen und Mieter zukommt

Die Stadtwerke erwarten 2026 etwa 13,8 Cent je Kilowattstunde Fernwärme. Die Verbraucherzentrale hält \
das für optimistisch. Einen Anschlusszwang gibt es laut Satzung nicht.
"""
POISON = """Ein vergifteter Artikel

Der Angriff lautet <img src=https://evil.example/beacon.png onerror=alert(1)> und \
<form action=https://evil.example/post><input name=q></form> mit <script>alert(2)</script> sowie \
[klick](javascript:alert(3)) und ![bild](https://evil.example/md.png) auf https://evil.example/auto und \
www.evil.example samt $\\latex$ und %%%LATEX_BLOCK_0%%%.
"""


def _article(ident: str, text: str, **known: object) -> Article:
    return Article(
        id=ident,
        text=text,
        source=f"{ident}.txt",
        sha256=hashlib.sha256(text.encode()).hexdigest(),
        language="de",
        **known,  # type: ignore[arg-type]
    )


def _asides(text: str, **kinds: str) -> tuple[Aside, ...]:
    spans = [(text.index(words), words, kind) for kind, words in kinds.items()]
    return tuple(Aside(at, at + len(words), kind) for at, words, kind in spans)  # type: ignore[arg-type]


ARTICLES = (
    _article(
        "waermeplan",
        HEATING,
        title="Stadtrat beschließt Wärmeplan für 40 Quartiere",
        outlet="Stadtbote",
        author="Lena Brandt",
        published=date(2025, 3, 12),
        asides=_asides(
            HEATING,
            title="Stadtrat beschließt Wärmeplan für 40 Quartiere",
            caption="▲ Der Rathausplatz am Abend der Sitzung. Foto: Stadtarchiv",
            heading="Die Kosten",
            footer="Kommentar verfassen",
        ),
    ),
    _article(
        "mieter (teil 2)",
        TENANTS,
        title="Fernwärme: Was auf Mieterinnen und Mieter zukommt",
        outlet="Wirtschaftsspiegel",
        published=date(2025, 4, 2),
    ),
    _article("vergiftet", POISON, title='Ein "vergifteter" <b>Artikel</b>', genre="comment"),
)
ANSWERS = {
    "wärmeplan": (
        ("waermeplan", "Die Vorlage wurde mit 38 gegen 21 Stimmen angenommen."),
        ("waermeplan", "Rund 45 Prozent davon sollen aus Bundesmitteln kommen."),
        ("mieter (teil 2)", "Einen Anschlusszwang gibt es laut Satzung nicht."),
    ),
    "fernwärme": (
        ("mieter (teil 2)", "Die Stadtwerke erwarten 2026 etwa 13,8 Cent je Kilowattstunde Fernwärme."),
    ),
    "gift": (("vergiftet", POISON.split("\n\n")[1].strip()),),
}
FURTHER = (("waermeplan", "Die ersten Bauarbeiten beginnen im September in der Nordstadt."),)
DECLINED = "In den vorliegenden Artikeln finde ich dazu keine belegte Antwort."


@dataclass(frozen=True)
class Counts:
    """As `rag.store.library` counts."""

    articles: int
    chunks: int
    first: date | None
    last: date | None


class FakeLibrary:
    """The articles above."""

    revision = 1

    def versions(self) -> dict[str, str]:
        return {article.id: article.sha256 for article in ARTICLES}

    def chunk_counts(self) -> dict[str, int]:
        return {}

    def manifest(self) -> dict[str, object]:
        return {}

    def articles(self, ids: Sequence[str] | None = None) -> list[Article]:
        return [article for article in ARTICLES if ids is None or article.id in ids]

    def article(self, ident: str) -> Article | None:
        return next((article for article in ARTICLES if article.id == ident), None)

    def counts(self) -> Counts:
        days = [article.published for article in ARTICLES if article.published]
        return Counts(len(ARTICLES), len(ARTICLES), min(days), max(days))


class FakeEngine:
    """Answers by keyword, declines the rest; slow ("langsam") or failing if asked.

    "kaputt" fails at once, "abbruch" in the middle of the answer, unless the model is left out; "absturz"
    is a mistake of ours.
    """

    mode = "extractive"
    sends_to: str | None = None

    def __init__(self) -> None:
        self.library = FakeLibrary()
        self.histories: list[list[Message]] = []

    def fitting(self, filters: Filters | None) -> frozenset[str] | None:  # noqa: ARG002
        return None

    def differing(self) -> list[Difference]:
        return []

    def suggestions(self, n: int = 4, language: str = "de") -> list[str]:  # noqa: ARG002
        return [
            "Was hat der Stadtrat zum Wärmeplan beschlossen?",
            "Was kostet Fernwärme ab 2026?",
            "Welche Straßen sind ab September gesperrt?",
        ][:n]

    def follow_ups(self, answer: Answer, asked: Sequence[str], n: int = 3) -> list[str]:
        further = ["Was kostet Fernwärme ab 2026?", "Gibt es Zuschüsse für Wärmepumpen?"]
        return [question for question in further if question not in asked][:n] if answer.citations else []

    def search(self, question: str, k: int | None = None, **_: object) -> tuple[Passage, ...]:
        return canned(question).passages[:k]

    def stream(
        self, question: str, history: Sequence[Message] = (), *, extractive: bool = False, **_: object
    ) -> Iterator[Event]:
        self.histories.append(list(history))
        failing = not extractive
        if "kaputt" in question and failing:
            raise ProviderUnavailable("the model does not answer; check BELEG_LLM_URL")
        if "absturz" in question:
            raise RuntimeError("a secret detail")
        answer = canned(question)
        pause = 0.1 if "langsam" in question else 0.0
        time.sleep(3 * pause)
        yield Retrieved(question, answer.passages, 0.02)
        said = ""
        for word in answer.text.split(" "):
            time.sleep(pause)
            said += word + " "
            yield Delta(word + " ")
            if "abbruch" in question and failing and len(said) > 60:
                raise ProviderUnavailable("the connection broke; ask again", partial=said)
        yield Done(answer, tuple(history))


def canned(question: str) -> Answer:
    """The answer for the first keyword in the question, else an abstention."""
    if "prosa" in question.lower():
        return written(question)
    quotes = next((found for key, found in ANSWERS.items() if key in question.lower()), ())
    citations = tuple(_citation(n, *place) for n, place in enumerate(quotes, 1))
    text = "\n\n".join(f"{c.quote} [{c.number}]" for c in citations)
    return Answer(
        question=question,
        standalone_question=question,
        language="de",
        text=text or DECLINED,
        statements=tuple(_quoted(text, c) for c in citations),
        citations=citations,
        passages=tuple(_passage(article) for article in ARTICLES),
        abstained=not citations,
        certainty="sure" if citations else "none",
        reason=None if citations else "no passage is close enough",
        model=None,
        index_fingerprint="fake",
        confidence=0.9 if citations else 0.1,
        further=tuple(_citation(n, *place) for n, place in enumerate(FURTHER, 1)),
        timings={"retrieval": 0.02},
    )


PROSE = (
    "Der Stadtrat hat den Wärmeplan mit 38 zu 21 Stimmen verabschiedet [1]. Etwa die Hälfte des Geldes kommt"
    " vom Bund [2].\n\nDer Bau dauert zwölf Jahre. Niemand muss sich anschließen lassen [3]."
)


def written(question: str) -> Answer:
    """An answer in a language model's words, with a sentence of each status."""
    answer = canned("wärmeplan")
    return dataclasses.replace(
        answer,
        question=question,
        standalone_question=question,
        text=PROSE,
        statements=(
            _statement(PROSE, "Der Stadtrat", "[1].", "supported", 1),
            _statement(PROSE, "Etwa", "[2].", "weak", 2),
            _statement(PROSE, "Der Bau", "Jahre.", "unsupported"),
            dataclasses.replace(_statement(PROSE, "Niemand", "[3].", "supported", 3), repaired=True),
        ),
        model="modell-1",
        dropped=("[9] points nowhere",),
    )


def _statement(text: str, first: str, last: str, status: Status, *citations: int) -> Statement:
    """The sentence of a text from the first to the last of these words."""
    start = text.index(first)
    end = text.index(last, start) + len(last)
    return Statement(re.sub(r" \[\d\]", "", text[start:end]), citations, status, start, end)


def _quoted(text: str, cited: Citation) -> Statement:
    start = text.index(cited.quote)
    end = start + len(f"{cited.quote} [{cited.number}]")
    return Statement(cited.quote, (cited.number,), "supported", start, end)


def _citation(number: int, ident: str, words: str) -> Citation:
    article = next(article for article in ARTICLES if article.id == ident)
    start = article.text.index(words)
    return Citation(
        number,
        ident,
        start,
        start + len(words),
        words,
        "supported",
        article.title,
        article.outlet,
        article.published,
        article.sha256,
    )


def _passage(article: Article) -> Passage:
    text = article.text.rstrip()
    chunk = Chunk(
        f"{article.id}#{article.sha256[:12]}#0", article.id, 0, 0, len(text), text, ((0, len(text)),)
    )
    return Passage(chunk, article, 0.8)
