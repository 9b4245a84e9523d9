"""A run, or several, as one self-contained HTML page: no script, nothing loaded, every text escaped."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path

from eval.answers import answer_cards, outcome
from eval.charts import Axes, bins, curve, digits, gain_bar, histogram, interval_bar, nice
from eval.compare import Difference, compare
from eval.markup import Content, Markup, markup, tag
from eval.measures import DEPTHS, HEADLINE, LEVELS, MEASURES, is_right
from eval.metrics import quantile, risk_coverage
from eval.record import Row, Run
from eval.summary import Value, means, summary
from eval.tables import COLUMNS, RETRIEVAL_COLUMNS, groups
from eval.words import WORDS, Words
from rag.engine import EXTRACTIVE

_STYLE = Path(__file__).with_name("report.css")
_TILES = (
    "evidence_hit",
    "fact_recall",
    "citation_precision",
    "abstention_f1",
    "article_mrr@10",
    "article_ndcg@10",
)
_MOST_TILES = 4
_RANKS = [f"{kind}@{k}" for kind in ("hit", "recall") for k in DEPTHS] + ["mrr@10", "ndcg@10"]
_GROUPS = (
    ("evidence_hit", "fact_recall", "forbidden_rate", "followup_success", "language_match", "words"),
    ("citation_precision", "citation_recall", "quote_exact", "judge_faithfulness"),
    ("abstention_precision", "abstention_recall", "abstention_f1", "abstention_right", "abstained"),
    tuple(f"{level}_{name}" for level in LEVELS for name in ("hit@1", "recall@5", "mrr@10", "ndcg@10")),
    ("seconds_first", "seconds_total", "prompt_tokens", "completion_tokens", "cost"),
)


def report(runs: Sequence[Run], lang: str = "de") -> str:
    """The page on the last of the runs; with several it begins with how the others differ from the first.

    The web chat shows the `style` and the `main` of the page in its own frame. Raises BadRequest for
    runs that cannot be compared.
    """
    words, run = WORDS[lang], runs[-1]
    values = summary(run.measured)
    sections = [
        _comparison(runs, words) if len(runs) > 1 else None,
        _tiles(run, values, words),
        tag("div", _curve(run, words), _latency(run, words), class_="figures"),
        _measures(values, words),
        _by_kind(run, words),
        answer_cards(run, words),
        _all_cases(run, words),
        _how(run, values, words),
    ]
    page = tag(
        "html",
        tag(
            "head",
            tag("meta", charset="utf-8"),
            tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
            tag("title", f"{words.title}: {run.about['set']['name']} – Beleg"),
            tag("style", Markup(_STYLE.read_text(encoding="utf-8"))),
        ),
        tag("body", tag("main", _header(run, words), sections, class_="report")),
        lang=lang,
    )
    return f"<!doctype html>\n{page}\n"


def _header(run: Run, words: Words) -> Markup:
    about = run.about
    facts = [
        _counted(words.cases, len(run.rows)),
        words.extractive
        if about["engine"]["mode"] == EXTRACTIVE
        else f"{words.by} {about['engine']['mode']}",
        f"{words.made} {_moment(str(about.get('created', '')), words)}",
        f"Beleg {about.get('version', '')}",
    ]
    warnings = [words.incomplete] if not run.complete else []
    warnings += [_counted(words.failed, len(run.failed)) + "."] if run.failed else []
    return tag(
        "header",
        tag("h1", f"{words.title}: {about['set']['name']}"),
        tag("p", " · ".join([*([run.label] if about.get("label") else []), *facts]), class_="meta"),
        tag("p", " ".join(warnings), class_="warning", role="status") if warnings else None,
    )


def _counted(forms: tuple[str, str], n: int) -> str:
    return forms[n != 1].format(n=n)


def _moment(created: str, words: Words) -> str:
    try:
        moment = datetime.fromisoformat(created)
    except ValueError:
        return created
    return moment.strftime("%d.%m.%Y, %H:%M UTC" if words.lang == "de" else "%Y-%m-%d, %H:%M UTC")


def shown(name: str, value: float, words: Words) -> str:
    """A measure's value as a reader of that language writes it."""
    if math.isnan(value):
        return "–"
    match MEASURES[name].unit:
        case "share":
            return words.share(value)
        case "seconds":
            return words.number(value, 2 if value < 10 else 1) + "\u202fs"
        case "tokens":
            return words.number(value, 0)
        case "cost":
            return words.number(value, 5)
        case _:
            return words.number(value, 1)


def _span(name: str, low: float, high: float, words: Words) -> str:
    return f"{shown(name, low, words)} – {shown(name, high, words)}"


# --- sections -------------------------------------------------------------------------------------


def _section(title: str, *content: Content, note: str | None = None) -> Markup:
    return tag("section", tag("h2", title), tag("p", note, class_="lead") if note else None, *content)


def _table(
    label: str, head: Sequence[Content], rows: Iterable[Markup], numbers: Sequence[int] = ()
) -> Markup:
    """A table that the keyboard can scroll; `numbers` are the columns that are set right."""
    cells = [
        tag("th", text, scope="col", class_="n" if at in numbers else None) if text else tag("td")
        for at, text in enumerate(head)
    ]
    table = tag("table", tag("thead", tag("tr", cells)), tag("tbody", list(rows)))
    return tag("div", table, class_="scroll", tabindex=0, role="region", aria_label=label)


def _tiles(run: Run, values: dict[str, Value], words: Words) -> Markup:
    items = [
        tag(
            "li",
            tag("span", words.measures[name][0]),
            tag("strong", shown(name, values[name].value, words)),
            tag("span", words.interval, tag("br"), _span(name, values[name].low, values[name].high, words)),
        )
        for name in [name for name in _TILES if name in values][:_MOST_TILES]
    ]
    if seconds := _seconds(run):
        middle, most = (words.number(quantile(seconds, q), 2) for q in (0.5, 0.95))
        items.append(
            tag(
                "li",
                tag("span", words.latency_title),
                tag("strong", f"{middle}\u202fs"),
                tag("span", words.median, tag("br"), f"{words.p95}: {most}\u202fs"),
            )
        )
    return _section(words.key_figures, tag("ul", items, class_="tiles"))


def _measures(values: dict[str, Value], words: Words) -> Markup:
    rows = []
    for title, names in zip(words.groups, _GROUPS, strict=True):
        present = [name for name in names if name in values]
        if present:
            rows.append(tag("tr", tag("th", title, colspan=5, scope="rowgroup"), class_="group"))
        rows += [_measure_row(name, values[name], words) for name in present]
    head = [words.measure, words.value, "", words.interval, words.over]
    table = _table(words.measures_title, head, rows, numbers=(1, 4))
    return _section(words.measures_title, table, _depths(values, words))


def _depths(values: dict[str, Value], words: Words) -> Markup | None:
    """Retrieval at every depth, a row for articles and one for places."""
    rows = [
        tag(
            "tr",
            tag("th", label, scope="row"),
            [_shaded(f"{level}_{name}", values[f"{level}_{name}"].value, words) for name in _RANKS],
        )
        for level, label in zip(LEVELS, words.levels, strict=True)
        if f"{level}_hit@1" in values
    ]
    head = [words.groups[3], *_RANKS]
    return _table(words.groups[3], head, rows, numbers=range(1, len(head))) if rows else None


def _measure_row(name: str, found: Value, words: Words) -> Markup:
    bar = interval_bar(found.value, found.low, found.high) if MEASURES[name].unit == "share" else None
    return tag(
        "tr",
        tag("th", words.measures[name][0], " ", tag("code", name), scope="row"),
        tag("td", shown(name, found.value, words), class_="n"),
        tag("td", bar),
        tag("td", _span(name, found.low, found.high, words)),
        tag("td", found.cases, class_="n"),
    )


def _by_kind(run: Run, words: Words) -> Markup | None:
    columns: Sequence[str] = RETRIEVAL_COLUMNS if run.about["set"]["retrieval_only"] else COLUMNS
    kinds = groups(run.rows)
    columns = [name for name in columns if name in means(run.measured, columns)]
    if len(kinds) < 2:
        return None
    rows = []
    for kind, members in kinds.items():
        values = means([(row.case, row.measures) for row in members], columns)
        cells = [_shaded(name, values.get(name), words) for name in columns]
        rows.append(
            tag("tr", tag("th", _kind(kind, words), scope="row"), tag("td", len(members), class_="n"), cells)
        )
    head = [words.kind, words.over, *(words.measures[name][0] for name in columns)]
    return _section(words.by_kind, _table(words.by_kind, head, rows, numbers=range(1, len(head))))


def _kind(kind: str, words: Words) -> str:
    heading, _, name = kind.partition(" ")
    known = {"all": words.all, "answerable": words.answerable}
    headings = {"type": words.type, "lang": words.language, "tag": words.tag}
    return f"{headings[heading]}: {name}" if name else known[heading]


def _shaded(name: str, value: float | None, words: Words) -> Markup:
    """A cell, the darker the better the share."""
    if value is None:
        return tag("td", "–", class_="n")
    if MEASURES[name].unit != "share":
        return tag("td", shown(name, value, words), class_="n")
    style = f"background: color-mix(in srgb, var(--accent) {round(26 * value)}%, transparent)"
    return tag("td", tag("span", shown(name, value, words), class_="shade", style=style), class_="n")


def _curve(run: Run, words: Words) -> Markup | None:
    """Risk over coverage, as far as questions were answered."""
    judged = [row for row in run.rows if row.answer and is_right(row.case, row.measures) is not None]
    given = [row for row in judged if row.answer and not row.answer["abstained"]]
    if not given:
        return None
    points = risk_coverage(
        (float(row.answer["confidence"]), bool(is_right(row.case, row.measures)))
        for row in given
        if row.answer
    )
    points = [(coverage * len(given) / len(judged), risk) for coverage, risk in points]
    coverage, risk = points[-1]
    axes = Axes(
        most_x=1.0,
        most_y=max(0.2, nice(max(risk for _, risk in points))),
        name_x=words.coverage,
        name_y=words.risk,
        write_x=lambda value: words.number(100 * value, 0) + words.percent,
        write_y=lambda value: words.number(100 * value, 0) + words.percent,
    )
    note = f"{words.now}: {words.share(coverage)}, {words.share(risk)} {words.wrong}"
    described = f"{words.coverage} {words.share(coverage)}; {words.risk} {words.share(risk)}"
    plot = curve("curve", words.curve_title, described, points, axes, note)
    return tag("figure", tag("h2", words.curve_title), tag("figcaption", words.curve_note), plot)


def _seconds(run: Run) -> list[float]:
    return [row.measures["seconds_total"] for row in run.rows if "seconds_total" in row.measures]


def _latency(run: Run, words: Words) -> Markup | None:
    seconds = _seconds(run)
    if not seconds:
        return None
    middle, most = quantile(seconds, 0.5), quantile(seconds, 0.95)
    end = nice(min(max(seconds), 2 * most) * 1.02) or 1.0
    axes = Axes(
        most_x=end,
        most_y=nice(max(5, *bins(seconds, end))),
        name_x=words.seconds,
        name_y=words.answers,
        write_x=lambda value: words.number(value, digits(end)),
        write_y=lambda value: words.number(value, 0),
    )
    marks = [
        (f"{words.median} {words.number(middle, 2)}\u202fs", middle),
        (f"{words.p95} {words.number(most, 2)}\u202fs", most),
    ]
    described = "; ".join(label for label, _ in marks)
    plot = histogram("latency", words.latency_title, described, seconds, marks, axes)
    return tag("figure", tag("h2", words.latency_title), tag("figcaption", words.latency_note), plot)


def _all_cases(run: Run, words: Words) -> Markup:
    columns = [name for name in COLUMNS if name in means(run.measured) and name != "words"]
    rows = [_case_row(row, columns, words) for row in run.rows]
    head = [words.question, "", *(words.measures[name][0] for name in columns), words.seconds]
    table = _table(words.all_cases, head, rows, numbers=range(2, len(head)))
    return tag("details", tag("summary", f"{words.all_cases} ({len(run.rows)})"), table)


def _case_row(row: Row, columns: Sequence[str], words: Words) -> Markup:
    cells = [shown(name, row.measures[name], words) if name in row.measures else "–" for name in columns]
    seconds = row.measures.get("seconds_total", math.nan)
    return tag(
        "tr",
        tag("th", tag("code", row.case.id), " ", row.case.question, scope="row"),
        tag("td", outcome(row, words)),
        [tag("td", cell, class_="n") for cell in cells],
        tag("td", "–" if math.isnan(seconds) else words.number(seconds, 2), class_="n"),
    )


def _comparison(runs: Sequence[Run], words: Words) -> Markup:
    parts = []
    for run in runs[1:]:
        found = {each.name: each for each in compare(runs[0], run)}
        wanted = [name for name in (*HEADLINE, "seconds_total") if name in found] or list(found)
        reach = {
            unit: _reach([found[n] for n in wanted if MEASURES[n].unit == unit]) for unit in _units(wanted)
        }
        rows = [_gain_row(found[name], reach[MEASURES[name].unit], words) for name in wanted]
        head = [words.measure, words.before, words.after, words.gain, "", words.interval, words.tally, ""]
        title = f"{runs[0].label} → {run.label}"
        parts += [tag("h3", title), _table(title, head, rows, numbers=(1, 2, 3))]
    return _section(words.compare_title, parts, note=words.compare_note)


def _units(names: Iterable[str]) -> set[str]:
    return {MEASURES[name].unit for name in names}


def _reach(differences: Sequence[Difference]) -> float:
    return nice(max(max(abs(each.low), abs(each.high)) for each in differences) or 0.1)


def _gain_row(each: Difference, reach: float, words: Words) -> Markup:
    verdict = {"better": words.better, "worse": words.worse, "": ""}[each.verdict]
    tally = each.tally
    sign = "+" if each.gain > 0 else ""
    return tag(
        "tr",
        tag("th", words.measures[each.name][0], scope="row"),
        tag("td", shown(each.name, each.before, words), class_="n"),
        tag("td", shown(each.name, each.after, words), class_="n"),
        tag("td", sign + shown(each.name, each.gain, words), class_="n"),
        tag("td", gain_bar(each.gain, each.low, each.high, reach, each.verdict)),
        tag("td", _span(each.name, each.low, each.high, words)),
        tag("td", f"{tally.wins} / {tally.ties} / {tally.losses}"),
        tag("td", tag("strong", verdict, class_=each.verdict) if verdict else None),
    )


def _how(run: Run, values: dict[str, Value], words: Words) -> Markup:
    defined = [(*words.measures[name], name) for name in values]
    entries = [(tag("dt", label), tag("dd", text, " ", tag("code", name))) for label, text, name in defined]
    left_out = [
        (tag("dt", words.measures[name][0]), tag("dd", f"{words.needs}: {needs}"))
        for name, needs in run.about.get("left_out", {}).items()
    ]
    engine = {**run.about["engine"], "scorer": run.about.get("scorer"), "judge": run.about.get("judge")}
    kept = {**engine, "set sha256": run.about["set"]["sha256"], **run.about["settings"]}
    settings = [(tag("dt", name), tag("dd", str(value))) for name, value in kept.items() if value is not None]
    return markup(
        [
            tag("details", tag("summary", words.how_title), tag("dl", entries)),
            tag("details", tag("summary", words.left_out), tag("dl", left_out)) if left_out else None,
            tag("details", tag("summary", words.settings), tag("dl", settings)),
        ]
    )
