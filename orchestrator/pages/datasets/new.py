"""The page at /datasets/new: a dataset's name and task, and where its clips come from."""

import reflex as rx

from orchestrator.domain.tasks import TASKS
from orchestrator.pages.datasets.new_help import layout_help
from orchestrator.pages.datasets.new_sources import SOURCES, cloud_fields, hub_fields, web_fields
from orchestrator.pages.shared.add_form import form_foot, uploaded_files
from orchestrator.pages.shared.forms import description_field, name_field, problem_of, small_note
from orchestrator.pages.shared.frame import frame
from orchestrator.pages.shared.layout import back_to_draft
from orchestrator.pages.shared.loading_states import not_found
from orchestrator.states.datasets.new import DatasetAddState
from orchestrator.ui.layout.shell import page_header
from orchestrator.ui.primitives.card import card
from orchestrator.ui.primitives.choice import radio_cards, switch
from orchestrator.ui.primitives.field import field
from orchestrator.ui.primitives.select import select

State = DatasetAddState
_TASKS = [{"value": task.key.value, "label": task.title, "note": task.dataset_note} for task in TASKS.values()]


def _about() -> rx.Component:
    """Name, description and task; not shown where files are added to an existing dataset."""
    return rx.cond(
        State.into > 0,
        rx.fragment(),
        card(
            rx.el.div(
                name_field(State, placeholder="gestures", disabled=State.target != ""),
                description_field(
                    State, "What is in it and where it came from. Only you see it.", disabled=State.target != ""
                ),
                field(
                    "Task",
                    radio_cards(_TASKS, label="Task", value=State.task, on_change=State.choose_task),
                    error=problem_of(State, "task"),
                    group=True,
                ),
                class_name="flex flex-col gap-4",
            ),
            title="Details",
        ),
    )


def _where() -> rx.Component:
    """The source type and its own fields."""
    files = uploaded_files(State, hint=State.files_hint)
    return card(
        rx.el.div(
            field(
                "Source type",
                select(
                    SOURCES,
                    value=State.source,
                    on_change=State.choose_source,
                    label="Source type",
                    disabled=State.target != "",
                ),
                error=problem_of(State, "source"),
            ),
            rx.match(State.source, ("url", web_fields()), ("cloud", cloud_fields()), ("hub", hub_fields()), files),
            rx.el.div(
                switch(
                    "Preview before importing",
                    checked=State.review,
                    on_change=State.choose_review,
                    disabled=State.target != "",
                ),
                small_note(
                    "Classes, captions and splits are shown as they were understood; nothing is added before you accept."
                ),
                class_name="flex flex-col gap-1.5 border-t border-border pt-4",
            ),
            class_name="flex flex-col gap-4",
        ),
        title="Source",
    )


def _form() -> rx.Component:
    return rx.el.form(
        rx.el.div(
            rx.el.div(
                _about(),
                _where(),
                form_foot(State, "dataset"),
                class_name="flex min-w-0 flex-col gap-4",
            ),
            layout_help(),
            class_name="grid grid-cols-1 items-start gap-4 lg:grid-cols-[minmax(0,1fr)_20rem]",
        ),
        on_submit=State.start,
        no_validate=True,
    )


def new() -> rx.Component:
    """The form, or that there is no such dataset to add files to."""
    return frame(
        rx.cond(
            State.missing,
            not_found("dataset"),
            rx.fragment(back_to_draft(), page_header(State.title, note="Files stay on this server."), _form()),
        ),
        title=State.title,
        active="datasets",
        breadcrumb=[("Datasets", "/datasets")],
    )
