"""The row above a list: search, filters as segmented controls, and the order."""

from collections.abc import Mapping
from typing import Any

import reflex as rx

from orchestrator.ui.kit import classes
from orchestrator.ui.primitives.icon import icon
from orchestrator.ui.primitives.select import select
from orchestrator.ui.primitives.table import head_cell

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


def sort_head(
    state: Any, label: str, key: str, number: bool = False, falling: bool = False, class_name: str = ""
) -> rx.Component:
    """The head of a column, which sorts by it; a second press turns the order round.

    Args:
        state: mixes in `Listed`; its `SORTS` has `key` and "-" with `key`.
        falling: the first press puts the largest value first.
    """
    current = rx.cond(state.sort == "", next(iter(state.SORTS)), state.sort)
    first, second = (f"-{key}", key) if falling else (key, f"-{key}")
    rises, falls = current == key, current == f"-{key}"
    mark = rx.cond(
        rises,
        icon("arrow-up", size=12),
        rx.cond(falls, icon("arrow-down", size=12), rx.el.span(class_name="size-3 shrink-0")),
    )
    press = rx.el.button(
        label,
        mark,
        type="button",
        on_click=state.sort_by(rx.cond(current == first, second, first)),
        class_name=classes(
            "inline-flex h-9 cursor-pointer items-center gap-1 rounded-sm font-medium hover:text-foreground focus-ring "
            "data-[sorted=true]:text-foreground",
            "flex-row-reverse" if number else "",
        ),
        custom_attrs={"data-sorted": rises | falls},
    )
    return head_cell(
        press,
        number=number,
        class_name=class_name,
        aria_sort=rx.cond(rises, "ascending", rx.cond(falls, "descending", "none")),
    )


def list_toolbar(label: str, *controls: Any) -> rx.Component:
    """The search and the filters above a list, in one row that wraps."""
    return rx.el.div(*controls, role="search", aria_label=label, class_name="flex flex-wrap items-center gap-2")
