"""Merging, registering and pushing on a version's page: the card that tells of them, and the dialog of a push."""

from typing import Any

import reflex as rx

from orchestrator.pages.shared.forms import general_problem
from orchestrator.states.adapters.detail import AdapterDetailState
from orchestrator.states.adapters.operations import AdapterWorks, WorkLine
from orchestrator.ui.patterns.relative_time import relative_time
from orchestrator.ui.primitives.button import button
from orchestrator.ui.primitives.card import card
from orchestrator.ui.primitives.choice import checkbox
from orchestrator.ui.primitives.dialog import dialog
from orchestrator.ui.primitives.field import field
from orchestrator.ui.primitives.input import input as text_input
from orchestrator.ui.primitives.select import select
from orchestrator.ui.primitives.status_chip import status_chip

State = AdapterWorks


def _problem(name: str) -> Any:
    return State.problems.get(name, "")


def _line(line: rx.Var[WorkLine]) -> rx.Component:
    note = rx.cond(line.note != "", rx.el.p(line.note, class_name="text-xs text-muted-foreground"), rx.fragment())
    address = rx.cond(
        line.url != "",
        rx.el.a(
            line.url,
            href=line.url,
            target="_blank",
            rel="noreferrer",
            class_name="link-quiet block truncate text-xs",
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


def works_card() -> rx.Component:
    """What was merged and pushed, and the buttons for more."""
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
        "Merging writes base and adapter as one bf16 model that transformers loads alone. "
        "Pushing sends this version to the Hugging Face Hub.",
        class_name="text-sm text-muted-foreground",
    )
    return card(
        rx.el.div(
            rx.cond(version.whole, register, rx.cond(State.merged, merged, merge)),
            push,
            class_name="mb-4 flex flex-wrap gap-2",
        ),
        rx.cond(State.lines.length() > 0, rx.el.ul(rx.foreach(State.lines, _line)), empty),
        title="Merge and push",
        id="adapter-works",
    )


def push_dialog() -> rx.Component:
    """Where to, with whose token, and who may see it."""
    whole = checkbox("Send the merged model instead of the adapter", checked=State.whole, on_change=State.choose_whole)
    return dialog(
        rx.el.form(
            field(
                "Repository",
                text_input(
                    name="repo", value=State.repo, on_change=State.type_repo, placeholder="your-name/demo-motion"
                ),
                hint="Made if it is not there; else this version becomes its next commit.",
                error=_problem("repo"),
                required=True,
            ),
            field(
                "Hub token",
                text_input(name="token", type="password", auto_complete="off"),
                hint="One that may write. It is kept encrypted until the push is over, then forgotten.",
                error=_problem("token"),
            ),
            rx.cond(
                State.stored_tokens.length() > 0,
                field(
                    "Stored token",
                    select(
                        State.stored_tokens,
                        value=State.stored,
                        on_change=State.choose_stored,
                        label="Stored token",
                    ),
                    hint="Taken where none is typed above.",
                    error=_problem("credential_id"),
                ),
                rx.fragment(),
            ),
            checkbox("Private: only you can see it", checked=State.private, on_change=State.choose_private),
            rx.cond(State.merged, whole, rx.fragment()),
            general_problem(_problem("")),
            rx.el.div(
                button("Cancel", variant="ghost", on_click=State.show_push(False)),
                button("Push", variant="primary", submit=True),
                class_name="flex justify-end gap-2",
            ),
            on_submit=State.push,
            no_validate=True,
            class_name="flex flex-col gap-4",
        ),
        title="Push to the Hugging Face Hub",
        open=State.pushing,
        on_open_change=State.show_push,
    )
