"""Parts of forms: a field's problem, a problem of the whole form, and dialogs with a form."""

from typing import Any

import reflex as rx

from orchestrator.states.shared.add_form import MAX_NAME
from orchestrator.ui.kit import Child, Flag, Handler, Text
from orchestrator.ui.primitives.button import Variant, button
from orchestrator.ui.primitives.dialog import dialog
from orchestrator.ui.primitives.field import field
from orchestrator.ui.primitives.icon import icon
from orchestrator.ui.primitives.input import input as text_input
from orchestrator.ui.primitives.input import textarea


def problem_of(state: Any, name: str) -> Any:
    """The sentence for a field; "" while nothing is wrong. `state` has `problems` by field."""
    return state.problems.get(name, "")


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


def small_note(*text: Child) -> rx.Component:
    """An explanation in small muted text."""
    return rx.el.p(*text, class_name="text-xs text-muted-foreground")


def form_dialog(
    *content: Child,
    title: Text,
    submit: str,
    open: Flag,
    on_open_change: Any,
    on_submit: Handler,
    variant: Variant = "primary",
    disabled: Flag = False,
) -> rx.Component:
    """A dialog with a form, and Cancel and `submit` below it. `on_open_change` gets a bool."""
    return dialog(
        rx.el.form(
            *content,
            rx.el.div(
                button("Cancel", variant="ghost", on_click=on_open_change(False)),
                button(submit, variant=variant, submit=True, disabled=disabled),
                class_name="flex justify-end gap-2",
            ),
            on_submit=on_submit,
            no_validate=True,
            class_name="flex flex-col gap-4",
        ),
        title=title,
        open=open,
        on_open_change=on_open_change,
    )


def name_field(state: Any, **props: Any) -> rx.Component:
    """The name of a record. `props`: of the text field."""
    return field(
        "Name",
        text_input(name="name", value=state.name, on_change=state.type_name, limit=MAX_NAME, **props),
        error=problem_of(state, "name"),
        required=True,
    )


def description_field(state: Any, hint: str | None = None, disabled: Flag = False) -> rx.Component:
    """The description of a record."""
    return field(
        "Description",
        textarea(name="description", value=state.description, on_change=state.type_description, disabled=disabled),
        hint=hint,
        error=problem_of(state, "description"),
    )


def edit_dialogs(state: Any, noun: str, purpose: str, hint: str | None = None) -> rx.Component:
    """The dialogs that edit and delete a record, closed until asked for.

    Args:
        state: mixes in `EditDialogs`.
        noun: "dataset".
        purpose: what typing the name does: "delete it".
        hint: what to write as description.
    """
    edit = form_dialog(
        name_field(state),
        description_field(state, hint),
        general_problem(problem_of(state, "")),
        title=f"Edit {noun}",
        submit="Save",
        open=state.editing,
        on_open_change=state.show_edit,
        on_submit=state.save,
    )
    typed_name = field(
        "Type " + state.title + f" to {purpose}",
        text_input(name="typed", value=state.typed, on_change=state.type_title, auto_complete="off"),
        error=problem_of(state, "typed"),
    )
    delete = form_dialog(
        rx.el.ul(
            rx.foreach(state.consequences, rx.el.li),
            class_name="flex list-disc flex-col gap-1 pl-5 text-sm text-muted-foreground",
        ),
        rx.cond(state.blocked != "", general_problem(state.blocked), typed_name),
        title="Delete " + state.title + "?",
        submit=f"Delete {noun}",
        variant="danger",
        disabled=(state.blocked != "") | ~state.confirmed,
        open=state.deleting,
        on_open_change=state.show_delete,
        on_submit=state.delete,
    )
    return rx.fragment(edit, delete)
