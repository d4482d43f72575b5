"""Beside "Try again" on what could not be fetched from the Hub: the stored token that opens a gated or private place."""

from typing import Any

import reflex as rx

from orchestrator.ui.primitives.link import link
from orchestrator.ui.primitives.select import select


def stored_token(state: Any) -> rx.Component:
    """`state` mixes in `StoredToken`; where no token is kept yet, the way to the settings."""
    choice = select(
        state.stored_tokens, value=state.stored, on_change=state.choose_stored, label="Stored token", quiet=True
    )
    keep = link("Keep a Hub token in the settings", href="/settings", class_name="self-center text-sm")
    return rx.cond(state.stored_tokens.length() > 0, choice, keep)
