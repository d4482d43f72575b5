"""The card of stored credentials: cloud keys and Hub tokens by name, never their secrets."""

import reflex as rx

from orchestrator.pages.settings.rows import delete_button, last_used, settings_list, settings_row
from orchestrator.states.settings.index import CredentialLine
from orchestrator.states.settings.index import SettingsState as State
from orchestrator.ui.primitives.badge import tag
from orchestrator.ui.primitives.button import button
from orchestrator.ui.primitives.card import card
from orchestrator.ui.primitives.field import field
from orchestrator.ui.primitives.input import input, password_input


def _line(line: rx.Var[CredentialLine]) -> rx.Component:
    return settings_row(
        line.id,
        "lock",
        line.name,
        [rx.el.span(line.hint, class_name="font-mono"), ", ", last_used(line.used)],
        tag(line.kind),
        delete_button(
            "credentials",
            line.name,
            "What was fetched with them stays; fetching it again needs others.",
            State.delete_credential(line.id),
        ),
    )


def _hub_token() -> rx.Component:
    return rx.el.form(
        rx.el.div(
            field(
                "Save it as",
                input(name="name", placeholder="My Hub token", max_length=80, auto_complete="off"),
                error=State.credential_problems["credential_name"],
                control_id="credential-name",
            ),
            field(
                "Hugging Face token",
                password_input(name="token", auto_complete="new-password"),
                error=State.credential_problems["token"],
                control_id="hub-token",
            ),
            class_name="grid gap-4 sm:grid-cols-2",
        ),
        rx.el.div(
            rx.el.p(
                "A token of the same name is replaced. Cloud keys are added with a dataset.",
                class_name="min-w-0 flex-1 text-xs text-muted-foreground",
            ),
            button("Save token", icon="plus", submit=True),
            class_name="flex items-center gap-3",
        ),
        key=State.credential_round.to_string(),
        on_submit=State.save_hub_token,
        no_validate=True,
        class_name="flex flex-col gap-4",
    )


def stored_credentials() -> rx.Component:
    """Stored encrypted, and given only to the worker that fetches with them."""
    return card(
        _hub_token(),
        settings_list(State.credentials, _line, "No credentials yet."),
        title="Stored credentials",
        body_class="flex flex-col gap-4",
    )
