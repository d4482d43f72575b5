"""The page at `/jobs/new`: the four-step wizard that creates a training job."""

import reflex as rx

from orchestrator.pages.jobs.drafts import drafts_card
from orchestrator.pages.jobs.new_choices import dataset_step, model_step
from orchestrator.pages.jobs.new_parameters import parameter_step
from orchestrator.pages.jobs.new_review import review_step
from orchestrator.pages.jobs.new_summary import phone_figures, summary
from orchestrator.pages.shared.frame import frame
from orchestrator.states.jobs.drafts import DraftsState
from orchestrator.states.jobs.new import JobFormState
from orchestrator.ui.layout.shell import page_header
from orchestrator.ui.patterns.relative_time import relative_time
from orchestrator.ui.patterns.stepper import Step, phone_stepper, stepper
from orchestrator.ui.primitives.alert_dialog import alert_dialog
from orchestrator.ui.primitives.button import button
from orchestrator.ui.primitives.icon import icon
from orchestrator.ui.primitives.skeleton import loading, skeleton

STEPS = ("Dataset", "Model", "Parameters", "Review & launch")


def _steps() -> list[Step]:
    notes = (
        JobFormState.dataset_name,
        JobFormState.model_name,
        rx.cond(JobFormState.reached > 2, JobFormState.preset_title, ""),
        "",
    )
    return [{"title": title, "note": note} for title, note in zip(STEPS, notes, strict=True)]


def _draft_note() -> rx.Component:
    return rx.cond(
        JobFormState.saved_at,
        rx.el.span(
            "Draft saved, ",
            relative_time(JobFormState.saved_at),
            id="draft-note",
            class_name="text-xs text-muted-foreground",
        ),
        rx.fragment(),
    )


def _cancel() -> rx.Component:
    return alert_dialog(
        title="Discard this draft?",
        description="What you chose and typed here is deleted. Datasets, models and other jobs stay as they are.",
        opener=button("Cancel", variant="ghost", id="wizard-cancel"),
        confirm="Discard",
        cancel="Keep it",
        on_confirm=JobFormState.cancel,
    )


def _forward() -> rx.Component:
    word = rx.cond(JobFormState.step == 3, "Review", "Next")
    return rx.cond(
        JobFormState.step < 4,
        button(word, variant="primary", icon_right="arrow-right", on_click=JobFormState.next, id="wizard-next"),
        button(
            JobFormState.launch_word,
            variant="primary",
            icon="play",
            loading=JobFormState.launching,
            disabled=JobFormState.launching,
            on_click=JobFormState.launch.throttle(1500),
            id="wizard-launch",
        ),
    )


def _foot() -> rx.Component:
    """The buttons; they stay in view at the foot of the window, however long the step is."""
    return rx.el.div(
        phone_figures(),
        rx.el.div(
            rx.cond(
                JobFormState.step > 1,
                button("Back", icon="arrow-left", on_click=JobFormState.back, id="wizard-back"),
                rx.fragment(),
            ),
            rx.el.div(_draft_note(), class_name="touch:hidden"),
            rx.el.div(_cancel(), _forward(), class_name="ml-auto flex items-center gap-2"),
            class_name="flex items-center gap-3",
        ),
        class_name="sticky bottom-0 z-20 -mx-2 border-t border-border bg-background px-2 py-3 "
        "touch:-mx-4 touch:bg-card touch:px-4",
    )


def _notice() -> rx.Component:
    return rx.cond(
        JobFormState.notice,
        rx.el.div(
            icon("triangle-alert", class_name="mt-0.5"),
            rx.el.span(
                JobFormState.notice,
                rx.cond(
                    JobFormState.other_version > 0,
                    button(
                        f"Take version {JobFormState.other_version}",
                        size="sm",
                        on_click=JobFormState.choose_version(JobFormState.other_version.to_string()),
                        class_name="mt-2 flex",
                        id="take-own-version",
                    ),
                    rx.fragment(),
                ),
                class_name="min-w-0 break-words",
            ),
            role="status",
            class_name="flex items-start gap-2 rounded-lg border border-warning/40 bg-warning/8 px-3 py-2 text-sm text-warning",
        ),
        rx.fragment(),
    )


def _loading() -> rx.Component:
    return loading(
        rx.el.div(skeleton("h-24 rounded-xl"), skeleton("h-64 rounded-xl"), class_name="flex flex-col gap-4"),
        label="Loading the wizard",
    )


def _step() -> rx.Component:
    return rx.el.div(
        _notice(),
        rx.cond(
            (JobFormState.step == 1) & (JobFormState.draft_id == 0) & DraftsState.shown,
            drafts_card(),
            rx.fragment(),
        ),
        rx.match(JobFormState.step, (1, dataset_step()), (2, model_step()), (3, parameter_step()), review_step()),
        _foot(),
        class_name="flex min-w-0 flex-col gap-4",
    )


def new() -> rx.Component:
    """The wizard: stepper, step, summary."""
    about = rx.cond(
        JobFormState.dataset_name,
        rx.cond(
            JobFormState.model_name,
            f"Fine-tune {JobFormState.model_name} on {JobFormState.dataset_name}",
            JobFormState.dataset_name,
        ),
        "From a dataset and a base model to an adapter of your own.",
    )
    return frame(
        rx.el.div(id="wizard-top", class_name="absolute top-0"),
        page_header("New training job", note=about),
        phone_stepper(_steps(), current=JobFormState.step),
        rx.el.div(
            stepper(_steps(), current=JobFormState.step, reached=JobFormState.reached, on_select=JobFormState.go),
            rx.cond(JobFormState.loaded, _step(), _loading()),
            summary(),
            class_name="grid gap-6 lg:grid-cols-[9.25rem_minmax(0,1fr)] xl:grid-cols-[9.25rem_minmax(0,1fr)_18.5rem]",
        ),
        title="New job",
        active="jobs",
        breadcrumb=[("Training jobs", "/jobs")],
    )
