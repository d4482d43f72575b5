"""The cards about access: signed-in browsers and API tokens."""

import reflex as rx

from orchestrator.pages.settings.rows import delete_button, last_used, settings_list, settings_row
from orchestrator.states.settings.index import BrowserLine, TokenLine
from orchestrator.states.settings.index import SettingsState as State
from orchestrator.ui.patterns.relative_time import relative_time
from orchestrator.ui.primitives.badge import badge, tag
from orchestrator.ui.primitives.button import button
from orchestrator.ui.primitives.card import card
from orchestrator.ui.primitives.field import field
from orchestrator.ui.primitives.input import input
from orchestrator.ui.primitives.select import select
from orchestrator.ui.primitives.values import copy_text


def _browser(line: rx.Var[BrowserLine]) -> rx.Component:
    details = ["Last seen ", relative_time(line.last_seen), ", ", rx.el.span(line.ip, class_name="font-mono")]
    this_one = rx.cond(line.current, badge("This browser", tone="success"), rx.fragment())
    return settings_row(line.id, "monitor", line.description, details, this_one)


def browsers() -> rx.Component:
    """The browsers where the user is signed in."""
    others = State.browsers.length() > 1
    return card(
        rx.el.ul(rx.foreach(State.browsers, _browser)),
        title="Active sessions",
        note=State.browsers.length(),
        actions=rx.cond(
            others,
            button("Sign out the others", icon="log-out", size="sm", on_click=State.sign_out_others),
            rx.fragment(),
        ),
    )


def _token(line: rx.Var[TokenLine]) -> rx.Component:
    return settings_row(
        line.id,
        "key-round",
        line.name,
        ["Created ", relative_time(line.created), ", ", last_used(line.used)],
        tag(line.scopes),
        delete_button("token", line.name, "Scripts that use it are refused from then on.", State.delete_token(line.id)),
    )


def _new_token() -> rx.Component:
    """The new token, which is shown once."""
    return rx.el.div(
        rx.el.p("Copy the token now. It is not shown again.", class_name="text-sm font-medium"),
        copy_text(
            State.new_token, label="Copy token", shown=State.new_token, class_name="max-w-full break-all text-left"
        ),
        rx.el.div(button("I have copied it", size="sm", on_click=State.hide_token)),
        role="status",
        custom_attrs={"data-testid": "new-token"},
        class_name="flex flex-col items-start gap-3 rounded-lg border border-success/40 bg-success/8 p-4",
    )


def tokens() -> rx.Component:
    """Bearer tokens for the REST API."""
    form = rx.el.form(
        field(
            "Name",
            input(name="name", placeholder="nightly-script", max_length=80, auto_complete="off"),
            error=State.token_problems["name"],
            control_id="token-name",
            class_name="flex-1",
        ),
        field(
            "Access",
            select(
                [
                    ("write", "Read and change everything"),
                    ("read", "Only read"),
                    ("infer", "Only ask models, for a chat front end"),
                ],
                default_value="write",
                name="access",
            ),
            error=State.token_problems["scopes"],
            control_id="token-access",
        ),
        rx.el.div(button("Create token", icon="plus", submit=True), class_name="flex justify-end"),
        key=State.token_round.to_string(),
        on_submit=State.create_token,
        no_validate=True,
        class_name="flex flex-col gap-4",
    )
    return card(
        rx.el.p(
            "A script sends it as ",
            rx.el.code("Authorization: Bearer lrl_\u2026", class_name="font-mono text-xs text-foreground"),
            " to the ",
            rx.el.a("REST API", href="/api/docs", class_name="link-muted text-foreground"),
            ".",
            class_name="text-sm text-muted-foreground",
        ),
        form,
        rx.cond(State.new_token, _new_token(), rx.fragment()),
        settings_list(State.tokens, _token, "No tokens yet."),
        title="API tokens",
        body_class="flex flex-col gap-4",
    )
