"""Choosing several datasets of the list, and deleting them at once."""

import reflex as rx

from orchestrator.pages.shared.forms import general_problem
from orchestrator.states.datasets.bulk_delete import DatasetsMany
from orchestrator.states.datasets.index import DatasetsState
from orchestrator.states.datasets.rows import DatasetCard
from orchestrator.ui.primitives.button import button
from orchestrator.ui.primitives.choice import checkbox
from orchestrator.ui.primitives.dialog import dialog
from orchestrator.ui.primitives.field import field
from orchestrator.ui.primitives.input import input as text_input

State = DatasetsMany
_SHOWN = rx.Var(f"({DatasetsState.rows}.filter((row) => {State.chosen}.includes(row.id)).length)").to(int)
"""How many of those that the list shows are chosen."""


def choice(row: rx.Var[DatasetCard]) -> rx.Component:
    """The box that chooses one."""
    return checkbox(
        checked=State.chosen.contains(row.id),
        on_change=lambda on: State.choose(row.id, on),
        aria_label="Choose " + row.name,
    )


def choice_of_all() -> rx.Component:
    """The box above the others."""
    return checkbox(
        checked=DatasetsState.rows.length() == _SHOWN,
        partly=(_SHOWN > 0) & (DatasetsState.rows.length() > _SHOWN),
        on_change=State.choose_shown,
        aria_label="Choose all shown",
    )


def chosen_bar() -> rx.Component:
    """What can be done with the chosen ones; nothing while none is."""
    hidden = State.chosen.length() - _SHOWN
    return rx.cond(
        State.chosen.length() > 0,
        rx.el.div(
            rx.el.span(
                State.chosen_text,
                rx.cond(hidden > 0, rx.fragment(", ", hidden, " not shown"), ""),
                class_name="text-sm font-medium",
            ),
            button("Choose all shown", size="sm", variant="ghost", on_click=State.choose_shown(True)),
            button("Delete", size="sm", icon="trash-2", variant="danger", on_click=State.ask),
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


def _going() -> rx.Component:
    return rx.el.ul(
        rx.foreach(
            State.goes,
            lambda one: rx.el.li(
                rx.el.p(one[0], class_name="truncate text-sm font-medium", title=one[0]),
                rx.el.p(one[1], class_name="text-xs text-muted-foreground"),
                class_name="min-w-0 border-t border-border py-2 first:border-t-0 first:pt-0",
            ),
        ),
        tab_index=0,
        aria_label="What is deleted",
        class_name="max-h-64 overflow-y-auto rounded-md focus-ring",
    )


def many_dialog() -> rx.Component:
    """Says of each what goes and what stays; how many there are has to be typed."""
    return dialog(
        rx.el.form(
            rx.cond(State.goes.length() > 0, _going(), rx.fragment()),
            rx.foreach(State.stays, general_problem),
            rx.cond(
                State.phrase != "",
                field(
                    "Type “" + State.phrase + "” to go on",
                    text_input(name="typed", value=State.typed, on_change=State.type_phrase, auto_complete="off"),
                    error=State.problem,
                ),
                rx.fragment(),
            ),
            rx.el.div(
                button("Cancel", variant="ghost", on_click=State.show(False)),
                button("Delete datasets", variant="danger", submit=True, disabled=~State.confirmed),
                class_name="flex justify-end gap-2",
            ),
            on_submit=State.delete,
            class_name="flex flex-col gap-4",
        ),
        title="Delete these datasets?",
        open=State.asking,
        on_open_change=State.show,
    )
