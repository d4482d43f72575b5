"""The login page."""

import reflex as rx

from orchestrator.pages.shared.recorded_run import background_curve
from orchestrator.states.auth.login import NO_LOGIN, NO_PASSWORD, LoginState
from orchestrator.ui.layout.auth import auth_form, auth_layout, other_form
from orchestrator.ui.primitives.checked_field import checked_field
from orchestrator.ui.primitives.input import input, password_input


def _form() -> rx.Component:
    return auth_form(
        checked_field(
            "Email or username",
            input(
                name="login",
                size="lg",
                auto_complete="username",
                auto_focus=True,
                spell_check=False,
                on_blur=LoginState.check_login,
            ),
            error=LoginState.login_problem,
            empty=NO_LOGIN,
            control_id="login",
        ),
        checked_field(
            "Password",
            password_input(size="lg", on_blur=LoginState.check_password),
            error=LoginState.password_problem,
            empty=NO_PASSWORD,
            control_id="password",
        ),
        rx.el.label(
            rx.el.input(type="checkbox", name="remember", default_checked=True, class_name="size-4 accent-primary"),
            "Keep me logged in for 30 days",
            class_name="flex items-center gap-2.5 text-sm touch:min-h-11",
        ),
        problem=LoginState.problem,
        submit="Log in",
        busy=LoginState.busy,
        on_submit=LoginState.submit,
    )


def login() -> rx.Component:
    """Log in by username or email."""
    host = rx.el.span(LoginState.host, class_name="text-foreground")
    return auth_layout(
        "Log in",
        rx.el.span("to the studio on ", host, class_name="block min-h-5"),
        _form(),
        other_form("No account yet?", "Sign up", LoginState.signup_address),
        front=background_curve(),
        foot="Your password is checked on this machine only. Nothing leaves it.",
    )
