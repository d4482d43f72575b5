"""Steps 1 and 2 of the wizard: which dataset, which base model."""

import reflex as rx

from orchestrator.pages.jobs.new_fields import problem
from orchestrator.states.jobs.new import JobFormState
from orchestrator.states.jobs.new_fields import control_id
from orchestrator.states.jobs.new_rows import DatasetChoice, ModelChoice
from orchestrator.ui.patterns.empty_state import empty_state
from orchestrator.ui.patterns.return_link import detour_link
from orchestrator.ui.primitives.badge import tag
from orchestrator.ui.primitives.button import button
from orchestrator.ui.primitives.field import field
from orchestrator.ui.primitives.icon import icon
from orchestrator.ui.primitives.select import select

CARD = (
    "relative flex gap-3 rounded-xl border border-border bg-card p-4 text-left transition-colors "
    "has-checked:border-primary has-checked:bg-primary/8 has-checked:ring-1 has-checked:ring-primary "
    "has-focus-visible:outline-2 has-focus-visible:outline-offset-2 has-focus-visible:outline-primary "
)
ADD = "inline-flex min-h-6 shrink-0 items-center rounded-sm text-sm link-muted tap"
DOT = (
    "mt-0.5 size-4.5 shrink-0 appearance-none rounded-full border border-input outline-none "
    "checked:border-5 checked:border-primary disabled:opacity-40"
)


def _card(
    step: str,
    choice: DatasetChoice | ModelChoice,
    tags: list[rx.Component],
    *,
    checked: rx.Var[bool],
    choose: rx.event.EventSpec,
    picture: rx.Component | None = None,
    description: rx.Component | None = None,
) -> rx.Component:
    """One choice: name, tags, note, and the reason why it cannot be chosen."""
    return rx.el.label(
        picture or rx.fragment(),
        rx.el.span(
            rx.el.span(
                rx.el.span(choice.name, class_name="min-w-0 break-words font-medium"),
                *tags,
                class_name="flex min-w-0 flex-wrap items-center gap-x-2 gap-y-1",
            ),
            rx.el.span(choice.note, class_name="text-xs text-muted-foreground"),
            description or rx.fragment(),
            rx.cond(choice.reason, rx.el.span(choice.reason, class_name="text-xs text-warning"), rx.fragment()),
            class_name="flex min-w-0 flex-1 flex-col gap-1",
        ),
        rx.el.input(
            type="radio", name=step, checked=checked, disabled=choice.reason != "", on_change=choose, class_name=DOT
        ),
        class_name=CARD + rx.cond(choice.reason, "opacity-80 cursor-not-allowed", "cursor-pointer hover:border-input"),
        custom_attrs={f"data-{step}": choice.id},
    )


def _dataset_card(choice: DatasetChoice) -> rx.Component:
    picture = rx.cond(
        choice.thumbnail,
        rx.el.img(
            src=choice.thumbnail, alt="", loading="lazy", class_name="h-14 w-20 shrink-0 rounded-md object-cover"
        ),
        rx.el.span(
            icon("film", size=20),
            class_name="flex h-14 w-20 shrink-0 items-center justify-center rounded-md bg-muted text-muted-foreground",
        ),
    )
    return _card(
        "dataset",
        choice,
        [tag(choice.task), rx.cond(choice.is_demo, tag("demo"), rx.fragment())],
        checked=JobFormState.dataset_id == choice.id,
        choose=JobFormState.choose_dataset(choice.id),
        picture=picture,
    )


def dataset_step() -> rx.Component:
    """The choice of the dataset."""
    return rx.el.section(
        _head(
            "Dataset",
            "The clips to learn from. A share of each class is kept for validation.",
            detour_link("Add dataset", href="/datasets/new", class_name=ADD),
        ),
        rx.el.fieldset(
            rx.el.legend("Dataset", class_name="sr-only"),
            rx.foreach(JobFormState.datasets, _dataset_card),
            id=control_id("dataset_id"),
            tab_index=-1,
            class_name="grid min-w-0 grid-cols-1 gap-3 outline-none",
        ),
        rx.cond(
            JobFormState.datasets.length() == 0,
            empty_state(
                title="No datasets yet",
                text="Upload videos in class folders first; each folder becomes a class.",
                action=button("Add a dataset", href="/datasets/new", icon="plus"),
                icon="film",
            ),
            rx.fragment(),
        ),
        problem("dataset_id"),
        rx.cond(JobFormState.versions.length() > 0, _version(), rx.fragment()),
        class_name="flex flex-col gap-3",
    )


def _version() -> rx.Component:
    return field(
        "Version of the dataset",
        select(
            options=JobFormState.versions,
            value=JobFormState.dataset_version.to_string(),
            on_change=JobFormState.choose_version,
            id=control_id("dataset_version"),
        ),
        hint="Each edit of a dataset makes a version; a job learns from one of them.",
        error=JobFormState.problems["dataset_version"],
        control_id=control_id("dataset_version"),
    )


def _model_card(choice: ModelChoice) -> rx.Component:
    text = rx.el.span(choice.description, class_name="line-clamp-2 text-xs text-muted-foreground")
    return _card(
        "model",
        choice,
        [tag(choice.architecture)],
        checked=JobFormState.model_id == choice.id,
        choose=JobFormState.choose_model(choice.id),
        description=rx.cond(choice.description, text, rx.fragment()),
    )


def model_step() -> rx.Component:
    """The choice of the base model."""
    return rx.el.section(
        _head(
            "Base model",
            "It stays frozen in 4-bit; only a small adapter is trained.",
            detour_link("Add model", href="/models/new", class_name=ADD),
        ),
        rx.el.fieldset(
            rx.el.legend("Base model", class_name="sr-only"),
            rx.foreach(JobFormState.models, _model_card),
            id=control_id("model_id"),
            tab_index=-1,
            class_name="grid min-w-0 grid-cols-1 gap-3 outline-none",
        ),
        problem("model_id"),
        class_name="flex flex-col gap-3",
    )


def _head(title: str, note: str, add: rx.Component) -> rx.Component:
    return rx.el.div(
        rx.el.div(
            rx.el.h2(title, class_name="text-base font-semibold"),
            rx.el.p(note, class_name="text-xs text-muted-foreground"),
            class_name="min-w-0",
        ),
        add,
        class_name="flex items-start justify-between gap-4",
    )
