"""Step 4 of the wizard: everything that will be launched, each line with its Edit link."""

import reflex as rx

from orchestrator.pages.shared.figures import definition
from orchestrator.states.jobs.new import JobFormState
from orchestrator.states.jobs.new_rehearsal import JobRehearsalState
from orchestrator.states.jobs.new_rows import PlanFact, ReviewRow
from orchestrator.ui.primitives.button import button
from orchestrator.ui.primitives.card import card
from orchestrator.ui.primitives.icon import icon
from orchestrator.ui.primitives.table import cell, row, table


def _line(line: ReviewRow) -> rx.Component:
    return row(
        cell(line.label, muted=True, class_name="w-44 touch:w-auto"),
        cell(line.value, class_name="font-mono text-xs break-words"),
        cell(
            button(
                "Edit",
                variant="link",
                size="sm",
                aria_label=f"Edit {line.label}",
                on_click=JobFormState.go(line.step),
            ),
            class_name="text-right",
        ),
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
        "Two real steps on the worker's device measure memory and time before the launch.",
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
        title="Rehearsal",
        note=rx.cond(JobRehearsalState.running, JobRehearsalState.note, rx.cond(plan.measured, "measured", "not yet")),
        actions=button(
            rx.cond(plan.measured, "Rehearse again", "Rehearse two steps"),
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
    """What will be launched, and the rehearsal; the Launch button is below."""
    return rx.el.section(
        rx.el.h2("Review and launch", class_name="sr-only"),
        card(
            table(["Setting", "Value", ""], rx.foreach(JobFormState.review, _line), label="What will be launched"),
            title="Review",
            note="Nothing has started yet",
            padded=False,
        ),
        _rehearsal(),
        class_name="flex flex-col gap-4",
    )
