"""The page at /adapters: what the jobs made, one row a name."""

import reflex as rx

from orchestrator.domain.tasks import TASKS
from orchestrator.pages.shared.frame import frame
from orchestrator.pages.shared.loading_states import more, unreadable
from orchestrator.pages.shared.notice import notice
from orchestrator.pages.shared.segments import SEGMENTS, segment
from orchestrator.states.adapters.index import AdaptersState
from orchestrator.states.adapters.rows import AdapterLine
from orchestrator.ui.layout.shell import page_header
from orchestrator.ui.patterns.relative_time import relative_time
from orchestrator.ui.patterns.toolbar import search_box
from orchestrator.ui.primitives.badge import badge, tag
from orchestrator.ui.primitives.button import button
from orchestrator.ui.primitives.card import card
from orchestrator.ui.primitives.link import link
from orchestrator.ui.primitives.table import cell, head_cell, row, table

State = AdaptersState


def _line(line: rx.Var[AdapterLine]) -> rx.Component:
    production = rx.cond(
        line.production_text != "",
        badge(line.production_text, tone="success"),
        rx.el.span("none", class_name="text-muted-foreground"),
    )
    return row(
        cell(
            link(line.name, href=f"/adapters/{line.id}", quiet=False, class_name="font-medium"),
            rx.cond(line.whole, tag("whole model", class_name="ml-2"), rx.fragment()),
            class_name="max-w-64 truncate",
        ),
        cell(line.version, class_name="font-mono"),
        cell(production),
        cell(line.base, class_name="whitespace-nowrap"),
        cell(line.dataset, class_name="whitespace-nowrap"),
        cell(
            rx.el.span(line.value, class_name="font-mono tabular"),
            rx.el.span(line.measure, class_name="ml-2 text-xs text-muted-foreground"),
            class_name="whitespace-nowrap",
        ),
        cell(line.size, number=True),
        cell(relative_time(line.made_at), muted=True, class_name="whitespace-nowrap"),
    )


def _full() -> rx.Component:
    return rx.fragment(
        card(
            table(
                [
                    "Name",
                    "Version",
                    "In production",
                    "Base",
                    "Dataset",
                    "Reached",
                    head_cell("Size", number=True),
                    "Made",
                ],
                rx.foreach(State.rows, _line),
                label="Adapters",
            ),
            padded=False,
        ),
        more(State, "adapters"),
    )


def _none() -> rx.Component:
    found = notice(
        "search-x",
        "No adapter matches",
        "Try another word, or look at all of them.",
        button("Clear filters", on_click=State.clear_filters),
    )
    empty = notice(
        "layers",
        "No adapters yet",
        "Every training job that completes leaves one here, as the next version of its name.",
        button("Start a training job", icon="play", variant="primary", href="/jobs/new"),
    )
    return rx.cond(State.filtered, found, empty)


def _toolbar() -> rx.Component:
    def show(word: str, value: str) -> rx.Component:
        return segment(word, chosen=State.kind == value, on_click=State.filter_kind(value))

    return rx.el.div(
        search_box(value=State.q, on_change=State.search, placeholder="Name, base or dataset"),
        rx.el.div(
            show("All", ""),
            *(show(task.title, task.key.value) for task in TASKS.values()),
            show("In production", "production"),
            role="group",
            aria_label="Show",
            class_name=f"{SEGMENTS} max-w-full overflow-x-auto whitespace-nowrap",
        ),
        role="search",
        aria_label="Adapters",
        class_name="flex flex-wrap items-center gap-2",
    )


def _skeleton() -> rx.Component:
    return rx.el.div(
        *[rx.el.div(class_name="animate-shimmer h-12 rounded-lg bg-muted") for _ in range(5)],
        role="status",
        aria_label="Reading adapters",
        class_name="flex flex-col gap-2",
    )


def _body() -> rx.Component:
    return rx.cond(
        State.problem != "",
        unreadable(State, "The adapters"),
        rx.cond(~State.loaded, _skeleton(), rx.cond(State.rows.length() > 0, _full(), _none())),
    )


def index() -> rx.Component:
    """The list of adapters."""
    return frame(
        page_header("Adapters", note=rx.el.span(State.summary, class_name="block min-h-5")),
        _toolbar(),
        _body(),
        title="Adapters",
        active="adapters",
    )
