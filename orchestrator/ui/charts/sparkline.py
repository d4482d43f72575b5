"""A small curve for cards and rows."""

from typing import Any

import reflex as rx

from orchestrator.ui.kit import Number, Text, present
from orchestrator.ui.tsx import tsx


class Sparkline(rx.Component):
    """Binding of `sparkline.tsx`."""

    library = tsx("charts/sparkline.tsx")
    tag = "Sparkline"

    values: rx.Var[list[float]]
    series: rx.Var[int]
    color: rx.Var[str]
    height: rx.Var[int]
    dot: rx.Var[bool]
    label: rx.Var[str]
    low: rx.Var[float]
    high: rx.Var[float]


def sparkline(
    values: Any,
    *,
    series: Number = 1,
    color: str | None = None,
    height: int = 56,
    dot: bool = True,
    label: Text = "Loss",
    low: float | None = None,
    high: float | None = None,
    class_name: str = "",
) -> rx.Component:
    """The curve of `values` in the job's colour; nothing under two points.

    `low`, `high`: what the foot and the head stand for, where that is known; else the curve fills its height.
    """
    given = present(color=color, low=low, high=high)
    return Sparkline.create(
        values=values, series=series, height=height, dot=dot, label=label, class_name=class_name, **given
    )
