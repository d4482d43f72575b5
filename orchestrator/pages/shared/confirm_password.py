"""The dialog that asks for the password before a change that a stolen session must not make."""

from typing import Any

import reflex as rx

from orchestrator.pages.shared.forms import form_dialog
from orchestrator.ui.primitives.field import field
from orchestrator.ui.primitives.input import password_input


def confirm_password_dialog(state: Any, *before: rx.Component, hint: str = "") -> rx.Component:
    """`state` has `confirming`, `confirm_problem`, `show_confirm` and `confirm`; `before` stands above the field."""
    return form_dialog(
        *before,
        field(
            "Your password",
            password_input(name="confirm_password", auto_complete="current-password"),
            error=state.confirm_problem,
            hint=hint,
            control_id="confirm_password",
        ),
        title="Confirm it is you",
        submit="Confirm",
        open=state.confirming,
        on_open_change=state.show_confirm,
        on_submit=state.confirm,
    )
