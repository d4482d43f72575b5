"""A bordered ground for things that belong together; no shadow."""

from typing import Any

import reflex as rx

from orchestrator.ui.kit import Child, Text, children, classes


def card(
    *content: Child,
    title: Text | None = None,
    note: Child = None,
    actions: Child = None,
    heading: str = "h2",
    padded: bool = True,
    body_class: str = "",
    class_name: str = "",
    **props: Any,
) -> rx.Component:
    """A card; with `title` it gets a head row: title, muted `note`, `actions` on the right.

    `padded=False`: the content reaches the edges (tables). `body_class`: the layout of the content under the head.
    """
    look = classes(
        "rounded-xl border border-border bg-card", "p-5 touch:p-4" if padded else "overflow-hidden", class_name
    )
    if title is None:
        return rx.el.section(*children(*content), class_name=look, **props)
    make = {"h2": rx.el.h2, "h3": rx.el.h3}[heading]
    head = rx.el.div(
        rx.el.div(
            make(title, class_name="text-sm font-semibold"),
            rx.el.span(note, class_name="text-sm text-muted-foreground") if note is not None else None,
            class_name="flex min-w-0 flex-wrap items-baseline gap-x-2",
        ),
        rx.el.div(actions, class_name="flex shrink-0 items-center gap-2") if actions is not None else None,
        class_name=classes(
            "flex min-h-6 items-center justify-between gap-3", "mb-4" if padded else "px-5 py-4 touch:px-4"
        ),
    )
    body = [rx.el.div(*children(*content), class_name=body_class)] if body_class else children(*content)
    return rx.el.section(head, *body, class_name=look, **props)
