"""The page at /models: the base models that can be trained."""

import reflex as rx

from orchestrator.domain.tasks import TASKS
from orchestrator.pages.models.dialogs import model_dialogs
from orchestrator.pages.shared.frame import list_page
from orchestrator.pages.shared.layout import CARD_GRID, card_head
from orchestrator.pages.shared.list_toolbar import filter_segments, list_toolbar, sort_select
from orchestrator.pages.shared.loading_states import list_content, paging_controls
from orchestrator.states.models.dialogs import ModelDialogsState
from orchestrator.states.models.index import SORTS, ModelsState
from orchestrator.states.models.rows import ModelCard
from orchestrator.ui.patterns.empty_state import empty_state
from orchestrator.ui.patterns.toolbar import search_field
from orchestrator.ui.primitives.badge import tag
from orchestrator.ui.primitives.button import button
from orchestrator.ui.primitives.dropdown_menu import dropdown_menu, menu_item, menu_separator
from orchestrator.ui.primitives.select import select
from orchestrator.ui.primitives.status_chip import status_chip

State = ModelsState


def model_menu(row: rx.Var[ModelCard]) -> rx.Component:
    """The actions for one model; a built-in one cannot be edited or deleted."""
    return dropdown_menu(
        menu_item("View details", icon="eye", href=f"/models/{row.id}"),
        rx.cond(
            (row.status == "ready") | (row.status == "in_use"),
            rx.fragment(
                menu_item("Train with this", icon="play", href=f"/jobs/new?model={row.id}"),
                menu_item("Open in playground", icon="play", href=f"/playground?model={row.id}"),
            ),
            rx.fragment(),
        ),
        rx.cond(
            row.builtin,
            rx.fragment(),
            rx.fragment(
                menu_item("Edit metadata", icon="pencil", on_click=ModelDialogsState.open_edit(row.id)),
                menu_separator(),
                menu_item("Delete", icon="trash-2", destructive=True, on_click=ModelDialogsState.open_delete(row.id)),
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
        card_head(row.name, f"/models/{row.id}", model_menu(row)),
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
        # Keyed, so that an open menu stays with its model when the list changes.
        key=row.id.to_string(),
        class_name=(
            "relative flex flex-col gap-3 rounded-xl border border-border bg-card p-5 transition-colors "
            "hover:border-input/60 touch:p-4"
        ),
    )


def _skeleton() -> rx.Component:
    bar = "animate-shimmer rounded-md bg-muted"
    return rx.el.div(
        *[
            rx.el.div(class_name=f"{bar} {size}")
            for size in ("h-5 w-40", "h-6 w-52", "h-8 w-full", "h-10 w-full", "h-4 w-32")
        ],
        aria_hidden=True,
        class_name="flex flex-col gap-3 rounded-xl border border-border bg-card p-5 touch:p-4",
    )


def _toolbar() -> rx.Component:
    return list_toolbar(
        "Models",
        search_field(
            value=State.q,
            on_change=State.search,
            placeholder="Search by name or architecture",
            label="Search models by name or architecture",
            wide=True,
        ),
        filter_segments(
            "Status",
            State.status,
            State.filter_status,
            ("All", "", None),
            ("Ready", "ready", None),
            ("In use", "in_use", None),
            ("Processing", "processing", None),
            ("Error", "error", None),
        ),
        select(
            [("any", "Any type"), *((task.model_type.value, task.model_title) for task in TASKS.values())],
            value=rx.cond(State.kind == "", "any", State.kind),
            on_change=State.filter_kind,
            label="Type",
            muted=True,
        ),
        rx.el.div(sort_select(State, SORTS), class_name="ml-auto touch:ml-0"),
    )


def index() -> rx.Component:
    """The list of models."""
    add = button("Add model", icon="plus", variant="primary", href="/models/new")
    rows = rx.fragment(
        rx.el.div(rx.foreach(State.rows, _card), class_name=CARD_GRID),
        paging_controls(State, "models"),
    )
    empty = empty_state(
        icon="boxes",
        title="No models yet",
        text="The built-in bases are registered when a worker starts. You can add a model of your own at any time.",
        action=add,
    )
    return list_page(
        State,
        "models",
        _toolbar(),
        list_content(State, "models", rows, empty, *[_skeleton() for _ in range(3)], grid=CARD_GRID),
        model_dialogs(),
        actions=add,
    )
