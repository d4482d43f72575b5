"""The cards about the account: profile, password, theme."""

import reflex as rx

from orchestrator.pages.shared.confirm_password import confirm_password_dialog
from orchestrator.states.settings.index import SettingsState as State
from orchestrator.ui.layout.theme_toggle import theme_choice
from orchestrator.ui.primitives.button import button
from orchestrator.ui.primitives.card import card
from orchestrator.ui.primitives.field import field
from orchestrator.ui.primitives.input import input, password_input

_FORM = "flex flex-col gap-4"


def _foot(word: str) -> rx.Component:
    return rx.el.div(button(word, variant="outline", submit=True), class_name="flex justify-end")


def profile() -> rx.Component:
    """Username and email; the shell shows a change at once."""
    problems = State.profile_problems
    form = rx.el.form(
        field(
            "Username",
            input(
                name="username",
                default_value=State.username,
                auto_complete="username",
                max_length=32,
                spell_check=False,
            ),
            error=problems["username"],
            hint="3 to 32 letters, digits, dots, dashes or underscores.",
            control_id="username",
        ),
        field(
            "Email",
            input(name="email", type="email", default_value=State.email, auto_complete="email", max_length=254),
            error=problems["email"],
            control_id="email",
        ),
        _foot("Save profile"),
        key=State.profile_round.to_string(),
        on_submit=State.save_profile,
        no_validate=True,
        class_name=_FORM,
    )
    return card(form, title="Profile")


def confirm_dialog() -> rx.Component:
    """Asks for the current password before a change that a stolen session must not make."""
    return confirm_password_dialog(State, hint="Changes of the profile and of tokens are confirmed with it.")


def password() -> rx.Component:
    """The current password, then the new one twice."""
    problems = State.password_problems

    def line(label: str, name: str, complete: str, hint: str | None = None) -> rx.Component:
        control = password_input(name=name, auto_complete=complete)  # type: ignore[arg-type]
        return field(label, control, error=problems[name], hint=hint, control_id=name)

    form = rx.el.form(
        line("Current password", "current", "current-password"),
        line("New password", "new", "new-password", "At least 10 characters; three or four unrelated words work well."),
        line("Confirm new password", "confirmation", "new-password"),
        _foot("Change password"),
        key=State.password_round.to_string(),
        on_submit=State.change_password,
        no_validate=True,
        class_name=_FORM,
    )
    return card(form, title="Password", note="other browsers are signed out")


def appearance() -> rx.Component:
    """Light, dark, or as the system; stored in this browser."""
    return card(theme_choice(), title="Appearance", note="stored in this browser")
