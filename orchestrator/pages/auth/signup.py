"""The sign-up page."""

import reflex as rx

from orchestrator.states.signup import SignupState
from orchestrator.ui.layout.auth import auth_layout
from orchestrator.ui.primitives.button import button
from orchestrator.ui.primitives.field import field
from orchestrator.ui.primitives.input import input, password_input
from orchestrator.ui.primitives.link import link
from orchestrator.ui.primitives.notice import notice

_TYPED_PASSWORD = rx.Var("document.querySelector('input[name=password]')?.value ?? ''").to(str)
"""Read in the browser at that moment, so that the first password is never kept in a state."""


def _bar(step: int) -> rx.Component:
    tone = rx.match(
        SignupState.score,
        (1, "bg-destructive"),
        (2, "bg-warning"),
        (3, "bg-info"),
        (4, "bg-success"),
        "bg-destructive",
    )
    return rx.el.span(class_name="h-1 flex-1 rounded-full " + rx.cond(SignupState.score >= step, tone, "bg-muted"))


def strength_meter() -> rx.Component:
    """Four bars, a word and a hint; always there, so that typing never moves the form."""
    words = rx.cond(SignupState.hint, f"{SignupState.strength}. {SignupState.hint}", SignupState.strength)
    return rx.el.div(
        rx.el.div(*[_bar(step) for step in (1, 2, 3, 4)], class_name="flex gap-1", aria_hidden=True),
        rx.el.p(
            rx.cond(SignupState.strength, words, "At least 10 characters; three or four unrelated words work well."),
            aria_live="polite",
            class_name="text-xs text-muted-foreground",
            custom_attrs={"data-testid": "strength"},
        ),
        class_name="flex flex-col gap-1.5",
    )


def _form() -> rx.Component:
    problems = SignupState.problems
    return rx.el.form(
        rx.cond(SignupState.problem, notice(SignupState.problem)),
        field(
            "Username",
            input(
                name="username",
                size="lg",
                auto_complete="username",
                auto_focus=True,
                spell_check=False,
                max_length=32,
                on_blur=lambda text: SignupState.leave("username", text),
            ),
            error=problems["username"],
            control_id="username",
        ),
        field(
            "Email",
            input(
                name="email",
                type="email",
                size="lg",
                auto_complete="email",
                max_length=254,
                on_blur=lambda text: SignupState.leave("email", text),
            ),
            error=problems["email"],
            control_id="email",
        ),
        rx.el.div(
            field(
                "Password",
                password_input(
                    size="lg",
                    auto_complete="new-password",
                    on_change=SignupState.weigh,
                    on_blur=lambda text: SignupState.leave("password", text),
                ),
                error=problems["password"],
                control_id="password",
            ),
            strength_meter(),
            class_name="flex flex-col gap-2",
        ),
        field(
            "Confirm password",
            password_input(
                name="confirmation",
                size="lg",
                auto_complete="new-password",
                on_blur=lambda text: SignupState.leave_confirmation(text, _TYPED_PASSWORD),
            ),
            error=problems["confirmation"],
            control_id="confirmation",
        ),
        button("Sign up", variant="primary", size="lg", submit=True, loading=SignupState.busy, class_name="w-full"),
        on_submit=SignupState.submit,
        no_validate=True,
        class_name="flex flex-col gap-5",
    )


def signup() -> rx.Component:
    """Create an account."""
    return auth_layout(
        "Create your account",
        "on this studio. The first account administers it.",
        _form(),
        rx.el.p(
            "Have an account? ",
            link("Log in", href="/login", class_name="font-medium text-foreground"),
            class_name="mt-8 text-sm text-muted-foreground",
        ),
        foot="Your password is kept as an argon2id hash on this machine.",
    )
