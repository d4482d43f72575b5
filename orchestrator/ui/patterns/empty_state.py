"""A panel in place of a list or a record: why there is nothing to show, and the next step."""

import reflex as rx

from orchestrator.ui.kit import Child, Text, children, classes
from orchestrator.ui.primitives.icon import icon as icon_of


def empty_state(
    *,
    title: Text,
    text: Child = None,
    action: Child = None,
    icon: str = "inbox",
    heading: str = "h2",
    class_name: str = "",
) -> rx.Component:
    """`action`: a button, or several in an rx.fragment. `heading`: "h1" where the page has no other title."""
    round_look = "flex size-10 items-center justify-center rounded-full bg-muted text-muted-foreground"
    frame = (
        "flex flex-col items-center justify-center rounded-xl border border-dashed border-input px-6 py-14 text-center"
    )
    note = rx.el.p(text, class_name="mt-1 max-w-sm text-sm text-muted-foreground") if text is not None else None
    act = rx.el.div(action, class_name="mt-5 flex flex-wrap justify-center gap-2") if action is not None else None
    return rx.el.div(
        rx.el.span(icon_of(icon, size=18), class_name=round_look),
        {"h1": rx.el.h1, "h2": rx.el.h2}[heading](title, class_name="mt-4 text-sm font-semibold"),
        *children(note, act),
        class_name=classes(frame, class_name),
    )
