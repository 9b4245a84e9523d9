"""Plots as inline SVG: no script, colours by CSS classes, each with a title and a description."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from eval.markup import Markup, tag

Point = tuple[float, float]
Write = Callable[[float], str]
"""A number as the report's language writes it."""

_BAR, _BAR_HEIGHT = 180.0, 18.0
_WIDTH, _HEIGHT = 520.0, 300.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 56.0, 26.0, 16.0, 46.0
_BINS = 24


def interval_bar(value: float, low: float, high: float, most: float = 1.0) -> Markup:
    """A value with its interval on a track from 0 to `most`; silent, for the numbers stand beside it."""
    x, left, right = (_scaled(v, most) for v in (value, low, high))
    middle = _BAR_HEIGHT / 2
    return tag(
        "svg",
        tag("rect", x=0, y=middle - 3, width=_BAR, height=6.0, rx=3, class_="track"),
        tag("rect", x=0, y=middle - 3, width=x, height=6.0, rx=3, class_="fill"),
        tag("line", x1=left, x2=right, y1=middle, y2=middle, class_="whisker"),
        tag("circle", cx=x, cy=middle, r=4.5, class_="dot"),
        view_box=f"-6 0 {_BAR + 12:g} {_BAR_HEIGHT:g}",
        class_="bar",
        aria_hidden="true",
    )


def gain_bar(gain: float, low: float, high: float, reach: float, verdict: str) -> Markup:
    """A difference with its interval around zero, on a track from -reach to reach."""
    x, left, right = (_scaled(v + reach, 2 * reach) for v in (gain, low, high))
    middle = _BAR_HEIGHT / 2
    return tag(
        "svg",
        tag("rect", x=0, y=middle - 3, width=_BAR, height=6.0, rx=3, class_="track"),
        tag("line", x1=_BAR / 2, x2=_BAR / 2, y1=0, y2=_BAR_HEIGHT, class_="zero"),
        tag("line", x1=left, x2=right, y1=middle, y2=middle, class_=f"whisker {verdict}".strip()),
        tag("circle", cx=x, cy=middle, r=4.5, class_=f"dot {verdict}".strip()),
        view_box=f"-6 0 {_BAR + 12:g} {_BAR_HEIGHT:g}",
        class_="bar",
        aria_hidden="true",
    )


def _scaled(value: float, most: float) -> float:
    return _BAR * min(1.0, max(0.0, value / most if most else 0.0))


@dataclass(frozen=True, slots=True)
class Axes:
    """The frame of a plot: how far the axes go (from 0), and what they are called."""

    most_x: float
    most_y: float
    name_x: str
    name_y: str
    write_x: Write
    write_y: Write

    def x(self, value: float) -> float:
        """Pixels from the left."""
        return _LEFT + (_WIDTH - _LEFT - _RIGHT) * value / self.most_x

    def y(self, value: float) -> float:
        """Pixels from the top."""
        return _HEIGHT - _BOTTOM - (_HEIGHT - _TOP - _BOTTOM) * value / self.most_y

    def frame(self) -> list[Markup]:
        """Grid, ticks and names."""
        parts = [tag("line", x1=self.x(0), x2=self.x(self.most_x), y1=self.y(0), y2=self.y(0), class_="axis")]
        for value in ticks(self.most_y):
            y = self.y(value)
            parts.append(tag("line", x1=self.x(0), x2=self.x(self.most_x), y1=y, y2=y, class_="grid"))
            parts.append(_text(self.write_y(value), self.x(0) - 8, y + 4, "end"))
        for value in ticks(self.most_x):
            parts.append(_text(self.write_x(value), self.x(value), self.y(0) + 18, "middle"))
        parts.append(_text(self.name_x, self.x(self.most_x / 2), _HEIGHT - 8, "middle", "name"))
        middle = self.y(self.most_y / 2)
        turned = tag(
            "text",
            self.name_y,
            x=14,
            y=middle,
            text_anchor="middle",
            transform=f"rotate(-90 14 {middle:g})",
            class_="name",
        )
        return [*parts, turned]


def _text(text: str, x: float, y: float, anchor: str, kind: str = "tick") -> Markup:
    return tag("text", text, x=x, y=y, text_anchor=anchor, class_=kind)


def _plot(id: str, title: str, description: str, parts: Sequence[Markup]) -> Markup:
    return tag(
        "svg",
        tag("title", title, id=f"{id}-title"),
        tag("desc", description, id=f"{id}-desc"),
        *parts,
        view_box=f"0 0 {_WIDTH:g} {_HEIGHT:g}",
        class_="plot",
        role="img",
        aria_labelledby=f"{id}-title {id}-desc",
    )


def curve(id: str, title: str, description: str, points: Sequence[Point], axes: Axes, note: str) -> Markup:
    """A line through points from left to right, the area below it, and a note at its last point."""
    placed = [(axes.x(x), axes.y(y)) for x, y in points]
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in placed)
    first, last = placed[0], placed[-1]
    area = f"{first[0]:.1f},{axes.y(0):.1f} {line} {last[0]:.1f},{axes.y(0):.1f}"
    right = last[0] < _WIDTH * 0.7
    parts = [
        *axes.frame(),
        tag("polygon", points=area, class_="area"),
        tag("polyline", points=line, class_="curve"),
        tag("circle", cx=last[0], cy=last[1], r=5.5, class_="dot"),
        _text(
            note, last[0] + (10 if right else -10), max(last[1] - 12, 14), "start" if right else "end", "note"
        ),
    ]
    return _plot(id, title, description, parts)


def histogram(
    id: str,
    title: str,
    description: str,
    values: Sequence[float],
    marks: Sequence[tuple[str, float]],
    axes: Axes,
) -> Markup:
    """Bars of how many values lie where, and labelled lines at the marks; beyond counts as last."""
    counts = bins(values, axes.most_x)
    width = (axes.x(axes.most_x) - axes.x(0)) / _BINS
    parts = axes.frame()
    for place, count in enumerate(counts):
        if count:
            top = axes.y(count)
            left = axes.x(0) + place * width + 1
            parts.append(
                tag("rect", x=left, y=top, width=width - 2, height=axes.y(0) - top, rx=1.5, class_="fill")
            )
    places = [min(axes.x(value), axes.x(axes.most_x)) for _, value in marks]
    parts += [tag("line", x1=x, x2=x, y1=_TOP, y2=axes.y(0), class_="mark") for x in places]
    for level, ((label, _), x) in enumerate(zip(marks, places, strict=True)):
        near_end = x > _WIDTH * 0.72
        at = x - 6 if near_end else x + 6
        parts.append(_text(label, at, _TOP + 12 + 16 * level, "end" if near_end else "start", "note"))
    return _plot(id, title, description, parts)


def bins(values: Sequence[float], most: float) -> list[int]:
    """How many values lie in each of 24 equal ranges from 0 to `most`; greater ones in the last."""
    counts = [0] * _BINS
    for value in values:
        counts[min(_BINS - 1, int(value / most * _BINS))] += 1
    return counts


def ticks(most: float) -> list[float]:
    """Round values from 0 to the end of an axis, which is a `nice` number."""
    digit = round(most / 10.0 ** math.floor(math.log10(most) + 1e-9))
    steps = 4 if digit in (2, 4, 8) else 5
    return [most * step / steps for step in range(steps + 1)]


def digits(most: float) -> int:
    """Digits behind the decimal point that the ticks of an axis need."""
    return max(0, -math.floor(math.log10(ticks(most)[1]) + 1e-9))


def nice(value: float) -> float:
    """The next of 1, 2, 4, 5, 8 or 10 times a power of ten that is not smaller: a good end of an axis."""
    if value <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(value))
    return next(step * power for step in (1, 2, 4, 5, 8, 10) if step * power >= value * (1 - 1e-9))
