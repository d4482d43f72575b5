"""Search, status, task, order and view of the dataset list."""

import reflex as rx

from orchestrator.states.datasets.index import SORTS, DatasetsState
from orchestrator.ui.primitives.icon import icon
from orchestrator.ui.primitives.input import input as text_input
from orchestrator.ui.primitives.select import select

SEGMENTS = "flex items-center gap-0.5 rounded-lg border border-border p-[3px]"
_SEGMENT = "flex h-[1.875rem] items-center gap-1.5 rounded-md px-2.5 text-sm transition-colors touch:h-11"
_ON = "bg-muted font-semibold text-foreground"
_OFF = "text-muted-foreground hover:text-foreground"


def segment(*content, chosen: rx.Var[bool], on_click, **props) -> rx.Component:
    """One choice of a segmented control."""
    return rx.el.button(
        *content,
        type="button",
        on_click=on_click,
        aria_pressed=chosen,
        class_name=rx.cond(chosen, f"{_SEGMENT} {_ON}", f"{_SEGMENT} {_OFF}"),
        **props,
    )


def _status_segment(word: str, value: str, number: rx.Var[str]) -> rx.Component:
    return segment(
        word,
        rx.el.span(number, class_name="text-xs font-normal tabular text-muted-foreground"),
        chosen=DatasetsState.status == value,
        on_click=DatasetsState.filter_status(value),
    )


def _views() -> rx.Component:
    return rx.el.div(
        segment(
            icon("layout-grid"),
            chosen=DatasetsState.view == "cards",
            on_click=DatasetsState.show_as("cards"),
            aria_label="Cards",
        ),
        segment(
            icon("list"),
            chosen=DatasetsState.view == "table",
            on_click=DatasetsState.show_as("table"),
            aria_label="Table",
        ),
        role="group",
        aria_label="View",
        class_name=SEGMENTS,
    )


def toolbar() -> rx.Component:
    """All filters in one row; on a phone they wrap."""
    return rx.el.div(
        rx.el.div(
            icon(
                "search",
                class_name="pointer-events-none absolute left-3 top-1/2 -translate-y-1/2 text-muted-foreground",
            ),
            text_input(
                value=DatasetsState.q,
                on_change=DatasetsState.search.debounce(250),
                type="search",
                placeholder="Search by name",
                aria_label="Search datasets by name",
                class_name="pl-9",
            ),
            class_name="relative w-56 touch:w-full",
        ),
        rx.el.div(
            _status_segment("All", "", DatasetsState.count_all),
            _status_segment("Ready", "ready", DatasetsState.count_ready),
            _status_segment("Processing", "processing", DatasetsState.count_processing),
            _status_segment("Error", "error", DatasetsState.count_error),
            role="group",
            aria_label="Status",
            class_name=f"{SEGMENTS} touch:w-full touch:overflow-x-auto",
        ),
        select(
            [
                ("any", "Any task"),
                ("classification", "Classification"),
                ("captioning", "Captioning"),
                ("retrieval", "Retrieval"),
            ],
            value=rx.cond(DatasetsState.task == "", "any", DatasetsState.task),
            on_change=DatasetsState.filter_task,
            label="Task",
            quiet=True,
        ),
        rx.el.div(
            select(
                list(SORTS.items()),
                value=DatasetsState.sort,
                on_change=DatasetsState.sort_by,
                label="Order",
                quiet=True,
            ),
            _views(),
            class_name="ml-auto flex items-center gap-2 touch:ml-0",
        ),
        role="search",
        aria_label="Datasets",
        class_name="flex flex-wrap items-center gap-2",
    )
