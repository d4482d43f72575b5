"""The advanced fields of step 3, which most people leave at their defaults: under headings that open and close."""

from functools import reduce
from operator import or_

import reflex as rx

from orchestrator.domain.recipe_fields import Group, RecipeField, Section
from orchestrator.pages.jobs.new_fields import GRID, form_control
from orchestrator.states.jobs.new import JobFormState
from orchestrator.states.jobs.new_values import field_text, section_fields
from orchestrator.ui.primitives.icon import icon

_PLAN = JobFormState.plan
_OFFERED = {
    "qlora.vision": _PLAN.has_vision_tower,
    "data.group_by_length": _PLAN.has_vision_tower,
    "optim.neftune_alpha": _PLAN.has_vision_tower,
    "optim.liger": _PLAN.has_liger,
    "optim.chunk_size": _PLAN.compares_clips,
    "augment.basic": ~_PLAN.has_vision_tower,
    "augment.jitter": ~_PLAN.has_vision_tower,
    "augment.flip": ~_PLAN.vision_frozen,
    "augment.rand_augment": ~_PLAN.vision_frozen,
    "augment.mixup": _PLAN.has_classes,
    "augment.cutmix": _PLAN.has_classes,
    "optim.class_weights": _PLAN.has_classes,
    "optim.balanced_sampling": _PLAN.has_classes,
    "optim.label_smoothing": _PLAN.has_classes,
    "optim.focal_gamma": _PLAN.has_classes,
    "eval.views": _PLAN.has_classes,
}
"""Fields that only some bases and machines support; also shown where they have another value than their default."""


def _is_offered(field: RecipeField) -> rx.Var[bool]:
    """Whether the field applies to the chosen base."""
    if field.name not in _OFFERED:
        return rx.Var.create(True)
    return _OFFERED[field.name] | (JobFormState.values[field.name] != field_text(field.default))


def _shown(field: RecipeField) -> rx.Component:
    """The field's control, while it applies."""
    shown = form_control(field)
    if field.name in _OFFERED:
        shown = rx.cond(_is_offered(field), shown, rx.fragment())
    if field.spec.only_with:
        other, value = field.spec.only_with
        shown = rx.cond(JobFormState.values[other] == value, shown, rx.fragment())
    return shown


def _group(group: Group, fields: list[RecipeField]) -> rx.Component:
    """A heading with the names of its fields, and the fields while it is open."""
    is_open, key = JobFormState.open_groups.contains(group.value), group.name.lower()
    names = ", ".join(field.spec.label for field in fields)
    heading = rx.el.button(
        icon("chevron-right", class_name=rx.cond(is_open, "rotate-90 transition-transform", "transition-transform")),
        rx.el.span(group.value, class_name="shrink-0 text-sm font-medium"),
        rx.cond(
            is_open,
            rx.fragment(),
            rx.el.span(names, aria_hidden=True, class_name="min-w-0 truncate text-xs text-muted-foreground"),
        ),
        type="button",
        on_click=JobFormState.toggle_group(group.value),
        aria_expanded=is_open,
        aria_controls=f"advanced-{key}",
        id=f"advanced-{key}-heading",
        class_name="tap flex w-full min-w-0 items-center gap-2 py-2 text-left hover:text-foreground",
    )
    controls = rx.el.div(*map(_shown, fields), id=f"advanced-{key}", class_name=GRID + " items-start pt-2 pb-4")
    shown = rx.el.div(heading, rx.cond(is_open, controls, rx.fragment()), class_name="border-t border-border")
    if all(field.name in _OFFERED for field in fields):
        return rx.cond(reduce(or_, map(_is_offered, fields)), shown, rx.fragment())
    return shown


def advanced() -> rx.Component:
    """All headings, closed at first; an invalid field opens its own."""
    fields = section_fields(Section.ADVANCED)
    groups = [(group, [field for field in fields if field.spec.group is group]) for group in Group]
    return rx.el.div(
        rx.el.h3("Advanced", class_name="pb-2 text-sm text-muted-foreground"),
        *[_group(group, of_group) for group, of_group in groups if of_group],
        class_name="mt-5",
    )
