"""The page at /datasets/new: name it, choose the files, watch them arrive."""

from typing import Any

import reflex as rx

from orchestrator.domain.tasks import TASKS
from orchestrator.pages.datasets.new_help import layout_help
from orchestrator.pages.datasets.new_sources import SOURCES, cloud_fields, hub_fields, web_fields
from orchestrator.pages.shared.add_form import foot, sent_files
from orchestrator.pages.shared.frame import frame
from orchestrator.pages.shared.loading_states import gone
from orchestrator.states.datasets.new import DatasetAddState
from orchestrator.ui.layout.shell import page_header
from orchestrator.ui.primitives.card import card
from orchestrator.ui.primitives.choice import radio_cards, switch
from orchestrator.ui.primitives.field import field
from orchestrator.ui.primitives.input import input as text_input
from orchestrator.ui.primitives.input import textarea
from orchestrator.ui.primitives.select import select

State = DatasetAddState
_TASKS = [{"value": task.key.value, "label": task.title, "note": task.dataset_note} for task in TASKS.values()]


def _problem(name: str) -> Any:
    return State.problems.get(name, "")


def _about() -> rx.Component:
    """What it is called; not asked when files are added to a dataset that is there."""
    return rx.cond(
        State.into > 0,
        rx.fragment(),
        card(
            rx.el.div(
                field(
                    "Name",
                    text_input(
                        name="name",
                        value=State.name,
                        on_change=State.type_name,
                        placeholder="gestures",
                        max_length=80,
                        disabled=State.target != "",
                    ),
                    error=_problem("name"),
                    required=True,
                ),
                field(
                    "Description",
                    textarea(
                        name="description",
                        value=State.description,
                        on_change=State.type_description,
                        disabled=State.target != "",
                    ),
                    hint="What is in it and where it came from. Only you see it.",
                    error=_problem("description"),
                ),
                field(
                    "Task",
                    radio_cards(_TASKS, label="Task", value=State.task, on_change=State.choose_task),
                    error=_problem("task"),
                    group=True,
                ),
                class_name="flex flex-col gap-4",
            ),
            title="About it",
        ),
    )


def _where() -> rx.Component:
    """The source type and its own fields."""
    files = sent_files(State, hint=State.files_hint)
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
                error=_problem("source"),
            ),
            rx.match(State.source, ("url", web_fields()), ("cloud", cloud_fields()), ("hub", hub_fields()), files),
            rx.el.div(
                switch(
                    "Let me check how it is read first",
                    checked=State.review,
                    on_change=State.choose_review,
                    disabled=State.target != "",
                ),
                rx.el.p(
                    "Classes, captions and splits are shown as they were understood; nothing is added before you accept.",
                    class_name="text-xs text-muted-foreground",
                ),
                class_name="flex flex-col gap-1.5 border-t border-border pt-4",
            ),
            class_name="flex flex-col gap-4",
        ),
        title="Where the clips are",
    )


def _form() -> rx.Component:
    return rx.el.form(
        rx.el.div(
            rx.el.div(
                _about(),
                _where(),
                foot(State, "dataset"),
                class_name="flex min-w-0 flex-col gap-4",
            ),
            layout_help(),
            class_name="grid grid-cols-1 items-start gap-4 lg:grid-cols-[minmax(0,1fr)_20rem]",
        ),
        on_submit=State.begin,
        no_validate=True,
    )


def new() -> rx.Component:
    """The form, or the sentence that there is nothing to add to."""
    return frame(
        rx.cond(
            State.missing,
            gone("dataset"),
            rx.fragment(page_header(State.title, note="Files stay on this server."), _form()),
        ),
        title=State.title,
        active="datasets",
        breadcrumb=[("Datasets", "/datasets")],
    )
