"""The search and filters above the list of datasets."""

import reflex as rx

from orchestrator.domain.tasks import TASKS
from orchestrator.pages.shared.list_toolbar import SEGMENTS, filter_segments, list_toolbar, segment, sort_select
from orchestrator.states.datasets.index import SORTS
from orchestrator.states.datasets.index import DatasetsState as State
from orchestrator.ui.patterns.toolbar import search_field
from orchestrator.ui.primitives.icon import icon
from orchestrator.ui.primitives.select import select


def _view(value: str, label: str, icon_name: str) -> rx.Component:
    return segment(icon(icon_name), chosen=State.view == value, on_click=State.show_as(value), aria_label=label)


def toolbar() -> rx.Component:
    """Search, status, task, order, and cards or table."""
    views = rx.el.div(
        _view("cards", "Cards", "layout-grid"),
        _view("table", "Table", "list"),
        role="group",
        aria_label="View",
        class_name=SEGMENTS,
    )
    return list_toolbar(
        "Datasets",
        search_field(value=State.q, on_change=State.search, label="Search datasets by name"),
        filter_segments(
            "Status",
            State.status,
            State.filter_status,
            ("All", "", State.count_all),
            ("Ready", "ready", State.count_ready),
            ("Processing", "processing", State.count_processing),
            ("Error", "error", State.count_error),
        ),
        select(
            [("any", "Any task"), *((task.key.value, task.title) for task in TASKS.values())],
            value=rx.cond(State.task == "", "any", State.task),
            on_change=State.filter_task,
            label="Task",
            muted=True,
        ),
        rx.el.div(
            sort_select(State, SORTS),
            views,
            class_name="ml-auto flex items-center gap-2 touch:ml-0",
        ),
    )
