"""Cards of the product: a figure, a running job, a timeline."""

from typing import Any

import reflex as rx

from orchestrator.ui.charts.sparkline import sparkline
from orchestrator.ui.kit import Child, Number, Text, children, classes
from orchestrator.ui.primitives.badge import TONES, Tone
from orchestrator.ui.primitives.card import card
from orchestrator.ui.primitives.icon import icon
from orchestrator.ui.primitives.link import link
from orchestrator.ui.primitives.progress import progress, swatch
from orchestrator.ui.primitives.status_chip import status_chip


def stat_card(
    label: Text,
    figure: Child,
    note: Child = None,
    icon_name: str | None = None,
    unit: Child = None,
    class_name: str = "",
    help: Child = None,
) -> rx.Component:
    """A label, one figure, a note. `help`: a "?" after the label."""
    return rx.el.section(
        rx.el.div(
            rx.el.div(
                rx.el.h2(label, class_name="min-w-0 text-xs text-muted-foreground"),
                *children(help),
                class_name="flex min-w-0 items-center gap-0.5",
            ),
            icon(icon_name, class_name="text-muted-foreground") if icon_name else rx.fragment(),
            class_name="flex items-center justify-between",
        ),
        rx.el.p(
            rx.el.span(figure, class_name="text-xl font-semibold tabular"),
            rx.el.span(unit, class_name="ml-1 text-xs text-muted-foreground") if unit is not None else rx.fragment(),
            class_name="mt-1",
        ),
        rx.el.div(note, class_name="mt-0.5 text-xs text-muted-foreground") if note is not None else rx.fragment(),
        class_name=classes("min-w-0 rounded-xl border border-border bg-card p-4", class_name),
    )


def metric(label: Text, figure: Child, rest: Child = None) -> rx.Component:
    """A small label over a figure, with `rest` after it in grey ("/ 1,290"). Inside a `dl` made by `metrics`."""
    return rx.el.div(
        rx.el.dt(label, class_name="text-xs text-muted-foreground"),
        rx.el.dd(
            figure,
            rx.el.span(" ", rest, class_name="text-muted-foreground") if rest is not None else rx.fragment(),
            class_name="mt-0.5 text-sm font-medium tabular whitespace-nowrap",
        ),
        class_name="min-w-0",
    )


def metrics(*items: Child, class_name: str = "grid grid-cols-2 gap-3 md:grid-cols-4") -> rx.Component:
    """A row of `metric`s."""
    return rx.el.dl(*children(*items), class_name=class_name)


def job_card(
    *,
    name: Text,
    job_id: Text,
    href: Text,
    status: Text,
    series: Number,
    percent: Number,
    note: Child = None,
    time_left: Child = None,
    losses: Any = None,
    figures: Child = None,
) -> rx.Component:
    """A job at a glance: name, percentage, sparkline, bar; `figures` is a `metrics(...)`."""
    head = rx.el.div(
        rx.el.div(
            swatch(series),
            link(
                name,
                href=href,
                muted=False,
                class_name="min-w-0 truncate text-base font-semibold no-underline hover:underline",
            ),
            rx.el.span("#", job_id, class_name="font-mono text-xs text-muted-foreground"),
            class_name="flex min-w-0 items-center gap-2",
        ),
        status_chip(status),
        class_name="flex items-center justify-between gap-3",
    )
    big = rx.el.div(
        rx.el.p(
            rx.el.span(percent, class_name="text-3xl font-semibold tracking-tight tabular"),
            rx.el.span("\u202f%", class_name="text-sm text-muted-foreground"),
        ),
        rx.el.div(time_left, class_name="text-sm text-muted-foreground") if time_left is not None else rx.fragment(),
        class_name="shrink-0",
    )
    curve = sparkline(losses, series=series, class_name="min-w-0 flex-1") if losses is not None else rx.fragment()
    return card(
        head,
        rx.el.div(note, class_name="mt-0.5 truncate text-sm text-muted-foreground")
        if note is not None
        else rx.fragment(),
        rx.el.div(big, curve, class_name="mt-3 flex items-end gap-5"),
        progress(percent, label="Progress", series=series, class_name="mt-3"),
        rx.el.div(figures, class_name="mt-4") if figures is not None else rx.fragment(),
    )


def timeline(*items: Child) -> rx.Component:
    """A list of `timeline_item`s, or an rx.foreach of them."""
    return rx.el.ol(*children(*items), class_name="flex flex-col")


def timeline_item(
    text: Child, when: Child, icon_name: str = "circle-dot", tone: Tone = "muted", mark: Child = None
) -> rx.Component:
    """An event and its time. `mark` replaces the icon, for a reactive one."""
    return rx.el.li(
        rx.el.span(aria_hidden=True, class_name="absolute bottom-0 left-3 top-6 w-px bg-border group-last:hidden"),
        mark
        if mark is not None
        else rx.el.span(
            icon(icon_name, size=14),
            class_name=classes("z-10 flex size-6 shrink-0 items-center justify-center rounded-full", TONES[tone]),
        ),
        rx.el.div(
            rx.el.div(text, class_name="text-sm text-muted-foreground [&_b]:font-medium [&_b]:text-foreground"),
            rx.el.div(when, class_name="mt-0.5 text-xs text-muted-foreground"),
            class_name="min-w-0 pt-0.5",
        ),
        class_name="group relative flex gap-3 pb-4 last:pb-0",
    )
