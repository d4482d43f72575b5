"""The panel of a thing that is not there, or is somebody else's: both read the same on purpose."""

import reflex as rx

from orchestrator.ui.primitives.button import button
from orchestrator.ui.primitives.icon import icon


def not_found(what: str, back: str, href: str) -> rx.Component:
    """`what`: "training job"; `back` and `href`: the list it would stand in. Carries the page's h1."""
    return rx.el.div(
        rx.el.span(
            icon("search-x", size=20),
            class_name="grid size-12 place-items-center rounded-full bg-muted text-muted-foreground",
        ),
        rx.el.h1(f"There is no such {what}", class_name="mt-4 text-xl font-semibold"),
        rx.el.p(
            "It may have been deleted, or it belongs to somebody else.",
            class_name="mt-1 max-w-sm text-sm text-muted-foreground",
        ),
        rx.el.div(button(back, icon="arrow-left", href=href), class_name="mt-5"),
        class_name="flex flex-col items-center rounded-xl border border-border bg-card px-6 py-16 text-center",
    )
