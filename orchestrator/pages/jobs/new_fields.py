"""A text field of the wizard, bound to the form."""

from typing import Any

import reflex as rx

from orchestrator.states.jobs.new import JobForm
from orchestrator.states.jobs.new_fields import control_id
from orchestrator.ui.primitives.field import field
from orchestrator.ui.primitives.icon import icon
from orchestrator.ui.primitives.input import input

GRID = "grid gap-4 sm:grid-cols-3"


def problem(name: str) -> rx.Component:
    """What is wrong with a choice that is no single control."""
    return rx.cond(
        JobForm.problems[name],
        rx.el.p(
            icon("circle-alert", size=14),
            JobForm.problems[name],
            role="alert",
            class_name="flex items-center gap-1.5 text-xs text-destructive",
        ),
        rx.fragment(),
    )


def text_field(name: str, label: str, hint: Any = None, suffix: str | None = None, **props: Any) -> rx.Component:
    """A text field of the form, with its sentence when it is wrong; Enter goes on."""
    return field(
        label,
        input(
            name=name,
            value=JobForm.values[name],
            on_change=JobForm.set_value(name),
            on_blur=JobForm.leave(name),
            on_enter=lambda _text: JobForm.next(),
            mono=True,
            suffix=suffix,
            auto_complete="off",
            id=control_id(name),
            **props,
        ),
        hint=hint,
        error=JobForm.problems[name],
        control_id=control_id(name),
    )
