"""The button that asks how large something on the Hub is, and its answer beside it."""

from typing import Any

import reflex as rx

from orchestrator.states.hub_look import HubLook as State
from orchestrator.ui.primitives.button import button


def hub_size(kind: str, repo: Any, revision: Any, token: Any, credential: Any) -> rx.Component:
    """`kind`: model or dataset; the rest are vars of the form."""
    return rx.el.div(
        button(
            "Look up its size",
            icon="search",
            size="sm",
            loading=State.asking,
            disabled=State.asking | (repo == ""),
            on_click=State.look(kind, repo, revision, token, credential),
        ),
        rx.el.p(
            rx.cond(State.problem != "", State.problem, State.said),
            aria_live="polite",
            class_name=rx.cond(State.problem != "", "text-sm text-destructive", "text-sm text-muted-foreground"),
        ),
        class_name="flex flex-wrap items-center gap-3",
    )
