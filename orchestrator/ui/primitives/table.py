"""Tables: heads 12 px, rows 48 px, rules above rows only, numbers right and in mono."""

from typing import Any

import reflex as rx

from orchestrator.ui.kit import Child, Text, children, classes


def table(head: list[Any], *body: Child, label: Text, class_name: str = "") -> rx.Component:
    """A table that scrolls sideways inside its card. `head`: titles or `head_cell`s; `body`: `row`s or an rx.foreach."""
    cells = [item if isinstance(item, rx.Component) else head_cell(item) for item in head]
    return rx.el.div(
        rx.el.table(
            rx.el.caption(label, class_name="sr-only"),
            rx.el.thead(rx.el.tr(*cells)),
            rx.el.tbody(*children(*body)),
            class_name=classes("w-full border-collapse text-sm", class_name),
        ),
        class_name="relative overflow-x-auto",
        tab_index=0,
        role="region",
        aria_label=label,
    )


def head_cell(*content: Child, number: bool = False, class_name: str = "", **props: Any) -> rx.Component:
    """A head; `number`: set right."""
    side = "text-right" if number else "text-left"
    look = "h-9 px-3 first:pl-5 last:pr-5 text-xs font-medium whitespace-nowrap text-muted-foreground"
    return rx.el.th(*children(*content), scope="col", class_name=classes(look, side, class_name), **props)


def row(*cells: Child, class_name: str = "", **props: Any) -> rx.Component:
    """A row of `cell`s."""
    return rx.el.tr(
        *children(*cells), class_name=classes("h-12 border-t border-border hover:bg-muted/50", class_name), **props
    )


def cell(
    *content: Child, number: bool = False, muted: bool = False, class_name: str = "", **props: Any
) -> rx.Component:
    """A cell; `number`: right, mono, tabular."""
    look = classes(
        "px-3 first:pl-5 last:pr-5 align-middle",
        "text-right font-mono tabular whitespace-nowrap" if number else "",
        "text-muted-foreground" if muted else "",
        class_name,
    )
    return rx.el.td(*children(*content), class_name=look, **props)
