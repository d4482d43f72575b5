"""The card for administrators: links to what concerns the studio and everyone in it."""

import reflex as rx

from orchestrator.states.shell.session import SessionState
from orchestrator.ui.primitives.button import button
from orchestrator.ui.primitives.card import card


def administration() -> rx.Component:
    """Only administrators see it."""
    links = rx.el.div(
        button("People", icon="users", href="/people"),
        button("Audit log", icon="scroll-text", href="/audit"),
        class_name="flex flex-wrap gap-2",
    )
    return rx.cond(SessionState.is_admin, card(links, title="Administration"), rx.fragment())
