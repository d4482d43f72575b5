"""What the pages that add a dataset and a model have in common: where files come from, and the foot of the form."""

from typing import Any

import reflex as rx

from orchestrator.pages.shared.forms import general_problem
from orchestrator.pages.shared.hub_size import hub_word
from orchestrator.ui.primitives.alert_dialog import alert_dialog
from orchestrator.ui.primitives.button import button
from orchestrator.ui.primitives.field import field
from orchestrator.ui.primitives.input import input as text_input
from orchestrator.ui.uploader.uploader import uploader


def sent_files(state: Any, **looks: Any) -> rx.Component:
    """The uploader with the refusal of its files below. `looks`: what the uploader says and takes."""
    problem = state.problems.get("files", "")
    return rx.el.div(
        uploader(
            state.target,
            invalid=problem != "",
            on_pick=state.pick,
            on_done=state.arrived,
            on_cancel=state.call_off,
            **looks,
        ),
        rx.el.div(general_problem(problem), class_name="mt-3 empty:hidden"),
    )


def hub_id(state: Any, label: str, placeholder: str, hint: str) -> rx.Component:
    """Which repository of the Hub."""
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
        error=state.problems.get("repo", ""),
        required=True,
    )


def revision(state: Any) -> rx.Component:
    """Which state of that repository."""
    return field(
        "Revision",
        text_input(name="revision", value=state.revision, on_change=state.type_revision, mono=True),
        hint="A branch, tag or commit; empty for the newest. It is pinned to its commit.",
        error=state.problems.get("revision", ""),
    )


def foot(state: Any, noun: str) -> rx.Component:
    """What is wrong with the whole form, and its two buttons."""
    sent = state.target != ""
    lacks = state.problems.get("files", "") != ""  # all that was chosen has arrived, and something is missing
    sending = sent & ~lacks
    cancel = button("Cancel", variant="ghost", on_click=state.leave)
    call_off = alert_dialog(
        title="Cancel this upload?",
        description="What has arrived of it is deleted from the server.",
        confirm="Cancel upload",
        cancel="Go on",
        on_confirm=state.leave,
        opener=button("Cancel", variant="ghost"),
    )
    return rx.fragment(
        general_problem(state.problems.get("", "")),
        rx.el.div(
            rx.cond(sent & ~state.broken_off, call_off, cancel),
            button(
                hub_word(state, rx.cond(state.into > 0, "Add files", f"Add {noun}")),
                variant="primary",
                submit=True,
                loading=(sending & ~state.broken_off) | state.asking,
                disabled=sending | state.asking,
            ),
            class_name="flex items-center justify-end gap-2",
        ),
    )
