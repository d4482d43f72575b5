"""TODO."""

import reflex as rx

from orchestrator.ui.primitives.icon import icon


def general_problem(sentence: rx.Var[str]) -> rx.Component:
    """A refusal that belongs to no field."""
    return rx.cond(
        sentence != "",
        rx.el.p(
            icon("circle-alert", class_name="mt-0.5"),
            rx.el.span(sentence, class_name="min-w-0 break-words"),
            role="alert",
            class_name="flex items-start gap-2 text-sm text-destructive",
        ),
        rx.fragment(),
    )
