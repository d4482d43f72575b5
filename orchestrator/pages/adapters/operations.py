"""Merging, registering and pushing on a version's page: the card with their progress, and the dialog of a push."""

from typing import Any

import reflex as rx

from orchestrator.pages.shared.forms import form_dialog, general_problem, problem_of
from orchestrator.pages.shared.hub_size import stored_token_field
from orchestrator.states.adapters.detail import AdapterDetailState
from orchestrator.states.adapters.operations import AdapterOperationsState, OperationLine
from orchestrator.ui.patterns.relative_time import relative_time
from orchestrator.ui.primitives.button import button
from orchestrator.ui.primitives.card import card
from orchestrator.ui.primitives.choice import checkbox
from orchestrator.ui.primitives.field import field
from orchestrator.ui.primitives.input import input as text_input
from orchestrator.ui.primitives.status_chip import status_chip

State = AdapterOperationsState


def _line(line: rx.Var[OperationLine]) -> rx.Component:
    note = rx.cond(line.note != "", rx.el.p(line.note, class_name="text-xs text-muted-foreground"), rx.fragment())
    address = rx.cond(
        line.url != "",
        rx.el.a(
            line.url,
            href=line.url,
            target="_blank",
            rel="noreferrer",
            class_name="link-muted block truncate text-xs",
        ),
        rx.fragment(),
    )
    return rx.el.li(
        rx.el.div(rx.el.p(line.title, class_name="text-sm break-words"), note, address, class_name="min-w-0 flex-1"),
        relative_time(line.made_at, class_name="shrink-0 text-xs text-muted-foreground"),
        status_chip(line.status),
        class_name="flex flex-wrap items-start gap-3 border-t border-border py-3 first:border-t-0 first:pt-0 last:pb-0",
        key=line.id,
    )


def operations_card() -> rx.Component:
    """The merges and pushes of this version, and the buttons that start them."""
    version: Any = AdapterDetailState.card
    register = button("Add to models", size="sm", icon="boxes", on_click=State.register, id="adapter-register")
    merged = rx.fragment(
        button(
            "Download merged",
            size="sm",
            icon="download",
            href=f"/api/v1/adapters/{version.id}/merged",
            download=True,
        ),
        register,
    )
    merge = button("Merge", size="sm", icon="merge", on_click=State.merge, disabled=State.busy, id="adapter-merge")
    push = button(
        "Push to Hub",
        size="sm",
        icon="upload",
        on_click=State.show_push(True),
        disabled=State.busy,
        id="adapter-push",
    )
    empty = rx.el.p(
        "Merging writes base and adapter as one bf16 model, which transformers loads without this adapter. "
        "Pushing sends this version to the Hugging Face Hub.",
        class_name="text-sm text-muted-foreground",
    )
    return card(
        rx.el.div(
            rx.cond(version.full_model, register, rx.cond(State.merged, merged, merge)),
            push,
            class_name="mb-4 flex flex-wrap gap-2",
        ),
        rx.cond(State.lines.length() > 0, rx.el.ul(rx.foreach(State.lines, _line)), empty),
        title="Merge and push",
        id="adapter-works",
    )


def push_dialog() -> rx.Component:
    """The repository, the token, and who may see it."""
    merged = checkbox(
        "Push the merged model instead of the adapter", checked=State.push_merged, on_change=State.choose_merged
    )
    return form_dialog(
        field(
            "Repository",
            text_input(name="repo", value=State.repo, on_change=State.type_repo, placeholder="your-name/demo-motion"),
            hint="Created if it does not exist; else this version becomes its next commit.",
            error=problem_of(State, "repo"),
            required=True,
        ),
        field(
            "Hub token",
            text_input(name="token", type="password", auto_complete="off"),
            hint="With write access. It is stored encrypted until the push has ended, then deleted.",
            error=problem_of(State, "token"),
        ),
        stored_token_field(State, "Used if none is typed above."),
        checkbox("Private: only you can see it", checked=State.private, on_change=State.choose_private),
        rx.cond(State.merged, merged, rx.fragment()),
        general_problem(problem_of(State, "")),
        title="Push to the Hugging Face Hub",
        submit="Push",
        open=State.pushing,
        on_open_change=State.show_push,
        on_submit=State.push,
    )
