"""The dialogs of a base model: edit its name and description, take it off the list by name."""

from typing import Any

import reflex as rx

from orchestrator.pages.shared.forms import general_problem
from orchestrator.states.models.dialogs import ModelDialogs
from orchestrator.ui.primitives.button import button
from orchestrator.ui.primitives.dialog import dialog
from orchestrator.ui.primitives.field import field
from orchestrator.ui.primitives.input import input as text_input
from orchestrator.ui.primitives.input import textarea

State = ModelDialogs


def _problem(name: str) -> Any:
    return State.problems.get(name, "")


def _name_and_text() -> rx.Component:
    return rx.fragment(
        field(
            "Name",
            text_input(name="name", value=State.name, on_change=State.type_name, max_length=80),
            error=_problem("name"),
            required=True,
        ),
        field(
            "Description",
            textarea(name="description", value=State.description, on_change=State.type_description),
            error=_problem("description"),
        ),
    )


def _buttons(close, word: str, **props) -> rx.Component:
    return rx.el.div(
        button("Cancel", variant="ghost", on_click=close),
        button(word, submit=True, **props),
        class_name="flex justify-end gap-2",
    )


def edit_dialog() -> rx.Component:
    """Name and description."""
    return dialog(
        rx.el.form(
            _name_and_text(),
            general_problem(_problem("")),
            _buttons(State.show_edit(False), "Save", variant="primary"),
            on_submit=State.save,
            no_validate=True,
            class_name="flex flex-col gap-4",
        ),
        title="Edit model",
        open=State.editing,
        on_open_change=State.show_edit,
    )


def delete_dialog() -> rx.Component:
    """Says what goes and what stays; the name has to be typed."""
    return dialog(
        rx.el.form(
            rx.el.ul(
                rx.foreach(State.goes, rx.el.li),
                class_name="flex list-disc flex-col gap-1 pl-5 text-sm text-muted-foreground",
            ),
            rx.cond(
                State.blocked != "",
                general_problem(State.blocked),
                field(
                    "Type " + State.title + " to take it off the list",
                    text_input(name="typed", value=State.typed, on_change=State.type_title, auto_complete="off"),
                    error=_problem("typed"),
                ),
            ),
            _buttons(
                State.show_delete(False),
                "Delete model",
                variant="danger",
                disabled=(State.blocked != "") | ~State.confirmed,
            ),
            on_submit=State.delete,
            class_name="flex flex-col gap-4",
        ),
        title="Delete " + State.title + "?",
        open=State.deleting,
        on_open_change=State.show_delete,
    )


def model_dialogs() -> rx.Component:
    """Both, closed until asked for."""
    return rx.fragment(edit_dialog(), delete_dialog())
