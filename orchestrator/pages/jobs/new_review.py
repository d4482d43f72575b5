"""Step 4 of the wizard: everything that will be launched, each line with its Edit link."""

import reflex as rx

from orchestrator.states.job_form import JobForm
from orchestrator.states.job_form_rows import ReviewRow
from orchestrator.ui.primitives.button import button
from orchestrator.ui.primitives.card import card
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


def review_step() -> rx.Component:
    """One table; Launch is in the foot."""
    return card(
        table(["Setting", "Value", ""], rx.foreach(JobForm.review, _line), label="What will be launched"),
        title="Review",
        note="Nothing has started yet",
        padded=False,
    )
