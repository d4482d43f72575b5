"""The dialog that corrects how a dataset was read; nothing is uploaded again."""

import reflex as rx

from orchestrator.pages.shared.forms import form_dialog, general_problem, problem_of, small_note
from orchestrator.services.datasets.ingest.layouts.reading import ROLES
from orchestrator.states.datasets.detail import DatasetDetailState
from orchestrator.states.datasets.reading import LAYOUT_CHOICES
from orchestrator.states.datasets.reading import DatasetReadingState as State
from orchestrator.ui.primitives.choice import switch
from orchestrator.ui.primitives.field import field
from orchestrator.ui.primitives.input import input as text_input
from orchestrator.ui.primitives.select import select

_TITLES = {
    "file": "Clip's file",
    "label": "Label",
    "labels": "Several labels",
    "caption": "Caption or answer",
    "question": "Question",
    "options": "Options of the question",
    "start": "Start time",
    "end": "End time",
    "split": "Split",
}


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
            for role, title in ((role, _TITLES[role]) for role in ROLES)
        ],
        class_name="grid grid-cols-1 gap-4 sm:grid-cols-2",
    )


def _frame_rate() -> rx.Component:
    """The rate of the films that are made of folders of pictures."""
    return field(
        "Frames a second of folders of pictures",
        text_input(
            value=State.frame_rate,
            on_change=State.set_frame_rate,
            input_mode="decimal",
            placeholder=State.usual_rate,
        ),
        hint="Changed alone, it keeps labels, captions and splits as they are; the times of spans follow it.",
        error=problem_of(State, "frame_rate"),
    )


def reading_dialog() -> rx.Component:
    """Closed until "Edit" is pressed."""
    folder = field(
        "The class is the folder",
        select(State.level_choices, value=State.level, on_change=State.choose_level, label="Folder"),
        error=problem_of(State, "level"),
    )
    return form_dialog(
        field(
            "Layout",
            select(LAYOUT_CHOICES, value=State.layout, on_change=State.choose_layout, label="Layout"),
            error=problem_of(State, "layout"),
        ),
        rx.match(State.layout, ("videofolder", _columns()), ("folders", folder), rx.fragment()),
        rx.cond(State.has_frame_folders, _frame_rate(), rx.fragment()),
        switch("Let each job select its own splits", checked=State.ignore_splits, on_change=State.choose_splits),
        general_problem(problem_of(State, "")),
        small_note(
            rx.cond(
                DatasetDetailState.layout.to_add != "",
                "Nothing is uploaded again. The result is shown before anything is added.",
                "Labels, captions and splits are read again and replace corrections made by hand. This makes a new "
                "version, which can be undone. Nothing is uploaded again.",
            )
        ),
        title="Change import settings",
        submit="Re-import",
        open=State.opened,
        on_open_change=State.show,
        on_submit=State.read_again,
    )
