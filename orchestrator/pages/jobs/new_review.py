"""Step 4 of the wizard: everything that will be launched, each line with its Edit link."""

import reflex as rx

from orchestrator.states.jobs.new import JobForm
from orchestrator.states.jobs.new_rehearsal import JobRehearsal
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
                on_click=JobForm.go(line.step),
            ),
            class_name="text-right",
        ),
    )


def _fact(fact: rx.Var[PlanFact]) -> rx.Component:
    return rx.el.div(
        rx.el.dt(fact.label, class_name="shrink-0 text-muted-foreground"),
        rx.el.dd(fact.value, class_name="min-w-0 text-right break-words tabular"),
        class_name="flex justify-between gap-4",
    )


def _remark(sentence: rx.Var[str]) -> rx.Component:
    return rx.el.p(
        icon("triangle-alert", class_name="mt-0.5 text-warning"), sentence, class_name="flex items-start gap-2 text-sm"
    )


def _rehearsal() -> rx.Component:
    plan = JobForm.plan
    offer = rx.el.p(
        "Two real steps on the worker's own device measure memory and time before anything is launched.",
        class_name="text-sm text-muted-foreground",
    )
    return card(
        rx.el.div(
            rx.cond(plan.measured, rx.fragment(), offer),
            rx.cond(
                plan.found.length() > 0,
                rx.el.dl(rx.foreach(plan.found, _fact), class_name="flex flex-col gap-2.5 text-sm"),
                rx.fragment(),
            ),
            rx.foreach(plan.remarks, _remark),
            rx.cond(
                JobRehearsal.error,
                rx.el.p(
                    icon("triangle-alert", class_name="mt-0.5"),
                    JobRehearsal.error,
                    role="alert",
                    class_name="flex items-start gap-2 text-sm text-warning",
                ),
                rx.fragment(),
            ),
            class_name="flex flex-col gap-3",
        ),
        title="Rehearsal",
        note=rx.cond(JobRehearsal.going, JobRehearsal.note, rx.cond(plan.measured, "measured", "not yet")),
        actions=button(
            rx.cond(plan.measured, "Rehearse again", "Rehearse two steps"),
            icon="gauge",
            size="sm",
            loading=JobRehearsal.going,
            disabled=JobRehearsal.going,
            on_click=JobRehearsal.start,
            id="wizard-rehearse",
        ),
        id="rehearsal",
    )


def review_step() -> rx.Component:
    """What will be launched, and what two steps of it would take; Launch is in the foot."""
    return rx.el.section(
        rx.el.h2("Review and launch", class_name="sr-only"),
        card(
            table(["Setting", "Value", ""], rx.foreach(JobForm.review, _line), label="What will be launched"),
            title="Review",
            note="Nothing has started yet",
            padded=False,
        ),
        _rehearsal(),
        class_name="flex flex-col gap-4",
    )
