"""The row above a list: search, filters as segmented controls, and the order."""

from collections.abc import Mapping
from typing import Any

import reflex as rx

from orchestrator.ui.primitives.select import select

SEGMENTS = "flex items-center gap-0.5 rounded-lg border border-border p-[3px]"
_SEGMENT = "flex h-[1.875rem] items-center gap-1.5 rounded-md px-2.5 text-sm transition-colors touch:h-11"
_ON = "bg-muted font-semibold text-foreground"
_OFF = "text-muted-foreground hover:text-foreground"


def segment(*content: Any, chosen: rx.Var[bool], on_click: Any, **props: Any) -> rx.Component:
    """One choice of a segmented control."""
    return rx.el.button(
        *content,
        type="button",
        on_click=on_click,
        aria_pressed=chosen,
        class_name=rx.cond(chosen, f"{_SEGMENT} {_ON}", f"{_SEGMENT} {_OFF}"),
        **props,
    )


def filter_segments(label: str, value: rx.Var[str], on_choose: Any, *choices: tuple[str, str, Any]) -> rx.Component:
    """A filter as a segmented control. `choices`: (label, value, count or None)."""
    return rx.el.div(
        *[
            segment(
                word,
                rx.el.span(count, class_name="text-xs font-normal tabular text-muted-foreground")
                if count is not None
                else rx.fragment(),
                chosen=value == key,
                on_click=on_choose(key),
            )
            for word, key, count in choices
        ],
        role="group",
        aria_label=label,
        class_name=f"{SEGMENTS} max-w-full overflow-x-auto whitespace-nowrap touch:w-full",
    )


def sort_select(state: Any, sorts: Mapping[str, str]) -> rx.Component:
    """The order of a list. `state` mixes in `Listed`; the first of `sorts` is the default."""
    value = rx.cond(state.sort == "", next(iter(sorts)), state.sort)
    return select(list(sorts.items()), value=value, on_change=state.sort_by, label="Order", muted=True)


def list_toolbar(label: str, *controls: Any) -> rx.Component:
    """The search and the filters above a list, in one row that wraps."""
    return rx.el.div(*controls, role="search", aria_label=label, class_name="flex flex-wrap items-center gap-2")
