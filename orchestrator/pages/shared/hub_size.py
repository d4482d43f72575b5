"""What would come from the Hub, said before anything does; the form's own button then fetches it."""

from typing import Any

import reflex as rx

from orchestrator.ui.primitives.icon import icon
from orchestrator.ui.primitives.link import link
from orchestrator.ui.primitives.select import select


def hub_size(state: Any) -> rx.Component:
    """`state`: one with the fields of HubConfirm."""
    return rx.cond(
        state.hub_size != "",
        rx.el.div(
            icon("hard-drive-download", class_name="mt-0.5 shrink-0 text-info"),
            rx.el.div(
                rx.el.p(state.hub_size, " will be fetched", class_name="text-sm font-semibold tabular"),
                rx.el.p(state.hub_said, class_name="text-sm break-words text-muted-foreground"),
                class_name="min-w-0",
            ),
            role="status",
            class_name="flex gap-3 rounded-lg border border-info/45 bg-info/8 px-4 py-3",
        ),
        rx.el.p(
            "First its size is looked up; nothing is fetched before you agree.",
            class_name="text-xs text-muted-foreground",
        ),
    )


def hub_word(state: Any, otherwise: Any) -> Any:
    """The words of the form's button."""
    asked = rx.cond(state.hub_size != "", "Fetch " + state.hub_size.to(str), "Look it up")
    return rx.cond(state.source == "hub", asked, otherwise)


def stored_token(state: Any) -> rx.Component:
    """`state` mixes in `StoredToken`; where no token is kept yet, the way to the settings."""
    choice = select(
        state.stored_tokens, value=state.stored, on_change=state.choose_stored, label="Stored token", quiet=True
    )
    keep = link("Keep a Hub token in the settings", href="/settings", class_name="self-center text-sm")
    return rx.cond(state.stored_tokens.length() > 0, choice, keep)
