"""What a list and a page about one thing show instead of themselves: on its way, gone, not readable, more to come."""

from typing import Any

import reflex as rx

from orchestrator.pages.shared.notice import notice
from orchestrator.ui.primitives.button import button

BAR = "animate-shimmer rounded-lg bg-muted"


def one(state: Any, noun: str, full: rx.Component, *placeholder: rx.Component) -> rx.Component:
    """A page about one thing.

    Args:
        state: has `missing`, `problem`, `loaded` and the handler `refresh`.
        noun: "dataset"; its list is at /datasets.
        placeholder: what shimmers under the title's bar while it is read; a block where nothing is given.
    """
    ready = rx.cond(state.loaded, full, _placeholder(noun, placeholder))
    return rx.cond(
        state.missing, gone(noun), rx.cond(state.problem != "", unreadable(state, f"The {noun}", "h1"), ready)
    )


def gone(noun: str) -> rx.Component:
    """Says that there is no such thing, and leads to its list."""
    return notice(
        "search-x",
        f"There is no such {noun}",
        "It may have been deleted, or it belongs to somebody else.",
        button(f"All {noun}s", icon="arrow-left", href=f"/{noun}s"),
        heading="h1",
    )


def unreadable(state: Any, what: str, heading: str = "h2") -> rx.Component:
    """Says why `what` ("The models") is not shown, and tries again."""
    again = button("Try again", icon="rotate-cw", on_click=state.refresh)
    return notice("circle-alert", f"{what} could not be read", state.problem, again, heading=heading)


def more(state: Any, noun: str) -> rx.Component:
    """Under a list: how much of it is shown, and the rest; nothing where all of it is."""
    return rx.cond(state.more | state.onward | (state.start > 0), windowed(state, noun), rx.fragment())


def windowed(state: Any, noun: str) -> rx.Component:
    """The same, always; `state` mixes in `Windowed`, `noun` is "clips"."""
    before = button(f"Earlier {noun}", icon="arrow-left", on_click=state.page_back)
    return rx.el.div(
        rx.el.span(state.shown_text, class_name="text-sm text-muted-foreground"),
        rx.el.div(
            rx.cond(state.start > 0, before, rx.fragment()),
            rx.cond(state.more, button("Show more", on_click=state.show_more), rx.fragment()),
            rx.cond(state.onward, button(f"Further {noun}", on_click=state.page_on), rx.fragment()),
            class_name="flex flex-wrap justify-end gap-2",
        ),
        class_name="flex min-h-9 items-center justify-between gap-4",
    )


def _placeholder(noun: str, below: tuple[rx.Component, ...]) -> rx.Component:
    return rx.el.div(
        rx.el.h1(noun.capitalize(), class_name="sr-only"),
        rx.el.div(class_name=f"{BAR} h-8 w-64"),
        rx.el.div(class_name=f"{BAR} h-12 w-full max-w-2xl"),
        *(below or (rx.el.div(class_name=f"{BAR} h-80 w-full"),)),
        role="status",
        aria_label=f"Reading the {noun}",
        class_name="flex flex-col gap-6",
    )
