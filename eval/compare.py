"""Compares two runs of a set question by question: is B worse than A, beyond chance and beyond a limit?"""

import argparse
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np

from eval.cases import case_to_dict
from eval.measures import HEADLINE, MEASURES
from eval.runs import Row, Run, load_run
from eval.statistics import DECLINING, aligned, interval, means, resamples, shown, values
from rag.errors import BadRequest
from rag.i18n import ENGLISH
from rag.terminal import as_json

PASS, REGRESSION, INVALID = 0, 1, 2
_SAME = 1e-9

_EPILOG = """A difference is B - A; its interval is a paired bootstrap by question (10,000 resamples, the
questions of one conversation together). Exit status: 0 pass; 1 a limit is broken: with --max-drop the
measure is worse by more than the limit and its whole interval lies below zero, with --min the value of
B is too low; 2 the runs cannot be compared: another set, cases missing or failed, a measure missing.

example: python -m eval compare before.json after.json --max-drop citation_precision=0.02 --min quote_exact=1
"""


@dataclass(frozen=True, slots=True)
class Tally:
    """The numbers of questions in which B is better than A, equal, or worse."""

    wins: int = 0
    ties: int = 0
    losses: int = 0

    def __str__(self) -> str:
        return f"{self.wins} / {self.ties} / {self.losses}"


@dataclass(frozen=True, slots=True)
class Difference:
    """A measure in both runs. `gain` is B - A turned so that more is better, with its 95 % interval."""

    name: str
    before: float
    after: float
    gain: float
    low: float
    high: float
    tally: Tally
    by_type: Mapping[str, Tally] = field(default_factory=dict)

    @property
    def verdict(self) -> str:
        """`worse` or `better` where the whole interval lies on one side of zero, and one way is better."""
        if not MEASURES[self.name].better:
            return ""
        return "worse" if self.high < 0 else "better" if self.low > 0 else ""


def compare(before: Run, after: Run) -> list[Difference]:
    """The differences of the measures that both runs have; raises BadRequest unless they can be paired."""
    check_pair(before, after)
    rows = {row.case.id: row for row in after.rows}
    one, two = before.rows, [rows[row.case.id] for row in before.rows]
    old, new = means(one), means(two)
    names = [name for name in old if name in new]
    if not names:
        return []
    ways = [MEASURES[name].better or 1 for name in names]
    conversations = [row.case.conversation for row in one]
    drawn = [values(two, names, w) - values(one, names, w) for w in resamples(conversations)]
    lows, highs = interval(np.concatenate(drawn) * ways)
    found = []
    for name, way, low, high in zip(names, ways, lows, highs, strict=True):
        gain = (new[name] - old[name]) * way
        whole, by_type = _tallies(name, one, two)
        # + 0.0: no -0.0
        bounds = (gain + 0.0, float(low) + 0.0, float(high) + 0.0)
        found.append(Difference(name, old[name], new[name], *bounds, whole, by_type))
    return found


def check_pair(before: Run, after: Run) -> None:
    """Raises BadRequest unless both runs are complete and asked the same cases."""
    for name, run in (("the first run", before), ("the second run", after)):
        if run.failed:
            ids = ", ".join(run.failed[:5])
            raise BadRequest(f"{len(run.failed)} cases of {name} failed ({ids}); run it again with --resume")
        if not run.complete:
            raise BadRequest(f"{name} is not complete: {len(run.rows)} of {run.about['set']['cases']} cases")
    one = {row.case.id: case_to_dict(row.case) for row in before.rows}
    two = {row.case.id: case_to_dict(row.case) for row in after.rows}
    if one != two:
        differing = sorted(id for id in one.keys() | two.keys() if one.get(id) != two.get(id))
        raise BadRequest(
            f"the runs are of different sets: {len(differing)} cases differ ({', '.join(differing[:5])});"
            " run both on the same set"
        )


def regressions(
    differences: Sequence[Difference], drops: Mapping[str, float], least: Mapping[str, float]
) -> list[str]:
    """The broken limits, in words; raises BadRequest for a limit on a measure that is missing."""
    found = {difference.name: difference for difference in differences}
    if unknown := sorted((drops.keys() | least.keys()) - found.keys()):
        raise BadRequest(f"not measured in both runs: {', '.join(unknown)}")
    broken = []
    for name, limit in drops.items():
        each = found[name]
        if each.high < 0 and -each.gain > limit:
            broken.append(f"{name} is worse by {shown(name, -each.gain)}, the limit is {limit:g}")
    for name, limit in least.items():
        if found[name].after < limit - _SAME:
            broken.append(f"{name} is {shown(name, found[name].after)}, at least {limit:g} is asked for")
    return broken


def _tallies(name: str, before: Sequence[Row], after: Sequence[Row]) -> tuple[Tally, dict[str, Tally]]:
    """Wins, ties and losses over all and by type; those of declining go by what is right."""
    key, way = ("abstention_right" if name in DECLINING else name), MEASURES[name].better or 1
    counts: dict[str, Counter[str]] = {}
    for old, new in zip(before, after, strict=True):
        if key in old.measures and key in new.measures:
            gain = (new.measures[key] - old.measures[key]) * way
            outcome = "wins" if gain > _SAME else "losses" if gain < -_SAME else "ties"
            counts.setdefault(old.case.type or "–", Counter())[outcome] += 1
    whole = sum(counts.values(), Counter[str]())
    return Tally(**whole), {kind: Tally(**count) for kind, count in sorted(counts.items())}


def main(arguments: Sequence[str]) -> int:
    """`python -m eval compare`; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m eval compare",
        description=__doc__,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("before", type=Path, metavar="A.json", help="the run to compare with")
    parser.add_argument("after", type=Path, metavar="B.json", help="the run in question")
    limit = {"nargs": "+", "action": "extend", "type": _limit, "default": [], "metavar": "MEASURE=VALUE"}
    parser.add_argument("--max-drop", **limit, help="by how much a measure may be worse")  # type: ignore[arg-type]
    parser.add_argument("--min", **limit, help="what a measure of B must reach")  # type: ignore[arg-type]
    parser.add_argument("--all", action="store_true", help="every measure, not only the most telling ones")
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args(arguments)
    try:
        before, after = load_run(options.before), load_run(options.after)
        differences = compare(before, after)
        drops, least = dict(options.max_drop), dict(options.min)
        broken = regressions(differences, drops, least)
    except BadRequest as error:
        parser.exit(INVALID, f"beleg: {error}\n")
    if options.json:
        print(as_json([asdict(each) for each in differences], indent=1))
    else:
        names = MEASURES if options.all else dict.fromkeys([*HEADLINE, "seconds_total", *drops, *least])
        found = {each.name: each for each in differences}
        print(_table([found[name] for name in names if name in found]))
        print(*_remarks(before, after), *(f"REGRESSION: {line}" for line in broken), sep="\n")
    return REGRESSION if broken else PASS


def _limit(value: str) -> tuple[str, float]:
    name, _, limit = value.partition("=")
    if name not in MEASURES:
        raise argparse.ArgumentTypeError(f"there is no measure {name!r}; there are: {', '.join(MEASURES)}")
    try:
        return name, float(limit)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{value!r} is not MEASURE=NUMBER") from None


def _table(differences: Sequence[Difference]) -> str:
    tally = ENGLISH("eval.tally")
    rows = [
        [*(ENGLISH(f"eval.{name}") for name in ("name", "before", "after", "gain", "interval")), tally, ""]
    ]
    changed = [[ENGLISH("eval.name"), ENGLISH("eval.kind.type"), tally]]
    for each in differences:
        span = f"{each.low:+.3f} – {each.high:+.3f}"
        values = [shown(each.name, each.before), shown(each.name, each.after)]
        rows.append([each.name, *values, f"{each.gain:+.3f}", span, str(each.tally), each.verdict])
        kinds = each.by_type.items() if MEASURES[each.name].unit != "seconds" else ()
        changed += [[each.name, kind, str(tally)] for kind, tally in kinds if tally.wins + tally.losses]
    tables = [aligned(rows, left=(0, 4, 6)), *([aligned(changed, left=(0, 1))] if len(changed) > 1 else [])]
    return "\n\n".join(tables)


def _remarks(before: Run, after: Run) -> list[str]:
    """Differences of the runs other than their answers."""
    one, two = before.about, after.about
    differing = [
        f"{name}: {a} → {b}"
        for part in ("engine", "settings")
        for name in sorted(one[part].keys() | two[part].keys())
        if (a := one[part].get(name)) != (b := two[part].get(name)) and name != "articles_sha256"
    ]
    if one["engine"].get("articles_sha256") != two["engine"].get("articles_sha256"):
        differing.append("the articles")
    return ["", f"the runs differ in {'; '.join(differing)}"] if differing else [""]
