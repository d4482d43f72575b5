"""The advanced fields of step 3, which most people leave at their defaults."""

import reflex as rx

from orchestrator.domain.recipe_fields import RecipeField, Section
from orchestrator.pages.jobs.new_fields import GRID, form_control
from orchestrator.states.jobs.new import JobFormState
from orchestrator.states.jobs.new_values import section_fields
from orchestrator.ui.primitives.icon import icon

_OFFERED = {
    "qlora.vision": JobFormState.plan.has_vision_tower,
    "data.group_by_length": JobFormState.plan.has_vision_tower,
    "optim.liger": JobFormState.plan.has_liger,
}
"""Switches that only some bases and machines support; also shown where a cloned job has them on."""


def _shown(field: RecipeField) -> rx.Component:
    """The field's control, while it applies."""
    shown = form_control(field)
    if field.name in _OFFERED:
        shown = rx.cond(_OFFERED[field.name] | (JobFormState.values[field.name] == "true"), shown, rx.fragment())
    if field.spec.only_with:
        other, value = field.spec.only_with
        shown = rx.cond(JobFormState.values[other] == value, shown, rx.fragment())
    return shown


def advanced() -> rx.Component:
    """Closed at first; an invalid field opens it."""
    fold = rx.el.button(
        icon(
            "chevron-right",
            class_name=rx.cond(JobFormState.advanced_open, "rotate-90 transition-transform", "transition-transform"),
        ),
        "Advanced: steps, warm-up, weight decay, clipping, seed, validation share, frames, optimizer, machine",
        type="button",
        on_click=JobFormState.toggle_advanced,
        aria_expanded=JobFormState.advanced_open,
        aria_controls="advanced",
        class_name="tap mt-4 flex items-center gap-2 text-left text-sm text-muted-foreground hover:text-foreground",
    )
    fields = rx.el.div(*map(_shown, section_fields(Section.ADVANCED)), id="advanced", class_name=GRID + " mt-4")
    return rx.fragment(fold, rx.cond(JobFormState.advanced_open, fields, rx.fragment()))
