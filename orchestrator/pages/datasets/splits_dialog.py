"""The dialog that splits a dataset into train and validation clips: which share, and by which seed."""

import reflex as rx

from orchestrator.pages.shared.forms import form_dialog, general_problem, small_note
from orchestrator.states.datasets.doctor import DatasetDoctorState as State
from orchestrator.ui.primitives.field import field
from orchestrator.ui.primitives.input import input as text_input


def _number(name: str, label: str, value: str, hint: str) -> rx.Component:
    return field(
        label,
        text_input(name=name, default_value=value, input_mode="numeric", auto_complete="off"),
        hint=hint,
        error=State.split_problems.get(name, ""),
    )


def splits_dialog() -> rx.Component:
    """Closed until it is opened in the dataset's menu."""
    return form_dialog(
        rx.el.div(
            _number("share", "Validation share, percent", "20", "Of each class, 5 to 50."),
            _number("seed", "Seed", "42", "The same seed selects the same clips."),
            class_name="grid grid-cols-1 gap-4 sm:grid-cols-2",
        ),
        general_problem(State.split_problems.get("", "")),
        small_note(
            "Every clip gets a split, replacing the present ones. This makes a new version, which can be undone."
        ),
        title="Split into train and validation",
        submit="Split",
        open=State.splitting,
        on_open_change=State.show_splits,
        on_submit=State.draw_splits,
    )
