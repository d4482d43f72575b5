"""Steps 1 and 2 of the wizard: which dataset, which base model."""

import reflex as rx

from orchestrator.pages.jobs.new_fields import problem
from orchestrator.states.jobs.new import JobForm
from orchestrator.states.jobs.new_fields import control_id
from orchestrator.states.jobs.new_rows import DatasetChoice, ModelChoice
from orchestrator.ui.patterns.empty_state import empty_state
from orchestrator.ui.primitives.badge import tag
from orchestrator.ui.primitives.button import button
from orchestrator.ui.primitives.icon import icon

CARD = (
    "relative flex gap-3 rounded-xl border border-border bg-card p-4 text-left transition-colors "
    "has-checked:border-primary has-checked:bg-primary/8 has-checked:ring-1 has-checked:ring-primary "
    "has-focus-visible:outline-2 has-focus-visible:outline-offset-2 has-focus-visible:outline-primary "
)
DOT = (
    "mt-0.5 size-4.5 shrink-0 appearance-none rounded-full border border-input outline-none "
    "checked:border-5 checked:border-primary disabled:opacity-40"
)


def _radio(group: str, checked: rx.Var[bool], disabled: rx.Var[bool], choose: rx.event.EventSpec) -> rx.Component:
    return rx.el.input(type="radio", name=group, checked=checked, disabled=disabled, on_change=choose, class_name=DOT)


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
    return rx.el.label(
        picture,
        rx.el.span(
            rx.el.span(
                rx.el.span(choice.name, class_name="truncate font-medium"),
                tag(choice.task),
                rx.cond(choice.is_demo, tag("demo"), rx.fragment()),
                class_name="flex min-w-0 flex-wrap items-center gap-x-2 gap-y-1",
            ),
            rx.el.span(choice.note, class_name="text-xs text-muted-foreground"),
            rx.cond(choice.reason, rx.el.span(choice.reason, class_name="text-xs text-warning"), rx.fragment()),
            class_name="flex min-w-0 flex-1 flex-col gap-1",
        ),
        _radio("dataset", JobForm.dataset_id == choice.id, choice.reason != "", JobForm.choose_dataset(choice.id)),
        class_name=CARD + rx.cond(choice.reason, "opacity-80 cursor-not-allowed", "cursor-pointer hover:border-input"),
        custom_attrs={"data-dataset": choice.id},
    )


def dataset_step() -> rx.Component:
    """Which clips to learn from."""
    return rx.el.section(
        _head("Dataset", "The clips to learn from. A share of each class is held out to measure on."),
        rx.el.fieldset(
            rx.el.legend("Dataset", class_name="sr-only"),
            rx.foreach(JobForm.datasets, _dataset_card),
            id=control_id("dataset_id"),
            tab_index=-1,
            class_name="grid min-w-0 gap-3 outline-none",
        ),
        rx.cond(
            JobForm.datasets.length() == 0,
            empty_state(
                title="No datasets yet",
                text="Upload videos in class folders first; each folder becomes a class.",
                action=button("Add a dataset", href="/datasets/new", icon="plus"),
                icon="film",
            ),
            rx.fragment(),
        ),
        problem("dataset_id"),
        class_name="flex flex-col gap-3",
    )


def _model_card(choice: ModelChoice) -> rx.Component:
    return rx.el.label(
        rx.el.span(
            rx.el.span(
                rx.el.span(choice.name, class_name="truncate font-medium"),
                tag(choice.architecture),
                class_name="flex min-w-0 flex-wrap items-center gap-x-2 gap-y-1",
            ),
            rx.el.span(choice.note, class_name="text-xs text-muted-foreground"),
            rx.cond(
                choice.description,
                rx.el.span(choice.description, class_name="line-clamp-2 text-xs text-muted-foreground"),
                rx.fragment(),
            ),
            rx.cond(choice.reason, rx.el.span(choice.reason, class_name="text-xs text-warning"), rx.fragment()),
            class_name="flex min-w-0 flex-1 flex-col gap-1",
        ),
        _radio("model", JobForm.model_id == choice.id, choice.reason != "", JobForm.choose_model(choice.id)),
        class_name=CARD + rx.cond(choice.reason, "opacity-80 cursor-not-allowed", "cursor-pointer hover:border-input"),
        custom_attrs={"data-model": choice.id},
    )


def model_step() -> rx.Component:
    """Which base model to train."""
    return rx.el.section(
        _head("Base model", "It stays frozen in 4-bit; a small adapter learns beside it."),
        rx.el.fieldset(
            rx.el.legend("Base model", class_name="sr-only"),
            rx.foreach(JobForm.models, _model_card),
            id=control_id("model_id"),
            tab_index=-1,
            class_name="grid gap-3 outline-none",
        ),
        problem("model_id"),
        class_name="flex flex-col gap-3",
    )


def _head(title: str, note: str) -> rx.Component:
    return rx.el.div(
        rx.el.h2(title, class_name="text-base font-semibold"),
        rx.el.p(note, class_name="text-xs text-muted-foreground"),
    )
