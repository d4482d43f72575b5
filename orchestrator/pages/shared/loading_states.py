"""What lists and record pages show instead of their content (loading, not found, failed, empty), and paging controls."""

from typing import Any

import reflex as rx

from orchestrator.ui.patterns.empty_state import empty_state
from orchestrator.ui.patterns.error_state import error_state
from orchestrator.ui.primitives.button import button

BAR = "animate-shimmer rounded-lg bg-muted"


def record_page(state: Any, noun: str, content: rx.Component, *skeleton: rx.Component) -> rx.Component:
    """The content of a page about one record, or why it is not shown.

    Args:
        state: mixes in `RecordPage`.
        noun: "dataset"; its list is at /datasets.
        skeleton: what shimmers below the title while the record is read; one block by default.
    """
    failed = error_state(f"The {noun} could not be read", state.problem, state.refresh, heading="h1")
    loaded = rx.cond(state.loaded, content, _record_skeleton(noun, skeleton))
    return rx.cond(state.missing, not_found(noun), rx.cond(state.problem != "", failed, loaded))


def not_found(noun: str) -> rx.Component:
    """Says that there is no such record, and links to the list."""
    return empty_state(
        icon="search-x",
        title=f"There is no such {noun}",
        text="It may have been deleted, or it belongs to another user.",
        action=button(f"All {noun}s", icon="arrow-left", href=f"/{noun}s"),
        heading="h1",
    )


def list_content(
    state: Any, nouns: str, rows: rx.Component, empty: rx.Component, *skeleton: rx.Component, grid: str = ""
) -> rx.Component:
    """The rows of a list, or why there are none.

    Args:
        state: mixes in `Listed`.
        nouns: "datasets".
        empty: shown while there is no record at all.
        skeleton: what shimmers while the list is read, laid out as `grid`.
    """
    waiting = rx.el.div(
        *skeleton, role="status", aria_label=f"Loading {nouns}", class_name=grid or "flex flex-col gap-2"
    )
    nothing = rx.cond(state.filtered, no_match(state, nouns), empty)
    content = rx.cond(state.rows.length() > 0, rows, nothing)
    failed = error_state(f"The {nouns} could not be read", state.problem, state.refresh)
    return rx.cond(state.problem != "", failed, rx.cond(state.loaded, content, waiting))


def no_match(state: Any, nouns: str) -> rx.Component:
    """No record matches the filters."""
    return empty_state(
        icon="search-x",
        title=f"No {nouns.removesuffix('s')} matches",
        text="Try another search, or show all of them.",
        action=button("Clear filters", on_click=state.clear_filters),
    )


def paging_controls(state: Any, nouns: str) -> rx.Component:
    """Below a list: how much of it is shown, and buttons for the rest; nothing where all of it is shown."""
    return rx.cond(state.more | state.has_next | (state.start > 0), paging_bar(state, nouns), rx.fragment())


def paging_bar(state: Any, nouns: str) -> rx.Component:
    """The same, also where all of the list is shown; `state` mixes in `Paged`."""
    previous = button(f"Earlier {nouns}", icon="arrow-left", on_click=state.page_back)
    return rx.el.div(
        rx.el.span(state.shown_text, class_name="text-sm text-muted-foreground"),
        rx.el.div(
            rx.cond(state.start > 0, previous, rx.fragment()),
            rx.cond(state.more, button("Show more", on_click=state.show_more), rx.fragment()),
            rx.cond(state.has_next, button(f"Further {nouns}", on_click=state.page_on), rx.fragment()),
            class_name="flex flex-wrap justify-end gap-2",
        ),
        class_name="flex min-h-9 items-center justify-between gap-4",
    )


def _record_skeleton(noun: str, below: tuple[rx.Component, ...]) -> rx.Component:
    return rx.el.div(
        rx.el.h1(noun.capitalize(), class_name="sr-only"),
        rx.el.div(class_name=f"{BAR} h-8 w-64"),
        rx.el.div(class_name=f"{BAR} h-12 w-full max-w-2xl"),
        *(below or (rx.el.div(class_name=f"{BAR} h-80 w-full"),)),
        role="status",
        aria_label=f"Loading the {noun}",
        class_name="flex flex-col gap-6",
    )
