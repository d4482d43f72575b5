"""A page of Markdown with one small chart (inline SVG) for each figure: all its measurements over time."""

import math
from collections.abc import Callable
from html import escape

from benchmarks import catalog
from benchmarks.figures import FIGURES, Figure
from benchmarks.measurements import Measurement, group_by_figure, latest, load_history
from benchmarks.table import verdict
from benchmarks.target import Target, bound_of
from benchmarks.units import format_target, format_value

WIDTH, HEIGHT = 640, 150
LEFT, RIGHT, TOP, BOTTOM = 76, 16, 14, 26
"""Margins of the plot, in which the labels of the axes stand."""
LOG_RATIO = 20
"""From this ratio of the largest to the smallest value on, the axis is logarithmic."""
_TEXT = 'fill="currentColor" font-size="11" font-family="inherit"'

INTRODUCTION = """# Benchmarks over time

Every recorded measurement of each figure, from `benchmarks/history.jsonl`. `./loreel bench NAME` adds to it.

A filled point was measured on a quiet machine, a hollow one under load or with another variant of the benchmark.
The line connects the filled points; the dashed line is the target. Points stand in the order in which they were
measured, at equal distances.
"""


def page() -> str:
    """The page's Markdown, with charts as inline SVG: no scripts, in the text's colour, light or dark."""
    groups = group_by_figure(load_history())
    parts = [INTRODUCTION]
    for bench in dict.fromkeys(figure.bench for figure in FIGURES):
        targets = catalog.targets(bench)
        parts.append(f"## {bench}\n\n{catalog.summary(bench)}\n")
        parts += [
            section(figure, targets.get(figure.key), groups[figure.bench, figure.key])
            for figure in FIGURES
            if figure.bench == bench
        ]
    return "\n".join(parts)


def section(figure: Figure, target: Target | None, measurements: list[Measurement]) -> str:
    """One figure: its name, its latest value, its chart, and all measurements as text."""
    drawn = [each for each in measurements if each.value is not None]
    lines = ["<figure>", f"<figcaption><strong>{_label(figure)}</strong>: {_state(figure, target, drawn)}</figcaption>"]
    if drawn:
        lines.append(chart(figure, target, drawn))
    if measurements:
        count = "1 measurement" if len(measurements) == 1 else f"{len(measurements)} measurements"
        lines += [f"<details><summary>{count}</summary>", _list(figure, measurements), "</details>"]
    return "\n".join([*lines, "</figure>", ""])


def chart(figure: Figure, target: Target | None, measurements: list[Measurement]) -> str:
    """An SVG of measurements that all have a value; one is enough."""
    bound = bound_of(target)
    values = [each.value for each in measurements if each.value is not None]
    y, is_log = _vertical_scale(values if bound is None else [*values, bound])
    xs = _positions(len(values))
    title = f"{figure.label.replace('`', '')}, {len(values)} measurements{', logarithmic axis' if is_log else ''}"
    parts = [
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" role="img" '
        f'aria-label="{escape(title)}" style="max-width:100%;height:auto">',
        _axes(figure, values, y, bound),
        _dates(measurements, xs),
        _line([(x, y(value)) for x, value, each in zip(xs, values, measurements, strict=True) if each.counts]),
    ]
    for x, value, each in zip(xs, values, measurements, strict=True):
        fill = "currentColor" if each.counts else "none"
        parts.append(
            f'<circle cx="{x:.1f}" cy="{y(value):.1f}" r="3.5" fill="{fill}" stroke="currentColor" stroke-width="1.5" '
            f'pointer-events="all"><title>{escape(describe(figure, each))}</title></circle>'
        )
    return "\n".join([*filter(None, parts), "</svg>"])


def describe(figure: Figure, measurement: Measurement) -> str:
    """A measurement in one line: value, day, conditions, machine, variant, note, commit."""
    state = {True: "quiet", False: "not quiet", None: ""}[measurement.quiet]
    load = "" if measurement.load is None else f"load {measurement.load:g}"
    value = "" if measurement.value is None else format_value(measurement.value, figure.unit)
    parts = (value, measurement.day, state, load, measurement.conditions, measurement.machine)
    variant = f"variant: {measurement.variant}" if measurement.variant else ""
    return "; ".join(filter(None, (*parts, variant, measurement.note, f"commit {measurement.commit}")))


def _label(figure: Figure) -> str:
    """The label as HTML: its words in backticks as code."""
    pieces = escape(figure.label).split("`")
    return "".join(f"<code>{piece}</code>" if at % 2 else piece for at, piece in enumerate(pieces))


def _state(figure: Figure, target: Target | None, drawn: list[Measurement]) -> str:
    newest = latest(drawn)
    target_text = f"target {format_target(target, figure.unit)}" if target else "no target"
    if newest is None or newest.value is None:
        return f"not measured; {target_text}"
    met = {"yes": ", met", "no": ", not met", "not shown": ", not shown", "-": ""}[verdict(newest, target)]
    where = "" if newest.counts else " under load"
    return f"{format_value(newest.value, figure.unit)}{where} on {newest.day}; {target_text}{met}"


def _list(figure: Figure, measurements: list[Measurement]) -> str:
    return "<ul>" + "".join(f"<li>{escape(describe(figure, each))}</li>" for each in reversed(measurements)) + "</ul>"


def _vertical_scale(values: list[float]) -> tuple[Callable[[float], float], bool]:
    """From a value to its height in the picture, and whether the axis is logarithmic."""
    low, high = min(values), max(values)
    is_log = low > 0 and high / low >= LOG_RATIO
    transform = math.log if is_log else float
    bottom, top = transform(low), transform(high)
    span = top - bottom or abs(top) or 1.0
    middle = (bottom + top) / 2 if top == bottom else None

    def y(value: float) -> float:
        share = 0.5 if middle is not None else (transform(value) - bottom) / span
        return HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM)

    return y, is_log


def _positions(count: int) -> list[float]:
    room = WIDTH - LEFT - RIGHT
    return [LEFT + room * (at + 0.5) / count for at in range(count)]


def _axes(figure: Figure, values: list[float], y: Callable[[float], float], bound: float | None) -> str:
    """The target's line, and labels of target, smallest and largest value where they do not touch."""
    parts, taken = [], []
    if bound is not None:
        parts.append(
            f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y(bound):.1f}" y2="{y(bound):.1f}" '
            'stroke="currentColor" stroke-dasharray="5 4" opacity="0.6"/>'
        )
        taken.append(bound)
    taken += [value for value in (max(values), min(values)) if bound is None or abs(y(value) - y(bound)) >= 13]
    if len(taken) > 1 and abs(y(taken[-1]) - y(taken[-2])) < 13:
        taken.pop()
    for value in taken:
        position = f'x="{LEFT - 8}" y="{y(value) + 4:.1f}"'
        parts.append(f'<text {position} text-anchor="end" {_TEXT}>{format_value(value, figure.unit)}</text>')
    floor = HEIGHT - BOTTOM + 6
    parts.append(
        f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{floor}" y2="{floor}" stroke="currentColor" opacity="0.25"/>'
    )
    return "\n".join(parts)


def _dates(measurements: list[Measurement], xs: list[float]) -> str:
    """Each day below its first point, where there is room for it."""
    parts, free_from, before = [], 0.0, ""
    for each, x in zip(measurements, xs, strict=True):
        if each.day == before or x < free_from:
            continue
        before, free_from = each.day, x + 70
        anchor = "end" if x > WIDTH - RIGHT - 62 else "start"
        parts.append(f'<text x="{x:.1f}" y="{HEIGHT - 5}" text-anchor="{anchor}" {_TEXT}>{each.day}</text>')
    return "\n".join(parts)


def _line(points: list[tuple[float, float]]) -> str:
    if len(points) < 2:
        return ""
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return f'<polyline points="{path}" fill="none" stroke="currentColor" stroke-width="1.5" opacity="0.6"/>'


if __name__ == "__main__":
    print(page())
