"""A quiet panel in place of a list: nothing there yet, nothing found, not readable."""

import reflex as rx

from orchestrator.ui.primitives.icon import icon


def notice(
    icon_name: str, title: rx.Var[str] | str, text: rx.Var[str] | str, *actions: rx.Component, heading: str = "h2"
) -> rx.Component:
    """Says why there is nothing to see, and offers the next step."""
    head = rx.el.h1 if heading == "h1" else rx.el.h2
    return rx.el.div(
        rx.el.span(
            icon(icon_name, size=20),
            class_name="grid size-12 place-items-center rounded-full bg-muted text-muted-foreground",
        ),
        head(title, class_name="mt-4 text-base font-semibold"),
        rx.el.p(text, class_name="mt-1 max-w-md text-sm text-muted-foreground"),
        rx.el.div(*actions, class_name="mt-5 flex flex-wrap justify-center gap-2"),
        class_name="flex flex-col items-center rounded-xl border border-border bg-card px-6 py-14 text-center",
    )
