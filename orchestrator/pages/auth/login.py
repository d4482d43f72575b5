"""The login page."""

import reflex as rx

from orchestrator.pages.landing.recorded import quiet_curve
from orchestrator.states.auth.login import NO_LOGIN, NO_PASSWORD, LoginState
from orchestrator.ui.layout.auth import auth_layout
from orchestrator.ui.patterns.offline_notice import offline_notice
from orchestrator.ui.primitives.button import button
from orchestrator.ui.primitives.checked_field import checked_field
from orchestrator.ui.primitives.input import input, password_input
from orchestrator.ui.primitives.link import link
from orchestrator.ui.primitives.notice import notice


def _form() -> rx.Component:
    return rx.el.form(
        offline_notice(),
        rx.cond(LoginState.problem, notice(LoginState.problem), rx.fragment()),
        checked_field(
            "Email or username",
            input(
                name="login",
                size="lg",
                auto_complete="username",
                auto_focus=True,
                spell_check=False,
                on_blur=LoginState.leave_login,
            ),
            error=LoginState.login_problem,
            empty=NO_LOGIN,
            control_id="login",
        ),
        checked_field(
            "Password",
            password_input(size="lg", on_blur=LoginState.leave_password),
            error=LoginState.password_problem,
            empty=NO_PASSWORD,
            control_id="password",
        ),
        rx.el.label(
            rx.el.input(type="checkbox", name="remember", default_checked=True, class_name="size-4 accent-primary"),
            "Keep me logged in for 30 days",
            class_name="flex items-center gap-2.5 text-sm touch:min-h-11",
        ),
        button("Log in", variant="primary", size="lg", submit=True, loading=LoginState.busy, class_name="w-full"),
        on_submit=LoginState.submit,
        no_validate=True,
        class_name="flex flex-col gap-5",
    )


def login() -> rx.Component:
    """Log in by username or email."""
    return auth_layout(
        "Log in",
        rx.el.span(
            "to the studio on ", rx.el.span(LoginState.host, class_name="text-foreground"), class_name="block min-h-5"
        ),
        _form(),
        rx.el.p(
            "No account yet? ",
            link("Sign up", href=LoginState.signup_address, class_name="font-medium text-foreground"),
            class_name="mt-8 text-sm text-muted-foreground",
        ),
        front=quiet_curve(),
        foot="Your password is checked on this machine only. Nothing leaves it.",
    )
