"""Panels for an error and for advice: what happened, why, and what to do."""

from typing import Literal

import reflex as rx

from orchestrator.ui.kit import Child, Handler, Text, children, classes
from orchestrator.ui.primitives.button import button
from orchestrator.ui.primitives.icon import icon

Tone = Literal["warning", "info", "destructive"]


def error_state(
    title: Text,
    text: Child = None,
    retry: Handler = None,
    *actions: Child,
    heading: str = "p",
    class_name: str = "",
) -> rx.Component:
    """What could not be shown; `retry` gets a "Try again" button, followed by `actions`."""
    again = button("Try again", icon="rotate-ccw", on_click=retry) if retry is not None else None
    acts = children(again, *actions)
    mark = "flex size-9 shrink-0 items-center justify-center rounded-full bg-destructive/13 text-destructive"
    note = rx.el.div(text, class_name="mt-1 text-sm text-muted-foreground break-words") if text is not None else None
    row = rx.el.div(*acts, class_name="mt-4 flex flex-wrap gap-2") if acts else None
    return rx.el.div(
        rx.el.span(icon("circle-x", size=18), class_name=mark),
        rx.el.div(
            {"h1": rx.el.h1, "p": rx.el.p}[heading](title, class_name="text-sm font-semibold"),
            *children(note, row),
            class_name="min-w-0",
        ),
        role="alert",
        class_name=classes(
            "flex gap-4 rounded-xl border border-destructive/45 bg-destructive/8 p-5 touch:p-4", class_name
        ),
    )


_LOOKS: dict[Tone, tuple[str, str, str]] = {
    "warning": ("border-warning/40 bg-warning/8", "text-warning", "triangle-alert"),
    "info": ("border-info/40 bg-info/8", "text-info", "info"),
    "destructive": ("border-destructive/45 bg-destructive/8", "text-destructive", "circle-alert"),
}


def callout(
    title: Text, text: Child = None, *actions: Child, tone: Tone = "warning", class_name: str = ""
) -> rx.Component:
    """Advice: what, why, then buttons that do it."""
    frame, ink, name = _LOOKS[tone]
    note = rx.el.div(text, class_name="mt-2 text-sm text-foreground") if text is not None else None
    row = rx.el.div(*children(*actions), class_name="mt-3 flex flex-wrap gap-2") if actions else None
    return rx.el.div(
        rx.el.p(icon(name), title, class_name=classes("flex items-center gap-2 text-sm font-medium", ink)),
        *children(note, row),
        class_name=classes("rounded-xl border p-4", frame, class_name),
    )
