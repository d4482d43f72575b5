"""The size of what would be fetched from the Hub, shown before it is; the form's button then fetches it."""

from typing import Any

import reflex as rx

from orchestrator.pages.shared.forms import problem_of
from orchestrator.ui.primitives.field import field
from orchestrator.ui.primitives.icon import icon
from orchestrator.ui.primitives.link import link
from orchestrator.ui.primitives.select import select


def hub_size(state: Any) -> rx.Component:
    """The size, or that it is looked up first. `state` mixes in `HubConfirm`."""
    return rx.cond(
        state.hub_size != "",
        rx.el.div(
            icon("hard-drive-download", class_name="mt-0.5 shrink-0 text-info"),
            rx.el.div(
                rx.el.p(state.hub_size, " will be fetched", class_name="text-sm font-semibold tabular"),
                rx.el.p(state.hub_note, class_name="text-sm break-words text-muted-foreground"),
                class_name="min-w-0",
            ),
            role="status",
            class_name="flex gap-3 rounded-lg border border-info/45 bg-info/8 px-4 py-3",
        ),
        rx.el.p(
            "Its size is looked up first; nothing is fetched before you confirm.",
            class_name="text-xs text-muted-foreground",
        ),
    )


def hub_button_label(state: Any, otherwise: Any) -> Any:
    """The label of the form's button."""
    hub_label = rx.cond(state.hub_size != "", "Fetch " + state.hub_size.to(str), "Check size")
    return rx.cond(state.source == "hub", hub_label, otherwise)


def stored_token(state: Any) -> rx.Component:
    """A choice of stored tokens, or a link to the settings where there is none. `state` mixes in `StoredToken`."""
    choice = select(
        state.stored_tokens, value=state.stored, on_change=state.choose_stored, label="Stored token", muted=True
    )
    settings = link("Store a Hub token in the settings", href="/settings", class_name="self-center text-sm")
    return rx.cond(state.stored_tokens.length() > 0, choice, settings)


def stored_token_field(state: Any, hint: str | None = None) -> rx.Component:
    """The same choice as a field of a form; nothing where no token is stored."""
    choice = field(
        "Stored token",
        select(state.stored_tokens, value=state.stored, on_change=state.choose_stored, label="Stored token"),
        hint=hint,
        error=problem_of(state, "credential_id"),
    )
    return rx.cond(state.stored_tokens.length() > 0, choice, rx.fragment())
