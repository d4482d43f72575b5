"""The dialog that draws a train and a validation side: how much is held out, and by which seed."""

from typing import Any

import reflex as rx

from orchestrator.pages.shared.forms import general_problem
from orchestrator.states.datasets.doctor import DatasetDoctor as State
from orchestrator.ui.primitives.button import button
from orchestrator.ui.primitives.dialog import dialog
from orchestrator.ui.primitives.field import field
from orchestrator.ui.primitives.input import input as text_input


def _problem(name: str) -> Any:
    return State.split_problems.get(name, "")


def splits_dialog() -> rx.Component:
    """Closed until it is asked for in the dataset's menu."""
    return dialog(
        rx.el.form(
            rx.el.div(
                field(
                    "Held out for validation, percent",
                    text_input(name="share", default_value="20", input_mode="numeric", auto_complete="off"),
                    hint="Of each class, 5 to 50.",
                    error=_problem("share"),
                ),
                field(
                    "Seed",
                    text_input(name="seed", default_value="42", input_mode="numeric", auto_complete="off"),
                    hint="The same seed draws the same clips.",
                    error=_problem("seed"),
                ),
                class_name="grid grid-cols-1 gap-4 sm:grid-cols-2",
            ),
            general_problem(_problem("")),
            rx.el.p(
                "Every clip gets a side, over those that are marked now. It makes a new version, which can be undone.",
                class_name="text-xs text-muted-foreground",
            ),
            rx.el.div(
                button("Cancel", variant="ghost", on_click=State.show_splits(False)),
                button("Split", variant="primary", submit=True),
                class_name="flex justify-end gap-2",
            ),
            on_submit=State.draw_splits,
            no_validate=True,
            class_name="flex flex-col gap-4",
        ),
        title="Split into train and validation",
        open=State.splitting,
        on_open_change=State.show_splits,
    )
