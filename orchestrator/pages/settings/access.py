"""The cards of who may come in: signed-in browsers, tokens for scripts."""

import reflex as rx

from orchestrator.states.settings.index import BrowserLine, TokenLine
from orchestrator.states.settings.index import SettingsState as State
from orchestrator.ui.patterns.confirm_delete import confirm_delete
from orchestrator.ui.patterns.relative_time import relative_time
from orchestrator.ui.primitives.badge import badge, tag
from orchestrator.ui.primitives.button import button, icon_button
from orchestrator.ui.primitives.card import card
from orchestrator.ui.primitives.field import field
from orchestrator.ui.primitives.icon import icon
from orchestrator.ui.primitives.input import input
from orchestrator.ui.primitives.select import select
from orchestrator.ui.primitives.values import copy_text

_ROW = "flex items-center gap-3 border-t border-border py-3 first:border-t-0 first:pt-0 last:pb-0"
_SMALL = "text-xs text-muted-foreground"


def _browser(line: rx.Var[BrowserLine]) -> rx.Component:
    return rx.el.li(
        icon("monitor", class_name="text-muted-foreground"),
        rx.el.div(
            rx.el.p(line.what, class_name="truncate text-sm font-medium"),
            rx.el.p(
                "Last seen ",
                relative_time(line.seen),
                ", ",
                rx.el.span(line.ip, class_name="font-mono"),
                class_name=_SMALL,
            ),
            class_name="min-w-0 flex-1",
        ),
        rx.cond(line.current, badge("This browser", tone="success"), rx.fragment()),
        key=line.id,
        class_name=_ROW,
    )


def browsers() -> rx.Component:
    """Where one is signed in."""
    others = State.browsers.length() > 1
    return card(
        rx.el.ul(rx.foreach(State.browsers, _browser)),
        title="Signed-in browsers",
        note=State.browsers.length(),
        actions=rx.cond(
            others,
            button("Sign out the others", icon="log-out", size="sm", on_click=State.sign_out_others),
            rx.fragment(),
        ),
    )


def _token(line: rx.Var[TokenLine]) -> rx.Component:
    used = rx.cond(line.used, rx.fragment("last used ", relative_time(line.used)), "not used yet")
    return rx.el.li(
        icon("key-round", class_name="text-muted-foreground"),
        rx.el.div(
            rx.el.p(line.name, class_name="truncate text-sm font-medium"),
            rx.el.p("Made ", relative_time(line.made), ", ", used, class_name=_SMALL),
            class_name="min-w-0 flex-1",
        ),
        tag(line.scopes),
        confirm_delete(
            "Scripts that use it are refused from that moment on.",
            what="token",
            name=line.name,
            by_name=False,
            on_confirm=State.delete_token(line.id),
            opener=icon_button("trash-2", f"Delete token {line.name}"),
        ),
        key=line.id,
        class_name=_ROW,
    )


def _fresh() -> rx.Component:
    """The new token, this once."""
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
            "It may",
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
    none = rx.el.p("No tokens yet.", class_name="text-sm text-muted-foreground")
    return card(
        rx.el.p(
            "A script sends it as ",
            rx.el.code("Authorization: Bearer lrl_\u2026", class_name="font-mono text-xs text-foreground"),
            " to the ",
            rx.el.a("REST API", href="/api/docs", class_name="link-quiet text-foreground"),
            ".",
            class_name="text-sm text-muted-foreground",
        ),
        form,
        rx.cond(State.new_token, _fresh(), rx.fragment()),
        rx.cond(
            State.tokens.length() > 0,
            rx.el.ul(rx.foreach(State.tokens, _token), class_name="border-t border-border pt-4"),
            none,
        ),
        title="API tokens",
        body_class="flex flex-col gap-4",
    )
