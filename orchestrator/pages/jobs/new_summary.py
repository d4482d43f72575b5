"""The wizard's summary on the right, and its short form at the bottom of a phone."""

from typing import Any

import reflex as rx

from orchestrator.pages.shared.figures import definition
from orchestrator.states.jobs.new import JobFormState
from orchestrator.states.jobs.new_rows import PlanWarning
from orchestrator.ui.primitives.button import button
from orchestrator.ui.primitives.card import card
from orchestrator.ui.primitives.icon import icon


def _line(label: str, value: Any) -> rx.Component:
    return definition(label, rx.cond(value, value, "–"), look="tabular")


def memory_bar() -> rx.Component:
    """Estimated memory against the device's."""
    plan = JobFormState.plan
    verdict = rx.cond(
        plan.fits,
        rx.el.span(icon("circle-check", size=14), "Fits", class_name="flex items-center gap-1 text-xs text-success"),
        rx.el.span(icon("triangle-alert", size=14), "Tight", class_name="flex items-center gap-1 text-xs text-warning"),
    )
    return rx.el.div(
        rx.el.div(
            rx.el.span(
                "Memory",
                rx.el.span(
                    rx.cond(plan.measured, "measured", "estimated"),
                    class_name="ml-1.5 text-xs font-normal text-muted-foreground",
                ),
                class_name="text-sm font-medium",
            ),
            rx.el.span(plan.device, class_name="text-xs text-muted-foreground"),
            class_name="flex items-baseline justify-between",
        ),
        rx.el.div(
            rx.el.span(
                rx.el.span(plan.memory, class_name="text-xl font-semibold tabular"),
                rx.cond(
                    plan.memory_total,
                    rx.el.span(f" / {plan.memory_total}", class_name="text-sm text-muted-foreground"),
                    rx.fragment(),
                ),
            ),
            rx.cond(plan.memory_total, verdict, rx.fragment()),
            class_name="flex items-baseline justify-between",
        ),
        rx.cond(
            plan.memory_total,
            rx.el.div(
                rx.el.div(
                    style={"width": f"calc({plan.memory_share} * 100% + 2px)"},
                    class_name="h-full rounded-full bg-primary",
                ),
                role="img",
                aria_label=f"{plan.memory} of {plan.memory_total}",
                class_name="relative h-3 overflow-hidden rounded-full bg-muted",
            ),
            rx.fragment(),
        ),
        class_name="flex flex-col gap-1.5",
    )


def _warning(warning: rx.Var[PlanWarning]) -> rx.Component:
    change = button(
        "Change it",
        variant="link",
        size="sm",
        aria_label=f"Change it: {warning.text}",
        on_click=JobFormState.show_field(warning.field),
        class_name="-mb-1 -ml-2.5 self-start",
    )
    return rx.el.div(
        icon("triangle-alert", class_name="mt-0.5 text-warning"),
        rx.el.div(
            rx.el.p(warning.text, class_name="text-sm"),
            rx.cond(warning.field, change, rx.fragment()),
            class_name="flex min-w-0 flex-col gap-1",
        ),
        class_name="flex items-start gap-2 rounded-xl border border-warning/40 bg-warning/8 p-4",
    )


def summary() -> rx.Component:
    """What the launch would do."""
    plan = JobFormState.plan
    return rx.el.aside(
        card(
            rx.el.p(
                rx.cond(JobFormState.values["output_name"], JobFormState.values["output_name"], "No name yet"),
                class_name="font-mono text-sm font-medium break-all",
            ),
            rx.el.p(
                rx.cond(JobFormState.dataset_name, JobFormState.dataset_name, "No dataset yet"),
                rx.cond(plan.known, f", {plan.clips}", ""),
                class_name="mt-1 text-xs text-muted-foreground",
            ),
            rx.el.hr(class_name="my-4 border-border"),
            rx.cond(plan.known, rx.fragment(memory_bar(), rx.el.hr(class_name="my-4 border-border")), rx.fragment()),
            rx.el.dl(
                _line("Base model", JobFormState.model_name),
                _line("Steps", plan.steps),
                _line("Time", plan.time),
                _line("Trainable parameters", plan.trainable),
                _line("Adapter on disk", plan.adapter),
                class_name="flex flex-col gap-2 text-sm",
            ),
            id="wizard-summary",
        ),
        rx.foreach(plan.warnings, _warning),
        aria_label="Summary",
        class_name="flex flex-col gap-4 self-start lg:col-start-2 xl:sticky xl:top-20 xl:col-start-3 xl:row-start-1",
    )


def phone_figures() -> rx.Component:
    """Memory, steps and time above the buttons of a phone."""
    plan = JobFormState.plan
    return rx.cond(
        plan.known,
        rx.el.div(
            rx.el.span(rx.el.span(plan.memory, class_name="font-semibold"), class_name="tabular"),
            rx.el.span(f"{plan.steps} steps", rx.cond(plan.time, f" · {plan.time}", ""), class_name="tabular"),
            class_name="hidden items-baseline justify-between pb-2 text-xs touch:flex",
        ),
        rx.fragment(),
    )
