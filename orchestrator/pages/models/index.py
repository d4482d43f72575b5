"""The page at /models: the base models that can be trained."""

import reflex as rx

from orchestrator.domain.tasks import TASKS
from orchestrator.pages.models.dialogs import model_dialogs
from orchestrator.pages.shared.frame import frame
from orchestrator.pages.shared.loading_states import more, unreadable
from orchestrator.pages.shared.notice import notice
from orchestrator.pages.shared.segments import SEGMENTS, segment
from orchestrator.states.models.dialogs import ModelDialogs
from orchestrator.states.models.index import SORTS, ModelsState
from orchestrator.states.models.rows import ModelCard
from orchestrator.ui.layout.shell import page_header
from orchestrator.ui.primitives.badge import tag
from orchestrator.ui.primitives.button import button
from orchestrator.ui.primitives.dropdown_menu import dropdown_menu, menu_item, menu_separator
from orchestrator.ui.primitives.icon import icon
from orchestrator.ui.primitives.input import input as text_input
from orchestrator.ui.primitives.link import link
from orchestrator.ui.primitives.select import select
from orchestrator.ui.primitives.status_chip import status_chip

State = ModelsState
GRID = "grid grid-cols-[repeat(auto-fill,minmax(min(100%,19rem),1fr))] gap-4"


def model_menu(row: rx.Var[ModelCard]) -> rx.Component:
    """What can be done with one model; a built-in one can only be looked at and trained."""
    return dropdown_menu(
        menu_item("View details", icon="eye", href=f"/models/{row.id}"),
        rx.cond(
            (row.status == "ready") | (row.status == "in_use"),
            rx.fragment(
                menu_item("Train with this", icon="play", href=f"/jobs/new?model={row.id}"),
                menu_item("Try it", icon="film", href=f"/playground?model={row.id}"),
            ),
            rx.fragment(),
        ),
        rx.cond(
            row.builtin,
            rx.fragment(),
            rx.fragment(
                menu_item("Edit metadata", icon="pencil", on_click=ModelDialogs.open_edit(row.id)),
                menu_separator(),
                menu_item("Delete", icon="trash-2", destructive=True, on_click=ModelDialogs.open_delete(row.id)),
            ),
        ),
        label=f"Actions for {row.name}",
        variant="ghost",
        size="icon-sm",
    )


def _fact(caption: str, value: rx.Var[str]) -> rx.Component:
    return rx.el.div(
        rx.el.dt(caption, class_name="text-xs text-muted-foreground"),
        rx.el.dd(value, class_name="mt-0.5 text-sm font-medium tabular"),
        class_name="min-w-0",
    )


def _card(row: rx.Var[ModelCard]) -> rx.Component:
    return rx.el.article(
        rx.el.div(
            rx.el.h2(
                link(
                    row.name,
                    href=f"/models/{row.id}",
                    quiet=False,
                    class_name="no-underline before:absolute before:inset-0 before:rounded-xl",
                ),
                class_name="min-w-0 truncate text-sm font-semibold",
            ),
            rx.el.div(model_menu(row), class_name="relative -my-1 -mr-2 shrink-0"),
            class_name="flex items-center justify-between gap-2",
        ),
        rx.el.div(
            status_chip(row.status),
            tag(row.type),
            tag(row.architecture),
            class_name="flex flex-wrap items-center gap-2",
        ),
        rx.cond(
            row.error != "",
            rx.el.p(row.error, class_name="line-clamp-2 min-h-8 text-xs text-destructive"),
            rx.el.p(
                rx.cond(row.progress != "", row.progress, row.description),
                class_name="line-clamp-2 min-h-8 text-xs text-muted-foreground",
            ),
        ),
        rx.cond(
            row.parameters != "",
            rx.el.dl(
                _fact("Parameters", row.parameters),
                _fact("In 4-bit", row.size_4bit),
                _fact("Input", row.input),
                class_name="grid grid-cols-[auto_auto_1fr] gap-6",
            ),
            rx.fragment(),
        ),
        rx.el.div(
            rx.el.span(row.jobs_text),
            rx.el.span(row.source, class_name="ml-auto"),
            class_name="mt-auto flex gap-3 border-t border-border pt-3 text-xs text-muted-foreground",
        ),
        # An open menu must stay with its model when the list around it changes.
        key=row.id.to_string(),
        class_name=(
            "relative flex flex-col gap-3 rounded-xl border border-border bg-card p-5 transition-colors "
            "hover:border-input/60 touch:p-4"
        ),
    )


def _skeleton() -> rx.Component:
    bar = "animate-shimmer rounded-md bg-muted"
    return rx.el.div(
        rx.el.div(class_name=f"{bar} h-5 w-40"),
        rx.el.div(class_name=f"{bar} h-6 w-52"),
        rx.el.div(class_name=f"{bar} h-8 w-full"),
        rx.el.div(class_name=f"{bar} h-10 w-full"),
        rx.el.div(class_name=f"{bar} h-4 w-32"),
        aria_hidden=True,
        class_name="flex flex-col gap-3 rounded-xl border border-border bg-card p-5 touch:p-4",
    )


def _toolbar() -> rx.Component:
    def status(word: str, value: str) -> rx.Component:
        return segment(word, chosen=State.status == value, on_click=State.filter_status(value))

    return rx.el.div(
        rx.el.div(
            icon(
                "search",
                class_name="pointer-events-none absolute left-3 top-1/2 z-10 -translate-y-1/2 text-muted-foreground",
            ),
            text_input(
                value=State.q,
                on_change=State.search.debounce(250),
                type="search",
                placeholder="Search by name or architecture",
                aria_label="Search models by name or architecture",
                class_name="pl-9",
            ),
            class_name="relative w-72 touch:w-full",
        ),
        rx.el.div(
            status("All", ""),
            status("Ready", "ready"),
            status("In use", "in_use"),
            status("Processing", "processing"),
            status("Error", "error"),
            role="group",
            aria_label="Status",
            class_name=f"{SEGMENTS} touch:w-full touch:overflow-x-auto",
        ),
        select(
            [("any", "Any type"), *((task.model_type.value, task.model_title) for task in TASKS.values())],
            value=rx.cond(State.kind == "", "any", State.kind),
            on_change=State.filter_kind,
            label="Type",
            quiet=True,
        ),
        rx.el.div(
            select(list(SORTS.items()), value=State.sort, on_change=State.sort_by, label="Order", quiet=True),
            class_name="ml-auto touch:ml-0",
        ),
        role="search",
        aria_label="Models",
        class_name="flex flex-wrap items-center gap-2",
    )


def _full() -> rx.Component:
    return rx.fragment(
        rx.el.div(rx.foreach(State.rows, _card), class_name=GRID),
        more(State, "models"),
    )


def _none() -> rx.Component:
    found = notice(
        "search-x",
        "No model matches",
        "Try another word, or look at all of them.",
        button("Clear filters", on_click=State.clear_filters),
    )
    empty = notice(
        "boxes",
        "No models yet",
        "The built-in bases are registered when a worker starts. A model of your own can be added any time.",
        button("Add model", icon="plus", variant="primary", href="/models/new"),
    )
    return rx.cond(State.filtered, found, empty)


def _body() -> rx.Component:
    return rx.cond(
        State.problem != "",
        unreadable(State, "The models"),
        rx.cond(
            ~State.loaded,
            rx.el.div(*[_skeleton() for _ in range(3)], class_name=GRID, role="status", aria_label="Reading models"),
            rx.cond(State.rows.length() > 0, _full(), _none()),
        ),
    )


def index() -> rx.Component:
    """The list of models."""
    return frame(
        page_header(
            "Models",
            note=rx.el.span(State.summary, class_name="block min-h-5"),
            actions=button("Add model", icon="plus", variant="primary", href="/models/new"),
        ),
        _toolbar(),
        _body(),
        model_dialogs(),
        title="Models",
        active="models",
    )
