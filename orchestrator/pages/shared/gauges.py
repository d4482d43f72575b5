"""Bars for memory and load of a worker, in the colour of the job it runs."""

from typing import Any

import reflex as rx

from orchestrator.ui.kit import Text
from orchestrator.ui.primitives.progress import progress


def job_bar(share: rx.Var[float], series: rx.Var[int], label: Text, **props: Any) -> rx.Component:
    """A bar of 0 to 100 in a job's colour; grey while `series` is 0."""
    return rx.cond(
        series > 0,
        progress(share, label=label, series=series, **props),
        progress(share, label=label, tone="muted", **props),
    )


def gauge(label: Text, figure: Any, bar: rx.Component, *below: rx.Component) -> rx.Component:
    """A label and its figure over a bar."""
    return rx.el.div(
        rx.el.div(
            rx.el.span(label, class_name="text-muted-foreground"),
            rx.el.span(figure, class_name="tabular"),
            class_name="flex justify-between gap-2 text-xs",
        ),
        bar,
        *below,
        class_name="flex min-w-0 flex-col gap-1.5",
    )
