"""SVG plots drawn by plain code; colours come from the page's style sheet."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from accsearch.report.svg import element, label, line
from accsearch.result_lines.stats import Interval

WIDTH, HEIGHT = 680, 340
_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 16, 14, 44
_CHARACTER = 7.2
"""Width of a character of the names beside bars, on the wide side."""
_LINEAR = 0.001
"""Up to this loss the axis is about linear, beyond it logarithmic, so that 0.1 % and 30 % both have room."""
_LOSS_AXIS = f"score loss (logarithmic beyond {100 * _LINEAR:g} %)"
_LOSS_TICKS = (-0.1, -0.01, -0.003, -0.001, 0.0, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0)

SERIES = 8
"""Number of colours for sets of methods; further sets begin again."""


@dataclass(frozen=True, slots=True)
class Point:
    """One trial: `series` chooses the colour, a `hollow` point is not eligible as an upper bound."""

    label: str
    loss: float
    speedup: float
    loss_ci95: Interval | None
    speedup_ci95: Interval | None
    series: int
    hollow: bool = False


@dataclass(frozen=True, slots=True)
class Bar:
    """One row of a bar chart."""

    label: str
    value: float
    interval: Interval | None
    note: str


def pareto_front(points: Iterable[Point]) -> list[Point]:
    """Return the eligible points that no other beats in both loss and speed-up, by rising loss."""
    front: list[Point] = []
    for point in sorted((p for p in points if not p.hollow), key=lambda p: (p.loss, -p.speedup)):
        if not front or point.speedup > front[-1].speedup:
            front.append(point)
    return front


def scatter(points: Sequence[Point], limits: Sequence[float], title: str) -> Markup:
    """Return speed-up against score loss, with confidence bars, the limits and the Pareto front."""
    losses = [
        value
        for p in points
        for value in (p.loss, *(p.loss_ci95 or ()))
        # A bar may leave the picture; a point may not.
        if abs(value) <= 4 * max(abs(p.loss), _LINEAR)
    ]
    least, most = 1.2 * min([-0.0003, *losses]), 1.2 * max([0.001, *losses, *limits])
    x = _Scale(_bend(least), _bend(most), _LEFT, WIDTH - _RIGHT)
    speeds = [value for p in points for value in (p.speedup, *(p.speedup_ci95 or ()))]
    y = _Scale(min([0.9, *speeds]), max([1.2, *speeds]), HEIGHT - _BOTTOM, _TOP)
    parts = [*_axes(x, y)]
    for limit in limits:
        at = x.at(_bend(limit))
        parts.append(line(at, at, _TOP, HEIGHT - _BOTTOM, "limit"))
        offset, anchor = (4, "start") if at < WIDTH - 90 else (-4, "end")
        parts.append(label(f"limit {100 * limit:g} %", at + offset, HEIGHT - _BOTTOM - 6, "tick", anchor))
    front = pareto_front(points)
    path = " ".join(f"{x.at(_bend(p.loss))},{y.at(p.speedup)}" for p in front)
    parts.append(element("polyline", points=path, class_="front"))
    parts.extend(_mark(p, x, y) for p in points)
    return _svg(parts, HEIGHT, title)


def bars(rows: Sequence[Bar], title: str) -> Markup:
    """Return one bar a row from 1.0 on, with its confidence interval."""
    left, step = 20 + _CHARACTER * max(len(row.label) for row in rows), 26
    height = _TOP + step * len(rows) + 26
    top = max([1.1, *(value for row in rows for value in (row.value, *(row.interval or ())))])
    x = _Scale(min(1.0, *(row.value for row in rows)), top, left, WIDTH - 90)
    parts = []
    for tick in _ticks(x.low, x.high):
        at = x.at(tick)
        parts.append(line(at, at, _TOP, height - 22, "grid"))
        parts.append(label(f"{tick:g}x", at, height - 6, "tick", "middle"))
    for k, row in enumerate(rows):
        y = _TOP + step * k
        start, end = sorted((x.at(1.0), x.at(row.value)))
        parts.append(label(row.label, left - 8, y + 16, "name", "end"))
        size = {"width": max(1.0, end - start), "height": 16, "rx": 2}
        parts.append(element("rect", element("title", row.note), x=start, y=y + 4, class_="bar", **size))
        reach = end
        if row.interval is not None:
            low, reach = x.at(row.interval[0]), max(end, x.at(row.interval[1]))
            parts.append(line(low, reach, y + 12, y + 12, "error"))
        parts.append(label(f"{row.value:.2f}x", reach + 6, y + 16, "value"))
    return _svg(parts, height, title)


@dataclass(frozen=True, slots=True)
class _Scale:
    low: float
    high: float
    start: float
    end: float

    def at(self, value: float) -> float:
        share = (value - self.low) / (self.high - self.low or 1.0)
        return round(self.start + min(1.02, max(-0.02, share)) * (self.end - self.start), 1)


def _bend(loss: float) -> float:
    return math.asinh(loss / _LINEAR)


def _axes(x: _Scale, y: _Scale) -> list[Markup]:
    parts = []
    bottom = HEIGHT - _BOTTOM
    for tick in _ticks(y.low, y.high):
        at = y.at(tick)
        parts.append(line(_LEFT, WIDTH - _RIGHT, at, at, "grid"))
        parts.append(label(f"{tick:g}x", _LEFT - 8, at + 4, "tick", "end"))
    for loss in _LOSS_TICKS:
        if x.low - 1e-9 <= _bend(loss) <= x.high + 1e-9:
            at = x.at(_bend(loss))
            parts.append(line(at, at, bottom, bottom + 4, "axis"))
            parts.append(label(f"{100 * loss:g} %", at, bottom + 18, "tick", "middle"))
    parts.append(line(_LEFT, WIDTH - _RIGHT, bottom, bottom, "axis"))
    middle, half = (_LEFT + WIDTH - _RIGHT) / 2, (_TOP + bottom) / 2
    parts.append(label(_LOSS_AXIS, middle, HEIGHT - 6, "title", "middle"))
    parts.append(label("speed-up", 12, half, "title", "middle", transform=f"rotate(-90 12 {half})"))
    return parts


def _mark(point: Point, x: _Scale, y: _Scale) -> Markup:
    px, py = x.at(_bend(point.loss)), y.at(point.speedup)
    parts = [element("title", point.label)]
    if point.loss_ci95 is not None:
        low, high = (x.at(_bend(value)) for value in point.loss_ci95)
        parts.append(line(low, high, py, py, "error"))
        if _bend(point.loss_ci95[0]) < x.low:
            parts.append(_arrow(low, py, -1))
        if _bend(point.loss_ci95[1]) > x.high:
            parts.append(_arrow(high, py, 1))
    if point.speedup_ci95 is not None:
        low, high = (y.at(value) for value in point.speedup_ci95)
        parts.append(line(px, px, low, high, "error"))
    shape = "hollow" if point.hollow else "dot"
    parts.append(element("circle", cx=px, cy=py, r=4.5, class_=shape))
    return element("g", *parts, class_=f"s{point.series % SERIES}")


def _arrow(x: float, y: float, way: int) -> Markup:
    """Return the head at the end of a bar that goes on outside the picture."""
    back = x - 5 * way
    return element("polyline", points=f"{back},{y - 4} {x},{y} {back},{y + 4}", class_="error", fill="none")


def _ticks(low: float, high: float) -> list[float]:
    """Return round numbers in the range, at most eight."""
    step = 10.0 ** math.floor(math.log10(max(high - low, 1e-9)))
    for factor in (0.1, 0.2, 0.5, 1.0, 2.0):
        if (high - low) / (step * factor) <= 7:
            step *= factor
            break
    first = math.ceil(low / step - 1e-9)
    return [round(k * step, 6) for k in range(first, math.floor(high / step + 1e-9) + 1)]


def _svg(parts: Iterable[Markup], height: int, title: str) -> Markup:
    box = f"0 0 {WIDTH} {height}"
    return element("svg", element("title", title), *parts, viewBox=box, role="img", aria_label=title)
