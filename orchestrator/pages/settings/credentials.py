"""The card of stored credentials: cloud keys and Hub tokens by name, never their secrets."""

import reflex as rx

from orchestrator.states.settings.index import CredentialLine
from orchestrator.states.settings.index import SettingsState as State
from orchestrator.ui.patterns.confirm_delete import confirm_delete
from orchestrator.ui.patterns.relative_time import relative_time
from orchestrator.ui.primitives.badge import tag
from orchestrator.ui.primitives.button import button, icon_button
from orchestrator.ui.primitives.card import card
from orchestrator.ui.primitives.field import field
from orchestrator.ui.primitives.icon import icon
from orchestrator.ui.primitives.input import input, password_input

_ROW = "flex items-center gap-3 border-t border-border py-3 first:border-t-0 first:pt-0 last:pb-0"


def _line(line: rx.Var[CredentialLine]) -> rx.Component:
    used = rx.cond(line.used, rx.fragment("last used ", relative_time(line.used)), "not used yet")
    return rx.el.li(
        icon("lock", class_name="text-muted-foreground"),
        rx.el.div(
            rx.el.p(line.name, class_name="truncate text-sm font-medium"),
            rx.el.p(
                rx.el.span(line.hint, class_name="font-mono"),
                ", ",
                used,
                class_name="truncate text-xs text-muted-foreground",
            ),
            class_name="min-w-0 flex-1",
        ),
        tag(line.kind),
        confirm_delete(
            "What was fetched with them stays; fetching it again will ask for others.",
            what="credentials",
            name=line.name,
            by_name=False,
            on_confirm=State.delete_credential(line.id),
            opener=icon_button("trash-2", f"Delete credentials {line.name}"),
        ),
        key=line.id,
        class_name=_ROW,
    )


def _hub_token() -> rx.Component:
    return rx.el.form(
        rx.el.div(
            field(
                "Keep it as",
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
            button("Keep token", icon="plus", submit=True),
            class_name="flex items-center gap-3",
        ),
        key=State.credential_round.to_string(),
        on_submit=State.save_hub_token,
        no_validate=True,
        class_name="flex flex-col gap-4",
    )


def stored_credentials() -> rx.Component:
    """Kept encrypted, lent to a fetching worker only."""
    return card(
        _hub_token(),
        rx.cond(
            State.credentials.length() > 0,
            rx.el.ul(rx.foreach(State.credentials, _line), class_name="border-t border-border pt-4"),
            rx.el.p("No credentials yet.", class_name="text-sm text-muted-foreground"),
        ),
        title="Stored credentials",
        body_class="flex flex-col gap-4",
    )
