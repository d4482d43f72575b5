"""The page at /adapters: what the jobs have made, one row per name."""

from typing import Any

import reflex as rx

from orchestrator.domain.tasks import TASKS
from orchestrator.pages.shared.frame import list_page
from orchestrator.pages.shared.list_toolbar import filter_segments, list_toolbar, sort_head, sort_select
from orchestrator.pages.shared.loading_states import list_content, paging_controls
from orchestrator.states.adapters.index import PRODUCTION, SORTS, AdaptersState
from orchestrator.states.adapters.rows import AdapterLine
from orchestrator.ui.patterns.empty_state import empty_state
from orchestrator.ui.patterns.long_name import long_name
from orchestrator.ui.patterns.relative_time import relative_time
from orchestrator.ui.patterns.toolbar import search_field
from orchestrator.ui.primitives.badge import badge, tag
from orchestrator.ui.primitives.button import button
from orchestrator.ui.primitives.card import card
from orchestrator.ui.primitives.link import link
from orchestrator.ui.primitives.table import cell, row, table

State = AdaptersState


def _head() -> list[Any]:
    return [
        sort_head(State, "Name", "name"),
        "Version",
        "In production",
        sort_head(State, "Base", "model"),
        sort_head(State, "Dataset", "dataset"),
        "Result",
        sort_head(State, "Size", "size_bytes", number=True, falling=True),
        sort_head(State, "Created", "created_at", falling=True),
    ]


def _line(line: rx.Var[AdapterLine]) -> rx.Component:
    production = rx.cond(
        line.production_text != "",
        badge(line.production_text, tone="success"),
        rx.el.span("none", class_name="text-muted-foreground"),
    )
    return row(
        cell(
            rx.el.div(
                link(long_name(line.name), href=f"/adapters/{line.id}", muted=False, class_name="min-w-0 font-medium"),
                rx.cond(line.full_model, tag("full model"), rx.fragment()),
                class_name="flex min-w-0 items-center gap-2",
            ),
            class_name="max-w-64",
        ),
        cell(line.version, class_name="font-mono"),
        cell(production),
        cell(line.base, class_name="whitespace-nowrap"),
        cell(line.dataset, class_name="whitespace-nowrap"),
        cell(
            rx.el.span(line.value, class_name="font-mono tabular"),
            rx.el.span(line.metric, class_name="ml-2 text-xs text-muted-foreground"),
            class_name="whitespace-nowrap",
        ),
        cell(line.size, number=True),
        cell(relative_time(line.made_at), muted=True, class_name="whitespace-nowrap"),
    )


def _toolbar() -> rx.Component:
    tasks = [(task.title, task.key.value, None) for task in TASKS.values()]
    return list_toolbar(
        "Adapters",
        search_field(value=State.q, on_change=State.search, placeholder="Name, base or dataset"),
        filter_segments(
            "Show", State.kind, State.filter_kind, ("All", "", None), *tasks, ("In production", PRODUCTION, None)
        ),
        sort_select(State, SORTS),
    )


def index() -> rx.Component:
    """The list of adapters."""
    rows = rx.fragment(
        card(table(_head(), rx.foreach(State.rows, _line), label="Adapters"), padded=False),
        paging_controls(State, "adapters"),
    )
    empty = empty_state(
        icon="layers",
        title="No adapters yet",
        text="Every training job that completes makes one, as the next version of its name.",
        action=button("Start a training job", icon="play", variant="primary", href="/jobs/new"),
    )
    skeleton = [rx.el.div(class_name="animate-shimmer h-12 rounded-lg bg-muted") for _ in range(5)]
    return list_page(State, "adapters", _toolbar(), list_content(State, "adapters", rows, empty, *skeleton))
