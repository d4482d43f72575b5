"""Choosing several datasets in the list, and the dialog that deletes them at once."""

import reflex as rx

from orchestrator.pages.shared.forms import form_dialog, general_problem
from orchestrator.states.datasets.bulk_delete import DatasetBulkDeleteState
from orchestrator.states.datasets.index import DatasetsState
from orchestrator.states.datasets.rows import DatasetCard
from orchestrator.ui.primitives.button import button
from orchestrator.ui.primitives.choice import checkbox
from orchestrator.ui.primitives.field import field
from orchestrator.ui.primitives.input import input as text_input

State = DatasetBulkDeleteState
_SHOWN = rx.Var(f"({DatasetsState.rows}.filter((row) => {State.chosen}.includes(row.id)).length)").to(int)
"""How many of those that the list shows are chosen."""


def checkbox_of(row: rx.Var[DatasetCard]) -> rx.Component:
    """The checkbox that chooses a dataset."""
    return checkbox(
        checked=State.chosen.contains(row.id),
        on_change=lambda on: State.choose(row.id, on),
        aria_label="Choose " + row.name,
    )


def checkbox_of_all() -> rx.Component:
    """The checkbox that chooses all shown datasets."""
    return checkbox(
        checked=DatasetsState.rows.length() == _SHOWN,
        partly=(_SHOWN > 0) & (DatasetsState.rows.length() > _SHOWN),
        on_change=State.choose_shown,
        aria_label="Select all visible",
    )


def chosen_bar() -> rx.Component:
    """The actions for the chosen datasets; nothing while none is chosen."""
    hidden = State.chosen.length() - _SHOWN
    return rx.cond(
        State.chosen.length() > 0,
        rx.el.div(
            rx.el.span(
                State.chosen_text,
                rx.cond(hidden > 0, rx.fragment(", ", hidden, " not shown"), ""),
                class_name="text-sm font-medium",
            ),
            button("Select all visible", size="sm", variant="ghost", on_click=State.choose_shown(True)),
            button("Delete", size="sm", icon="trash-2", variant="danger", on_click=State.open),
            button("Clear", size="sm", variant="ghost", on_click=State.choose_none),
            role="region",
            aria_label="Chosen datasets",
            class_name=(
                "sticky top-16 z-10 flex flex-wrap items-center gap-2 rounded-xl border border-input bg-popover p-3 "
                "shadow-float"
            ),
        ),
        rx.fragment(),
    )


def _deletable() -> rx.Component:
    return rx.el.ul(
        rx.foreach(
            State.deletable,
            lambda dataset: rx.el.li(
                rx.el.p(dataset[0], class_name="truncate text-sm font-medium", title=dataset[0]),
                rx.el.p(dataset[1], class_name="text-xs text-muted-foreground"),
                class_name="min-w-0 border-t border-border py-2 first:border-t-0 first:pt-0",
            ),
        ),
        tab_index=0,
        aria_label="What is deleted",
        class_name="max-h-64 overflow-y-auto rounded-md focus-ring",
    )


def bulk_delete_dialog() -> rx.Component:
    """Says for each dataset what its deletion affects; their number has to be typed."""
    return form_dialog(
        rx.cond(State.deletable.length() > 0, _deletable(), rx.fragment()),
        rx.foreach(State.blocked, general_problem),
        rx.cond(
            State.phrase != "",
            field(
                "Type “" + State.phrase + "” to go on",
                text_input(name="typed", value=State.typed, on_change=State.type_phrase, auto_complete="off"),
                error=State.problem,
            ),
            rx.fragment(),
        ),
        title="Delete these datasets?",
        submit="Delete datasets",
        variant="danger",
        disabled=~State.confirmed,
        open=State.opened,
        on_open_change=State.show,
        on_submit=State.delete,
    )
