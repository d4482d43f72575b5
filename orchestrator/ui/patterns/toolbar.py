"""The row above a list: search and filters on the left, sorting on the right."""

import reflex as rx

from orchestrator.ui.kit import Child, Handler, Text, children, present
from orchestrator.ui.primitives.icon import icon
from orchestrator.ui.primitives.input import input as text_input


def search_field(
    *,
    value: Text | None = None,
    on_change: Handler = None,
    placeholder: Text = "Search by name",
    label: Text = "Search",
    wide: bool = False,
) -> rx.Component:
    """A search field; the handler gets the text shortly after typing stops."""
    return rx.el.div(
        icon("search", class_name="pointer-events-none absolute left-3 top-1/2 -translate-y-1/2 text-muted-foreground"),
        text_input(
            type="search",
            placeholder=placeholder,
            aria_label=label,
            class_name="pl-9",
            **present(value=value, on_change=on_change),
        ),
        class_name="relative w-full sm:w-72" if wide else "relative w-full sm:w-56",
    )


def data_toolbar(*left: Child, right: list[Child] | None = None) -> rx.Component:
    """Search and filters on the left; sorting and views on the right."""
    return rx.el.div(
        rx.el.div(*children(*left), class_name="flex min-w-0 flex-wrap items-center gap-2"),
        rx.el.div(*children(*(right or [])), class_name="flex flex-wrap items-center gap-2"),
        class_name="flex flex-wrap items-center justify-between gap-3",
    )
