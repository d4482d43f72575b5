"""The page behind a link for a new password."""

import reflex as rx

from orchestrator.pages.shared.recorded_run import background_curve
from orchestrator.states.auth.reset import ResetState
from orchestrator.ui.layout.auth import auth_form, auth_layout, other_form
from orchestrator.ui.primitives.field import field
from orchestrator.ui.primitives.input import password_input


def reset() -> rx.Component:
    """The new password, twice."""
    form = auth_form(
        field(
            "New password",
            password_input(size="lg", auto_complete="new-password"),
            error=ResetState.password_problem,
            hint="At least 10 characters; three or four unrelated words work well.",
            control_id="password",
        ),
        field(
            "Confirm new password",
            password_input(name="confirmation", size="lg", auto_complete="new-password"),
            error=ResetState.confirmation_problem,
            control_id="confirmation",
        ),
        problem=ResetState.problem,
        submit="Set password",
        busy=ResetState.busy,
        on_submit=ResetState.submit,
    )
    return auth_layout(
        "New password",
        "All browsers of the account are signed out; its API tokens stay.",
        form,
        other_form("You know your password?", "Log in", "/login"),
        front=background_curve(),
    )
