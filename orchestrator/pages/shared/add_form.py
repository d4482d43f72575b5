"""What the pages that add a dataset and a model share: the uploader, the Hub's fields, and the buttons."""

from typing import Any

import reflex as rx

from orchestrator.pages.shared.forms import general_problem, problem_of
from orchestrator.pages.shared.hub_size import hub_button_label
from orchestrator.ui.primitives.alert_dialog import alert_dialog
from orchestrator.ui.primitives.button import button
from orchestrator.ui.primitives.field import field
from orchestrator.ui.primitives.input import input as text_input
from orchestrator.ui.uploader.uploader import uploader


def uploaded_files(state: Any, **props: Any) -> rx.Component:
    """The uploader with the problem of its files below. `props`: of the uploader."""
    problem = problem_of(state, "files")
    return rx.el.div(
        uploader(
            state.target,
            invalid=problem != "",
            on_pick=state.pick,
            on_done=state.finish,
            on_cancel=state.cancel,
            **props,
        ),
        rx.el.div(general_problem(problem), class_name="mt-3 empty:hidden"),
    )


def hub_id(state: Any, label: str, placeholder: str, hint: str) -> rx.Component:
    """The repository on the Hub."""
    return field(
        label,
        text_input(
            name="repo",
            value=state.repo,
            on_change=state.type_repo,
            placeholder=placeholder,
            mono=True,
            spell_check=False,
            auto_complete="off",
        ),
        hint=hint,
        error=problem_of(state, "repo"),
        required=True,
    )


def revision(state: Any) -> rx.Component:
    """The revision of the repository."""
    return field(
        "Revision",
        text_input(name="revision", value=state.revision, on_change=state.type_revision, mono=True),
        hint="A branch, tag or commit; empty for the newest. It is pinned to its commit.",
        error=problem_of(state, "revision"),
    )


def form_foot(state: Any, noun: str) -> rx.Component:
    """The problem of the whole form, and its two buttons."""
    started = state.target != ""
    incomplete = problem_of(state, "files") != ""  # all chosen files have arrived, but others are missing
    uploading = started & ~incomplete
    cancel = button("Cancel", variant="ghost", on_click=state.close)
    confirm_cancel = alert_dialog(
        title="Cancel this upload?",
        description="The files that have arrived are deleted from the server.",
        confirm="Cancel upload",
        cancel="Keep uploading",
        on_confirm=state.close,
        opener=button("Cancel", variant="ghost"),
    )
    return rx.fragment(
        general_problem(problem_of(state, "")),
        rx.el.div(
            rx.cond(started & ~state.interrupted, confirm_cancel, cancel),
            button(
                hub_button_label(state, rx.cond(state.into > 0, "Add files", f"Add {noun}")),
                variant="primary",
                submit=True,
                loading=(uploading & ~state.interrupted) | state.asking,
                disabled=uploading | state.asking,
            ),
            class_name="sticky bottom-0 z-20 -mx-2 flex items-center justify-end gap-2 border-t border-border "
            "bg-background px-2 py-3",
        ),
    )
