"""The sign-up page."""

import reflex as rx

from orchestrator.pages.shared.recorded_run import background_curve
from orchestrator.states.auth.signup import MISMATCH, SignupState
from orchestrator.ui.layout.auth import auth_form, auth_layout, other_form
from orchestrator.ui.primitives.checked_field import checked_field
from orchestrator.ui.primitives.input import input, password_input

_USERNAME = r"[A-Za-z0-9_.\-]{3,32}"
_EMAIL = r"[^\s@]+@[^\s@.]+(\.[^\s@.]+)*"
"""What the browser checks; the server checks it again."""


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
    """Four bars, a word and a hint; always shown, so that typing does not move the form."""
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
    return auth_form(
        checked_field(
            "Username",
            input(
                name="username",
                size="lg",
                auto_complete="username",
                auto_focus=True,
                spell_check=False,
                max_length=32,
                on_blur=lambda text: SignupState.check_field("username", text),
            ),
            error=problems["username"],
            empty="Choose a username.",
            pattern=_USERNAME,
            wrong="A username has 3 to 32 letters, digits, dots, dashes or underscores.",
            control_id="username",
        ),
        checked_field(
            "Email",
            input(
                name="email",
                type="email",
                size="lg",
                auto_complete="email",
                max_length=254,
                on_blur=lambda text: SignupState.check_field("email", text),
            ),
            error=problems["email"],
            empty="Enter your email.",
            pattern=_EMAIL,
            wrong="Enter a full email address, like name@example.org.",
            control_id="email",
        ),
        rx.el.div(
            checked_field(
                "Password",
                password_input(
                    size="lg",
                    auto_complete="new-password",
                    on_change=SignupState.rate_password,
                    on_blur=lambda text: SignupState.check_field("password", text),
                ),
                error=problems["password"],
                empty="Choose a password.",
                control_id="password",
            ),
            strength_meter(),
            class_name="flex flex-col gap-2",
        ),
        checked_field(
            "Confirm password",
            password_input(name="confirmation", size="lg", auto_complete="new-password"),
            error=problems["confirmation"],
            empty="Type the password once more.",
            same_as="password",
            differs=MISMATCH,
            control_id="confirmation",
        ),
        problem=SignupState.problem,
        submit="Sign up",
        busy=SignupState.busy,
        on_submit=SignupState.submit,
    )


def signup() -> rx.Component:
    """Create an account."""
    return auth_layout(
        "Create your account",
        "on this studio. The first account administers it.",
        _form(),
        other_form("Have an account?", "Log in", SignupState.login_address),
        front=background_curve(),
        foot="Your password is stored as an argon2id hash on this machine.",
    )
