"""The controls of the job form, each made from the field's spec in the recipe and bound to the form."""

from typing import Any, assert_never

import reflex as rx

from orchestrator.domain.recipe_fields import RecipeField, ValueKind
from orchestrator.domain.recipes import FIELDS
from orchestrator.pages.shared.terms import explain_term
from orchestrator.states.jobs.new import JobFormState
from orchestrator.states.jobs.new_fields import control_id
from orchestrator.ui.primitives.choice import segmented, switch
from orchestrator.ui.primitives.field import field
from orchestrator.ui.primitives.icon import icon
from orchestrator.ui.primitives.input import input
from orchestrator.ui.primitives.select import select

GRID = "grid gap-4 sm:grid-cols-3"


def problem(name: str) -> rx.Component:
    """The message of a choice that has no control of its own."""
    return rx.cond(
        JobFormState.problems[name],
        rx.el.p(
            icon("circle-alert", size=14),
            JobFormState.problems[name],
            role="alert",
            class_name="flex items-center gap-1.5 text-xs text-destructive",
        ),
        rx.fragment(),
    )


_INPUT_MODES = {ValueKind.COUNT: "numeric", ValueKind.NUMBER: "decimal"}


def form_control(known: RecipeField, hint: Any = None) -> rx.Component:
    """The control that suits the field's values."""
    match known.kind:
        case ValueKind.SWITCH:
            return switch_field(known.name)
        case ValueKind.CHOICE:
            return choice_field(known.name)
        case ValueKind.COUNT | ValueKind.NUMBER | ValueKind.TEXT | ValueKind.LIST | ValueKind.MAP:
            return text_field(known.name, hint)
        case _:
            assert_never(known.kind)


def help_of(name: str) -> rx.Component | None:
    """The "?" next to a field's label; None where its spec explains no term."""
    term = FIELDS[name].spec.term
    return explain_term(term) if term else None


def text_field(name: str, hint: Any = None) -> rx.Component:
    """A text field of the form, with its message when it is invalid; Enter goes to the next step."""
    known = FIELDS[name]
    return field(
        known.spec.label,
        form_input(name, input_mode=_INPUT_MODES.get(known.kind), suffix=known.spec.unit or None),
        hint=(known.spec.hint or None) if hint is None else hint,
        error=JobFormState.problems[name],
        control_id=control_id(name),
        help=help_of(name),
    )


def form_input(name: str, **props: Any) -> rx.Component:
    """An input bound to one value of the form."""
    return input(
        name=name,
        value=JobFormState.values[name],
        on_change=JobFormState.set_value(name),
        on_blur=JobFormState.commit_value(name),
        on_enter=lambda _text: JobFormState.next(),
        mono=True,
        auto_complete="off",
        id=control_id(name),
        **{key: value for key, value in props.items() if value is not None},
    )


def choice_field(name: str) -> rx.Component:
    """A select with a field's choices."""
    spec = FIELDS[name].spec
    return field(
        spec.label,
        select(
            options=list(spec.choices),
            value=JobFormState.values[name],
            on_change=JobFormState.set_value(name),
            id=control_id(name),
        ),
        hint=spec.hint or None,
        error=JobFormState.problems[name],
        control_id=control_id(name),
        help=help_of(name),
    )


def choice_buttons(name: str) -> rx.Component:
    """A field's choices as a row of buttons."""
    spec = FIELDS[name].spec
    return segmented(
        list(spec.choices),
        label=spec.label,
        value=JobFormState.values[name],
        on_change=JobFormState.set_value(name),
        fill=True,
    )


def switch_field(name: str) -> rx.Component:
    """A switch with its hint."""
    spec = FIELDS[name].spec
    return rx.el.div(
        switch(spec.label, checked=JobFormState.values[name] == "true", on_change=JobFormState.set_flag(name)),
        rx.el.p(spec.hint, class_name="text-xs text-muted-foreground"),
        rx.cond(
            JobFormState.problems[name],
            rx.el.p(JobFormState.problems[name], role="alert", class_name="text-xs text-destructive"),
            rx.fragment(),
        ),
        id=control_id(name),
        class_name="flex flex-col gap-1.5 sm:col-span-3",
    )
