"""Settings: profile, password, appearance, notifications, signed-in browsers, API tokens, stored credentials."""

import reflex as rx

from orchestrator.pages.settings.access import browsers, tokens
from orchestrator.pages.settings.account import appearance, confirm_dialog, password, profile
from orchestrator.pages.settings.administration import administration
from orchestrator.pages.settings.credentials import stored_credentials
from orchestrator.pages.settings.notifications import notifications
from orchestrator.pages.shared.frame import frame
from orchestrator.states.settings.index import SettingsState as State
from orchestrator.ui.layout.shell import page_header
from orchestrator.ui.primitives.skeleton import loading, skeleton


def _skeleton() -> rx.Component:
    return loading(
        *[skeleton("h-64 rounded-xl") for _ in range(4)],
        class_name="grid gap-4 lg:grid-cols-2",
    )


def _full() -> rx.Component:
    return rx.el.div(
        rx.el.div(profile(), notifications(), browsers(), class_name="flex min-w-0 flex-col gap-4"),
        rx.el.div(
            password(),
            tokens(),
            stored_credentials(),
            appearance(),
            administration(),
            class_name="flex min-w-0 flex-col gap-4",
        ),
        class_name="grid items-start gap-4 lg:grid-cols-2",
    )


def index() -> rx.Component:
    """The user's account."""
    note = rx.cond(State.loaded, f"{State.standing} since {State.since}", "\u00a0")
    return frame(
        page_header("Settings", note=note),
        rx.cond(State.loaded, _full(), _skeleton()),
        confirm_dialog(),
        title="Settings",
        active="settings",
    )
