"""The dialogs of a dataset: edit its name and description, delete it by name."""

from typing import Any

import reflex as rx

from orchestrator.pages.shared.forms import general_problem
from orchestrator.states.datasets.dialogs import DatasetDialogs
from orchestrator.ui.primitives.button import button
from orchestrator.ui.primitives.dialog import dialog
from orchestrator.ui.primitives.field import field
from orchestrator.ui.primitives.input import input as text_input
from orchestrator.ui.primitives.input import textarea


def _problem(name: str) -> Any:
    return DatasetDialogs.problems.get(name, "")


def edit_dialog() -> rx.Component:
    """Name and description; a refusal stands under its field."""
    return dialog(
        rx.el.form(
            field(
                "Name",
                text_input(name="name", value=DatasetDialogs.name, on_change=DatasetDialogs.type_name, max_length=80),
                error=_problem("name"),
                required=True,
            ),
            field(
                "Description",
                textarea(
                    name="description", value=DatasetDialogs.description, on_change=DatasetDialogs.type_description
                ),
                hint="What is in it, where it came from.",
                error=_problem("description"),
            ),
            general_problem(_problem("")),
            rx.el.div(
                button("Cancel", variant="ghost", on_click=DatasetDialogs.show_edit(False)),
                button("Save", variant="primary", submit=True),
                class_name="flex justify-end gap-2",
            ),
            on_submit=DatasetDialogs.save,
            class_name="flex flex-col gap-4",
        ),
        title="Edit dataset",
        open=DatasetDialogs.editing,
        on_open_change=DatasetDialogs.show_edit,
    )


def delete_dialog() -> rx.Component:
    """Says what goes and what stays; the name has to be typed."""
    return dialog(
        rx.el.form(
            rx.el.ul(
                rx.foreach(DatasetDialogs.goes, rx.el.li),
                class_name="flex list-disc flex-col gap-1 pl-5 text-sm text-muted-foreground",
            ),
            rx.cond(
                DatasetDialogs.blocked != "",
                general_problem(DatasetDialogs.blocked),
                field(
                    "Type " + DatasetDialogs.title + " to delete it",
                    text_input(
                        name="typed",
                        value=DatasetDialogs.typed,
                        on_change=DatasetDialogs.type_title,
                        auto_complete="off",
                    ),
                    error=_problem("typed"),
                ),
            ),
            rx.el.div(
                button("Cancel", variant="ghost", on_click=DatasetDialogs.show_delete(False)),
                button(
                    "Delete dataset",
                    variant="danger",
                    submit=True,
                    disabled=(DatasetDialogs.blocked != "") | ~DatasetDialogs.confirmed,
                ),
                class_name="flex justify-end gap-2",
            ),
            on_submit=DatasetDialogs.delete,
            class_name="flex flex-col gap-4",
        ),
        title="Delete " + DatasetDialogs.title + "?",
        open=DatasetDialogs.deleting,
        on_open_change=DatasetDialogs.show_delete,
    )


def dataset_dialogs() -> rx.Component:
    """Both, closed until asked for."""
    return rx.fragment(edit_dialog(), delete_dialog())
