"""How far something is, in the colour of its job."""

from typing import Any, Literal

import reflex as rx

from orchestrator.ui.kit import Number, Text, classes, present

Tone = Literal["primary", "info", "success", "muted"]


def series_color(series: Number) -> Any:
    """The CSS colour of a series, 1 to 7."""
    if isinstance(series, rx.Var):
        return "var(--series-" + series.to_string() + ")"
    return f"var(--series-{series})"


def progress(
    value: Number,
    *,
    label: Text,
    series: Number | None = None,
    tone: Tone = "primary",
    height: int = 6,
    class_name: str = "",
) -> rx.Component:
    """A bar of 0 to 100. `series`: the job's colour, else `tone`."""
    color: Any = (
        series_color(series) if series is not None else f"var(--{'muted-foreground' if tone == 'muted' else tone})"
    )
    width: Any = value.to_string() + "%" if isinstance(value, rx.Var) else f"{value}%"
    bar = rx.el.div(
        class_name="h-full rounded-full transition-[width]",
        style={"width": width, "background": color, "maxWidth": "100%"},
    )
    return rx.el.div(
        bar,
        role="progressbar",
        aria_label=label,
        aria_valuemin=0,
        aria_valuemax=100,
        aria_valuenow=value,
        class_name=classes("w-full overflow-hidden rounded-full bg-muted", class_name),
        style={"height": f"{height}px"},
    )


DASHES = ("none", "7 4", "2 4", "10 3 2 3")
"""How the lines of a plot with many jobs are broken, as `curves_chart.tsx` draws them: colour alone tells too little."""


def line_sample(series: Number, dash: rx.Var[int]) -> rx.Component:
    """A short piece of a job's line on a plot, in its colour and with its dashes."""
    broken = rx.match(dash, *[(place, pattern) for place, pattern in enumerate(DASHES)], DASHES[0])
    return rx.el.svg(
        rx.el.line(
            x1="1", y1="6", x2="27", y2="6", stroke=series_color(series), stroke_width="2.5", stroke_dasharray=broken
        ),
        view_box="0 0 28 12",
        width="28",
        height="12",
        aria_hidden=True,
        class_name="shrink-0",
    )


def swatch(series: Number, size: int = 10, title: Text | None = None) -> rx.Component:
    """The small square in a job's colour; always next to the job's name, or with the name as its tooltip."""
    return rx.el.span(
        aria_hidden=True,
        **present(title=title),
        class_name="inline-block shrink-0 rounded-sm",
        style={"width": f"{size}px", "height": f"{size}px", "background": series_color(series)},
    )
