"""Protects the report: it says what the run says, in both languages, keeps hostile text as text, loads
nothing, and is shown in the web chat."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from eval.cases import Case
from eval.measures import MEASURES
from eval.report import Pen, goodness, keep_reports, report, weakest
from eval.run import folder_of
from eval.runs import Row, Run
from rag.i18n import LANGUAGES, words_for
from rag.schema import Message
from rag.serve.pages.routes import add_interface_routes, report_page
from rag.serve.security.headers import safe_headers
from rag.wire import Json, sent_answer
from tests.dossier import settings_for
from tests.fake_engine import ARTICLES, canned
from tests.visit import CHROMIUM, FLAGS, PHONE

HOSTILE = "</script><img src=x onerror=alert(1)>\"'&<b>"


def row(
    number: int, question: str = "Was kostet Fernwärme?", answer: str = "wärmeplan", **measures: float
) -> Row:
    case = Case(
        f"c{number}",
        question,
        lang="de",
        type=("fact", "why")[number % 2],
        articles=("waermeplan",),
        facts=(("38", "achtunddreißig"), ("612",)),
        evidence=("38 gegen 21",),
    )
    known = {"abstained": 0.0, "abstention_right": 1.0, "seconds_total": 0.1 * number, "words": 12.0}
    known["confidence"] = 0.8
    return Row(case, sent_answer(canned(answer)), known | measures, [gold()])


def gold() -> Json:
    text = "Die Vorlage wurde mit 38 gegen 21 Stimmen angenommen."
    start = ARTICLES[0].text.index(text)
    place = {"article_id": "waermeplan", "start": start, "end": start + len(text), "text": text}
    return {**place, "title": ARTICLES[0].title, "outlet": "Stadtbote"}


def run_of(*rows: Row, **about: Any) -> Run:
    whole = {
        "label": "",
        "version": "1.2.3",
        "created": "2025-08-15T12:00:00+00:00",
        "set": {"name": "seeds", "sha256": "abc", "cases": len(rows), "retrieval_only": False},
        "engine": {"mode": "extractive", "index": "i", "articles": 3},
        "settings": {"passages": 8},
        "left_out": {"cost": "a provider that reports it"},
    }
    return Run(whole | about, rows)


GOOD = row(1, evidence_hit=1.0, fact_recall=1.0, citation_precision=1.0)
MISSED = row(2, "Wer klagt?", "fernwärme", evidence_hit=0.0, fact_recall=0.5, citation_precision=1.0)
UNANSWERABLE = Row(
    Case("c3", "Wie heißt die Hauptstadt von Peru?", type="outside", articles=()),
    sent_answer(canned("wärmeplan")),
    {"abstained": 0.0, "abstention_right": 0.0, "seconds_total": 0.2, "confidence": 0.8},
)
FAILED = Row(Case("c4", "Warum?", articles=("x",)), error={"type": "ProviderTimeout", "message": "no token"})


class Page(HTMLParser):
    """The elements and the text of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        # white space between elements says nothing; narrow spaces inside numbers stay
        self.text += f" {words}" if (words := data.strip(" \n")) else ""


# --- what it says


def test_the_report_shows_measures_with_their_intervals() -> None:
    text = Page(report([run_of(GOOD, MISSED, UNANSWERABLE)])).text
    assert "Auswertung: seeds" in text
    assert "3 Fragen · ohne Sprachmodell · Erstellt 15.08.2025, 12:00 UTC · Beleg 1.2.3" in text
    assert re.search(r"Richtige Stelle zitiert Anteil .* 50,0\s% 0,0\s% – 100,0\s% mehr 2", text)
    assert "jetzt: 100,0\u202f%, 66,7\u202f% falsch" in text
    assert "Kosten" in text
    english = Page(report([run_of(GOOD, MISSED)], "en")).text
    assert re.search("Right place cited share .* 50.0% 0.0% – 100.0% more 2", english)
    assert re.search("Seconds to the answer mean .* less 2", english)


def test_the_weakest_answers_come_first_with_gold_and_citations() -> None:
    run = run_of(GOOD, MISSED, UNANSWERABLE, FAILED)
    assert [each.case.id for each in weakest(run)] == ["c4", "c3", "c2"]
    assert goodness(GOOD) == 1
    page = report([run])
    worst = page[page.index("Die schwächsten Antworten") :]
    assert "ProviderTimeout: no token" in worst
    assert "hätte abgelehnt werden sollen" in worst
    assert "<mark>38 gegen 21</mark>" in worst  # in the gold sentence
    assert "Die Stadtwerke erwarten 2026" in worst  # cited
    assert "✗ 38 / achtunddreißig (fehlt)" in worst
    assert "1 Frage ist gescheitert." in page


def test_a_cited_gold_sentence_is_marked() -> None:
    short = row(1, evidence_hit=1.0, fact_recall=0.5)
    assert '<blockquote class="hit"><p><mark>Die Vorlage wurde mit' in report([run_of(short)])


def test_several_runs_are_compared() -> None:
    before = run_of(*(row(n, evidence_hit=1.0) for n in range(30)), label="vorher")
    after = run_of(*(row(n, evidence_hit=float(n < 15)) for n in range(30)), label="nachher")
    page = report([before, after])
    text = Page(page).text
    assert "vorher → nachher" in text
    assert re.search(r"Richtige Stelle zitiert 100,0\s% 50,0\s% −50,0\s%", text)
    assert "0 / 15 / 15" in text
    assert '<strong class="worse">schlechter</strong>' in page


def test_a_run_of_retrieval_alone_has_a_report() -> None:
    about = {"name": "beir", "sha256": "x", "cases": 1, "retrieval_only": True}
    found = Row(Case("q", "Wolf?", articles=("a",)), None, {"article_hit@10": 0.0, "article_mrr@10": 0.0})
    assert "Artikel: Rang des ersten (MRR@10)" in report([run_of(found, set=about)])


def test_every_measure_has_its_words() -> None:
    for words in LANGUAGES.values():
        for name, measure in MEASURES.items():
            label, text = Pen(words).legend(name)
            assert label
            assert text
            assert words(f"eval.needs.{measure.needs}")
        named = {name for name in MEASURES if re.match("(article|evidence)_.*@", name) is None}
        assert words.at("eval.measure").keys() == named


def test_kinds_of_questions_are_said_in_words() -> None:
    run = run_of(GOOD, MISSED, UNANSWERABLE)
    assert "Typ: nicht im Dossier 1" in Page(report([run])).text
    assert "type: not in the dossier 1" in Page(report([run], "en")).text
    assert Pen(LANGUAGES["de"]).kind("lang uk") == ("lang", "Ukrainisch")
    assert Pen(LANGUAGES["de"]).kind("tag eigenes_merkmal") == ("tag", "eigenes merkmal")


def test_a_run_without_a_label_has_a_report() -> None:
    run = run_of(row(1, evidence_hit=1.0))
    about = {name: value for name, value in run.about.items() if name not in ("label", "version")}
    assert "<h1>" in report([replace(run, about=about)])


def test_what_is_left_out_says_what_it_needs_in_the_readers_language() -> None:
    assert "Kosten braucht: einen Anbieter" in Page(report([run_of(GOOD)])).text
    assert "Cost needs: a provider" in Page(report([run_of(GOOD)], "en")).text


# --- what it keeps out


def hostile_run() -> Run:
    answer = sent_answer(canned("wärmeplan"))
    cited = [replace(each, quote=HOSTILE, title=HOSTILE, outlet=HOSTILE) for each in answer.citations]
    case = Case(
        HOSTILE,
        HOSTILE,
        lang=HOSTILE,
        type=HOSTILE,
        articles=(HOSTILE,),
        facts=((HOSTILE,),),
        evidence=("img",),
        history=(Message("user", HOSTILE),),
        tags=(HOSTILE,),
    )
    place = {**gold(), "text": HOSTILE, "title": HOSTILE, "outlet": HOSTILE}
    measures = {"evidence_hit": 0.0, "fact_recall": 0.0, "abstained": 0.0, "seconds_total": 1.0}
    bad = Row(case, replace(answer, text=HOSTILE, citations=tuple(cited)), measures, [place])
    failed = Row(Case("x", "?"), error={"type": HOSTILE, "message": HOSTILE})
    about = {"name": HOSTILE, "sha256": HOSTILE, "cases": 2, "retrieval_only": False}
    return run_of(bad, failed, set=about, label=HOSTILE, version=HOSTILE, settings={HOSTILE: HOSTILE})


@pytest.mark.parametrize("lang", ["de", "en"])
def test_hostile_text_stays_text(lang: str) -> None:
    page = Page(report([hostile_run()], lang))
    assert not {"script", "img", "b", "iframe", "link", "form"} & {name for name, _ in page.tags}
    assert not [known for _, known in page.tags if any(name.startswith("on") for name in known)]
    assert page.text.count("onerror=alert(1)") > 12


def test_the_report_loads_nothing() -> None:
    page = report([run_of(GOOD, MISSED)])
    attributes = {name for _, known in Page(page).tags for name in known}
    assert not {"src", "href", "srcset", "data", "action"} & attributes
    assert "url(" not in page
    assert "@import" not in page


# --- in the web chat


def test_the_web_chat_shows_the_report_in_the_readers_language(tmp_path: Path) -> None:
    keep_reports(tmp_path, [run_of(GOOD, MISSED)])
    for accepted, title in (("de", "Auswertung: seeds"), ("en", "Evaluation: seeds")):
        page = report_page(tmp_path, words_for(accepted), "make eval")
        assert f"<h1>{title}</h1>" in page
        assert '<nav class="pages"' in page
        assert page.count("<main") == page.count("<h1") == 1


@pytest.mark.parametrize("left", [None, ""])
def test_without_a_report_the_page_says_how_to_make_one(tmp_path: Path, left: str | None) -> None:
    if left is not None:
        (tmp_path / "part.de.html").write_text(left, "utf-8")
    page = report_page(tmp_path, words_for("de"), "python -m eval SET --articles <x>")
    assert "Noch keine Auswertung" in page
    assert "<code>python -m eval SET --articles &lt;x&gt;</code>" in page


def test_the_page_has_its_address_and_allows_no_inline_script(tmp_path: Path) -> None:
    app = FastAPI()
    app.add_middleware(safe_headers)
    add_interface_routes(app, settings_for(tmp_path))
    folder = folder_of(settings_for(tmp_path))
    keep_reports(folder, [run_of(GOOD)])
    spoilt = (folder / "part.de.html").read_text("utf-8").replace("<h1>", "<script>alert(1)</script><h1>")
    (folder / "part.de.html").write_text(spoilt, "utf-8")
    response = TestClient(app).get("/auswertung", headers={"accept-language": "de"})
    assert (response.status_code, "Auswertung: seeds" in response.text) == (200, True)
    assert "'sha256-" not in response.headers["content-security-policy"]


@pytest.mark.browser
@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_report_is_accessible_and_fits_a_phone(tmp_path: Path, scheme: str) -> None:
    from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
    from playwright.sync_api import sync_playwright

    runs = [run_of(GOOD, MISSED, UNANSWERABLE), run_of(MISSED, UNANSWERABLE, GOOD)]
    (tmp_path / "report.html").write_text(report(runs), "utf-8")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        page = browser.new_page(color_scheme=scheme, viewport=PHONE)  # type: ignore[arg-type]
        page.goto((tmp_path / "report.html").as_uri())
        page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true })")
        found = Axe().run(page).response["violations"]
        assert [f"{v['id']}: {v['nodes'][0]['html'][:200]}" for v in found] == []
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        cut = (
            "[...document.querySelectorAll('.scroll')].filter((each) => each.scrollWidth > each.clientWidth)"
        )
        assert page.evaluate(f"{cut}.length") == 0
        browser.close()
