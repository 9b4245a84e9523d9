"""Every word of the report, in German and English."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from eval import legends


@dataclass(frozen=True, slots=True)
class Words:
    """The words of one language; `measures` are a measure's name for readers and what it says."""

    lang: str
    title: str
    brand_line: str
    made: str
    by: str
    extractive: str
    levels: tuple[str, str]
    cases: tuple[str, str]
    failed: tuple[str, str]
    incomplete: str
    key_figures: str
    interval: str
    measures_title: str
    measure: str
    value: str
    over: str
    groups: tuple[str, str, str, str, str]
    by_kind: str
    kind: str
    all: str
    answerable: str
    type: str
    language: str
    tag: str
    curve_title: str
    curve_note: str
    coverage: str
    risk: str
    now: str
    latency_title: str
    latency_note: str
    seconds: str
    answers: str
    median: str
    p95: str
    worst_title: str
    worst_note: str
    none_wrong: str
    question: str
    conversation: str
    answer: str
    gold: str
    cited: str
    no_gold: str
    unanswerable: str
    nothing_cited: str
    facts: str
    said: str
    not_said: str
    wrongly_answered: str
    wrongly_declined: str
    missed: str
    facts_missing: str
    forbidden: str
    unsupported: str
    inexact: str
    error: str
    all_cases: str
    right: str
    wrong: str
    declined: str
    compare_title: str
    compare_note: str
    before: str
    after: str
    gain: str
    tally: str
    better: str
    worse: str
    how_title: str
    left_out: str
    needs: str
    settings: str
    status: Mapping[str, str]
    measures: Mapping[str, tuple[str, str]]
    decimal: str
    percent: str

    def number(self, value: float, digits: int) -> str:
        """A number as this language writes it."""
        return f"{value:.{digits}f}".replace(".", self.decimal).replace("-", "−")

    def share(self, value: float) -> str:
        """A share of one as per cent, with one digit."""
        return self.number(100 * value, 1) + self.percent


GERMAN = Words(
    lang="de",
    title="Auswertung",
    brand_line="Nachrichten mit Belegen",
    made="Erstellt",
    by="Antworten von",
    extractive="ohne Sprachmodell",
    levels=("Artikel", "Stelle"),
    cases=("{n} Frage", "{n} Fragen"),
    failed=("{n} Frage ist gescheitert", "{n} Fragen sind gescheitert"),
    incomplete="Dieser Lauf ist nicht vollständig.",
    key_figures="Auf einen Blick",
    interval="95-%-Intervall",
    measures_title="Alle Maße",
    measure="Maß",
    value="Wert",
    over="Fragen",
    groups=("Antworten", "Belege", "Ablehnen", "Suche", "Aufwand"),
    by_kind="Nach Art der Frage",
    kind="Art",
    all="alle",
    answerable="beantwortbar",
    type="Typ",
    language="Sprache",
    tag="Merkmal",
    curve_title="Risiko und Abdeckung",
    curve_note="Wie viele der gegebenen Antworten falsch wären, würde nur bei höherer Sicherheit geantwortet."
    " Richtig ist eine Antwort, die einen richtigen Satz zitiert; eine unbeantwortbare Frage gehört"
    " abgelehnt.",
    coverage="beantwortete Fragen",
    risk="davon falsch",
    now="jetzt",
    latency_title="Antwortzeiten",
    latency_note="Sekunden bis zur vollständigen Antwort",
    seconds="Sekunden",
    answers="Antworten",
    median="Median",
    p95="95 %",
    worst_title="Die schwächsten Antworten",
    worst_note="Frage, Antwort, richtige Sätze und zitierte Sätze nebeneinander; was sicher klang und falsch"
    " war, zuerst. Gelb: die richtige Stelle.",
    none_wrong="Keine Antwort fällt ab.",
    question="Frage",
    conversation="Gespräch bis dahin",
    answer="Antwort",
    gold="Richtige Stelle",
    cited="Zitiert",
    no_gold="Für diese Frage ist keine Stelle hinterlegt.",
    unanswerable="Die Artikel beantworten diese Frage nicht.",
    nothing_cited="Nichts zitiert.",
    facts="Fakten",
    said="genannt",
    not_said="fehlt",
    wrongly_answered="hätte abgelehnt werden sollen",
    wrongly_declined="zu Unrecht abgelehnt",
    missed="Stelle verfehlt",
    facts_missing="Fakten fehlen",
    forbidden="sagt Verbotenes",
    unsupported="Zitat stützt den Satz nicht",
    inexact="Zitat weicht ab",
    error="Fehler",
    all_cases="Alle Fragen",
    right="richtig",
    wrong="falsch",
    declined="abgelehnt",
    compare_title="Vergleich",
    compare_note="Unterschied zum ersten Lauf, Frage für Frage (gepaartes Bootstrap-Verfahren, 10 000"
    " Stichproben, Fragen eines Gesprächs gemeinsam). Rechts der Mitte ist besser.",
    before="vorher",
    after="nachher",
    gain="Gewinn",
    tally="besser / gleich / schlechter",
    better="besser",
    worse="schlechter",
    how_title="Wie gemessen wird",
    left_out="Nicht gemessen",
    needs="braucht",
    settings="Einstellungen des Laufs",
    status={
        "supported": "belegt",
        "weak": "schwach belegt",
        "unsupported": "nicht belegt",
        "no claim": "keine Aussage",
    },
    measures=legends.GERMAN,
    decimal=",",
    percent="\u202f%",
)

ENGLISH = Words(
    lang="en",
    title="Evaluation",
    brand_line="News with evidence",
    made="Made",
    by="answers by",
    extractive="without a language model",
    levels=("Article", "Place"),
    cases=("{n} question", "{n} questions"),
    failed=("{n} question failed", "{n} questions failed"),
    incomplete="This run is not complete.",
    key_figures="At a glance",
    interval="95% interval",
    measures_title="All measures",
    measure="Measure",
    value="Value",
    over="Questions",
    groups=("Answers", "Citations", "Declining", "Retrieval", "Cost"),
    by_kind="By kind of question",
    kind="Kind",
    all="all",
    answerable="answerable",
    type="type",
    language="language",
    tag="tag",
    curve_title="Risk and coverage",
    curve_note="How many of the answers given would be wrong, were only surer ones given. An answer is right"
    " when it cites a right sentence; an unanswerable question is to be declined.",
    coverage="questions answered",
    risk="of these wrong",
    now="now",
    latency_title="Response times",
    latency_note="Seconds until the answer is complete",
    seconds="seconds",
    answers="answers",
    median="median",
    p95="95%",
    worst_title="The weakest answers",
    worst_note="Question, answer, right sentences and cited sentences side by side; what sounded sure and was"
    " wrong comes first. Yellow: the right place.",
    none_wrong="No answer falls short.",
    question="Question",
    conversation="Conversation so far",
    answer="Answer",
    gold="Right place",
    cited="Cited",
    no_gold="No place is on record for this question.",
    unanswerable="The articles do not answer this question.",
    nothing_cited="Nothing cited.",
    facts="Facts",
    said="said",
    not_said="missing",
    wrongly_answered="should have been declined",
    wrongly_declined="wrongly declined",
    missed="missed the place",
    facts_missing="facts missing",
    forbidden="says what it must not",
    unsupported="citation does not support its sentence",
    inexact="quote differs",
    error="error",
    all_cases="All questions",
    right="right",
    wrong="wrong",
    declined="declined",
    compare_title="Comparison",
    compare_note="Difference from the first run, question by question (paired bootstrap, 10,000 resamples,"
    " questions of a conversation together). Right of the middle is better.",
    before="before",
    after="after",
    gain="gain",
    tally="better / same / worse",
    better="better",
    worse="worse",
    how_title="How this is measured",
    left_out="Not measured",
    needs="needs",
    settings="Settings of the run",
    status={
        "supported": "supported",
        "weak": "weakly supported",
        "unsupported": "not supported",
        "no claim": "no claim",
    },
    measures=legends.ENGLISH,
    decimal=".",
    percent="%",
)

WORDS = {"de": GERMAN, "en": ENGLISH}
