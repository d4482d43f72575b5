"""Step 4 of the wizard: everything that will be launched, in blocks with an Edit link each."""

import reflex as rx

from orchestrator.pages.shared.figures import definition
from orchestrator.states.jobs.new import JobFormState
from orchestrator.states.jobs.new_rehearsal import JobRehearsalState
from orchestrator.states.jobs.new_rows import PlanFact, ReviewBlock, ReviewRow
from orchestrator.ui.primitives.button import button
from orchestrator.ui.primitives.card import card
from orchestrator.ui.primitives.icon import icon


def _line(line: ReviewRow) -> rx.Component:
    return definition(line.label, line.value, look="font-mono text-xs break-words")


def _block(block: ReviewBlock) -> rx.Component:
    return card(
        rx.el.dl(rx.foreach(block.lines, _line), class_name="flex flex-col gap-1.5"),
        title=block.title,
        actions=button(
            "Edit",
            variant="link",
            size="sm",
            aria_label=f"Edit {block.title}",
            on_click=JobFormState.go(block.step),
        ),
        heading="h3",
        class_name="min-w-0",
    )


def _fact(fact: rx.Var[PlanFact]) -> rx.Component:
    return definition(fact.label, fact.value, look="break-words tabular")


def _remark(sentence: rx.Var[str]) -> rx.Component:
    return rx.el.p(
        icon("triangle-alert", class_name="mt-0.5 text-warning"), sentence, class_name="flex items-start gap-2 text-sm"
    )


def _rehearsal() -> rx.Component:
    plan = JobFormState.plan
    offer = rx.el.p(
        "Runs two real training steps on the worker's device and measures memory and time before the launch.",
        class_name="text-sm text-muted-foreground",
    )
    return card(
        rx.el.div(
            rx.cond(plan.measured, rx.fragment(), offer),
            rx.cond(
                plan.measurements.length() > 0,
                rx.el.dl(rx.foreach(plan.measurements, _fact), class_name="flex flex-col gap-2.5 text-sm"),
                rx.fragment(),
            ),
            rx.foreach(plan.remarks, _remark),
            rx.cond(
                JobRehearsalState.error,
                rx.el.p(
                    icon("triangle-alert", class_name="mt-0.5"),
                    JobRehearsalState.error,
                    role="alert",
                    class_name="flex items-start gap-2 text-sm text-warning",
                ),
                rx.fragment(),
            ),
            class_name="flex flex-col gap-3",
        ),
        title="Dry run",
        note=rx.cond(
            JobRehearsalState.running, JobRehearsalState.note, rx.cond(plan.measured, "measured", "not run yet")
        ),
        actions=button(
            rx.cond(plan.measured, "Run again", "Dry run (2 steps)"),
            icon="gauge",
            size="sm",
            loading=JobRehearsalState.running,
            disabled=JobRehearsalState.running,
            on_click=JobRehearsalState.start,
            id="wizard-rehearse",
        ),
        id="rehearsal",
    )


def review_step() -> rx.Component:
    """What will be launched, and the dry run; the Launch button is below."""
    return rx.el.section(
        rx.el.h2("Review and launch", class_name="sr-only"),
        rx.el.div(
            rx.foreach(JobFormState.review, _block),
            id="review",
            class_name="grid items-start gap-4 md:grid-cols-2",
        ),
        _rehearsal(),
        class_name="flex flex-col gap-4",
    )
