"""Search, status, task, order and view of the dataset list."""

import reflex as rx

from orchestrator.domain.tasks import TASKS
from orchestrator.pages.shared.segments import SEGMENTS, segment
from orchestrator.states.datasets.index import SORTS, DatasetsState
from orchestrator.ui.primitives.icon import icon
from orchestrator.ui.primitives.input import input as text_input
from orchestrator.ui.primitives.select import select


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
            [("any", "Any task"), *((task.key.value, task.title) for task in TASKS.values())],
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
