"""The states around the full one: loading, empty, error; each of the size of what comes."""

from typing import Any

import reflex as rx

from orchestrator.ui.kit import Child, Handler, Text, children, classes
from orchestrator.ui.primitives.button import button
from orchestrator.ui.primitives.icon import icon


def skeleton(class_name: str = "h-4 w-full") -> rx.Component:
    """A grey place-holder; give it the size of what comes."""
    return rx.el.div(aria_hidden=True, class_name=classes("animate-shimmer rounded-md bg-muted", class_name))


def loading(*content: Child, label: str = "Loading") -> rx.Component:
    """Skeletons with a word for screen readers."""
    return rx.el.div(rx.el.span(label, class_name="sr-only"), *children(*content), role="status", aria_busy=True)


def spinner(size: int = 16, label: str = "Loading") -> rx.Component:
    """A turning ring."""
    return rx.el.span(
        icon("loader-circle", size=size, class_name="animate-spin"),
        rx.el.span(label, class_name="sr-only"),
        role="status",
    )


def empty_state(
    title: Text, note: Child = None, *actions: Child, icon_name: str = "inbox", class_name: str = ""
) -> rx.Component:
    """Why nothing is here, and the next step."""
    return rx.el.div(
        rx.el.span(
            icon(icon_name, size=18),
            class_name="flex size-10 items-center justify-center rounded-full bg-muted text-muted-foreground",
        ),
        rx.el.h2(title, class_name="mt-4 text-sm font-semibold"),
        rx.el.p(note, class_name="mt-1 max-w-sm text-sm text-muted-foreground") if note is not None else rx.fragment(),
        rx.el.div(*children(*actions), class_name="mt-5 flex flex-wrap justify-center gap-2")
        if actions
        else rx.fragment(),
        class_name=classes(
            "flex flex-col items-center justify-center rounded-xl border border-dashed border-input px-6 py-14 text-center",
            class_name,
        ),
    )


def error_state(
    title: Text, note: Child = None, retry: Handler = None, *actions: Child, class_name: str = ""
) -> rx.Component:
    """What happened, and the way on; `retry` gets a "Try again" button."""
    extra: list[Any] = [button("Try again", icon="rotate-ccw", on_click=retry)] if retry is not None else []
    return rx.el.div(
        rx.el.span(
            icon("circle-x", size=18),
            class_name="flex size-9 shrink-0 items-center justify-center rounded-full bg-destructive/13 text-destructive",
        ),
        rx.el.div(
            rx.el.p(title, class_name="text-sm font-semibold"),
            rx.el.div(note, class_name="mt-1 text-sm text-muted-foreground break-words")
            if note is not None
            else rx.fragment(),
            rx.el.div(*extra, *children(*actions), class_name="mt-4 flex flex-wrap gap-2")
            if extra or actions
            else rx.fragment(),
            class_name="min-w-0",
        ),
        role="alert",
        class_name=classes(
            "flex gap-4 rounded-xl border border-destructive/45 bg-destructive/8 p-5 touch:p-4", class_name
        ),
    )


def callout(
    title: Text, note: Child = None, *actions: Child, tone: str = "warning", class_name: str = ""
) -> rx.Component:
    """Advice beside a form. `tone`: warning, info or destructive."""
    look = {
        "warning": ("border-warning/40 bg-warning/8", "text-warning", "triangle-alert"),
        "info": ("border-info/40 bg-info/8", "text-info", "info"),
        "destructive": ("border-destructive/45 bg-destructive/8", "text-destructive", "circle-alert"),
    }[tone]
    return rx.el.div(
        rx.el.p(icon(look[2]), title, class_name=classes("flex items-center gap-2 text-sm font-medium", look[1])),
        rx.el.div(note, class_name="mt-2 text-sm text-foreground") if note is not None else rx.fragment(),
        rx.el.div(*children(*actions), class_name="mt-3 flex flex-wrap gap-2") if actions else rx.fragment(),
        class_name=classes("rounded-xl border p-4", look[0], class_name),
    )
