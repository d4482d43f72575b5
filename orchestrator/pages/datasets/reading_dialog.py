"""The dialog that corrects how a dataset was read; nothing is uploaded again."""

from typing import Any

import reflex as rx

from orchestrator.pages.shared.forms import general_problem
from orchestrator.states.datasets.detail import DatasetDetailState
from orchestrator.states.datasets.reading import LAYOUT_CHOICES
from orchestrator.states.datasets.reading import DatasetReading as State
from orchestrator.ui.primitives.button import button
from orchestrator.ui.primitives.choice import switch
from orchestrator.ui.primitives.dialog import dialog
from orchestrator.ui.primitives.field import field
from orchestrator.ui.primitives.select import select

_ROLES = (("file", "Clip's file"), ("label", "Label"), ("caption", "Caption"), ("split", "Split"))


def _problem(name: str) -> Any:
    return State.problems.get(name, "")


def _columns() -> rx.Component:
    return rx.el.div(
        *[
            field(
                title,
                select(
                    State.column_choices,
                    value=State.columns[role],
                    on_change=State.choose_column(role),
                    label=title,
                ),
            )
            for role, title in _ROLES
        ],
        class_name="grid grid-cols-1 gap-4 sm:grid-cols-2",
    )


def reading_dialog() -> rx.Component:
    """Closed until "Correct" is pressed."""
    return dialog(
        rx.el.form(
            field(
                "Layout",
                select(LAYOUT_CHOICES, value=State.layout, on_change=State.choose_layout, label="Layout"),
                error=_problem("layout"),
            ),
            rx.match(
                State.layout,
                ("videofolder", _columns()),
                (
                    "folders",
                    field(
                        "The class is the folder",
                        select(State.level_choices, value=State.level, on_change=State.choose_level, label="Folder"),
                        error=_problem("level"),
                    ),
                ),
                rx.fragment(),
            ),
            switch("Leave the splits to each run", checked=State.ignore_splits, on_change=State.choose_splits),
            general_problem(_problem("")),
            rx.el.p(
                rx.cond(
                    DatasetDetailState.layout.coming != "",
                    "Nothing is uploaded again. You see what comes of it before anything is added.",
                    "Labels, captions and splits are read anew, over corrections made by hand. It makes a new version, "
                    "which can be undone. Nothing is uploaded again.",
                ),
                class_name="text-xs text-muted-foreground",
            ),
            rx.el.div(
                button("Cancel", variant="ghost", on_click=State.show(False)),
                button("Read again", variant="primary", submit=True),
                class_name="flex justify-end gap-2",
            ),
            on_submit=State.read_again,
            class_name="flex flex-col gap-4",
        ),
        title="Correct how it was read",
        open=State.opened,
        on_open_change=State.show,
    )
