"""The page at `/people`: the accounts of the studio, for administrators."""

import reflex as rx

from orchestrator.pages.shared.confirm_password import confirm_password_dialog
from orchestrator.pages.shared.frame import frame
from orchestrator.pages.shared.list_toolbar import sort_select
from orchestrator.pages.shared.loading_states import list_content, paging_controls
from orchestrator.states.people.index import SORTS, PersonLine
from orchestrator.states.people.index import PeopleState as State
from orchestrator.ui.layout.shell import page_header
from orchestrator.ui.patterns.empty_state import empty_state
from orchestrator.ui.patterns.long_name import long_name
from orchestrator.ui.patterns.relative_time import relative_time
from orchestrator.ui.patterns.toolbar import data_toolbar, search_field
from orchestrator.ui.primitives.badge import badge
from orchestrator.ui.primitives.button import button
from orchestrator.ui.primitives.card import card
from orchestrator.ui.primitives.dropdown_menu import dropdown_menu, menu_item, menu_separator
from orchestrator.ui.primitives.select import select
from orchestrator.ui.primitives.skeleton import skeleton
from orchestrator.ui.primitives.table import cell, head_cell, row, table
from orchestrator.ui.primitives.values import copy_text

_HIDDEN = "touch:hidden"


def _menu(line: PersonLine) -> rx.Component:
    role = rx.cond(
        line.is_admin,
        menu_item("Make a member", icon="user", on_click=State.ask_role(line.id, "member")),
        menu_item("Make an administrator", icon="shield-check", on_click=State.ask_role(line.id, "admin")),
    )
    disable = rx.cond(
        line.is_disabled,
        menu_item("Enable", icon="play", on_click=State.disable(line.id, False)),
        menu_item("Disable", icon="ban", destructive=True, on_click=State.disable(line.id, True)),
    )
    return dropdown_menu(
        rx.cond(
            line.is_disabled,
            rx.fragment(),
            menu_item("Link for a new password", icon="key-round", on_click=State.ask_reset(line.id)),
        ),
        role,
        rx.cond(line.is_self, rx.fragment(), rx.fragment(menu_separator(), disable)),
        label=f"Actions for {line.username}",
        variant="ghost",
        size="icon-sm",
    )


def _name(line: PersonLine) -> rx.Component:
    return rx.el.div(
        rx.el.div(
            long_name(line.username),
            rx.cond(line.is_self, rx.el.span("you", class_name="text-xs text-muted-foreground"), rx.fragment()),
            class_name="flex min-w-0 items-center gap-2 font-medium",
        ),
        rx.el.p(line.email, class_name="mt-0.5 hidden truncate text-xs text-muted-foreground touch:block"),
    )


def _row(line: PersonLine) -> rx.Component:
    return row(
        cell(_name(line), class_name="max-w-48"),
        cell(long_name(line.email), muted=True, class_name=f"max-w-64 {_HIDDEN}"),
        cell(
            rx.el.div(
                rx.cond(line.is_admin, badge("Administrator", tone="primary"), badge("Member")),
                rx.cond(line.is_disabled, badge("Disabled", tone="destructive"), rx.fragment()),
                class_name="flex flex-wrap gap-1.5 py-1",
            )
        ),
        cell(relative_time(line.created), muted=True, class_name=f"text-xs whitespace-nowrap {_HIDDEN}"),
        cell(
            rx.cond(line.seen != "", relative_time(line.seen), "not signed in"),
            muted=True,
            class_name=f"text-xs whitespace-nowrap {_HIDDEN}",
        ),
        cell(_menu(line), class_name="w-12 text-right"),
        key=line.id.to_string(),
        custom_attrs={"data-person": line.username},
    )


def _rows() -> rx.Component:
    head = [
        "Name",
        head_cell("Email", class_name=_HIDDEN),
        "Role",
        head_cell("Created", class_name=_HIDDEN),
        head_cell("Last seen", class_name=_HIDDEN),
        head_cell(rx.el.span("Actions", class_name="sr-only")),
    ]
    accounts = table(head, rx.foreach(State.rows, _row), label="Accounts")
    return rx.fragment(card(accounts, padded=False), paging_controls(State, "accounts"))


def _toolbar() -> rx.Component:
    return data_toolbar(
        search_field(value=State.q, on_change=State.search, placeholder="Name or email"),
        select(
            [("all", "Active and disabled"), ("active", "Active"), ("disabled", "Disabled")],
            value=rx.cond(State.status == "", "all", State.status),
            on_change=State.filter_status,
            label="Status",
            muted=True,
        ),
        right=[sort_select(State, SORTS)],
    )


def _link() -> rx.Component:
    text = f"Give this link to {State.link_for}. It sets a new password once, ends after a day, and is shown only now."
    shown = card(
        rx.el.p(text, class_name="text-sm"),
        rx.el.div(
            copy_text(State.link, label="Copy the link", shown=State.link),
            class_name="mt-2 font-mono text-xs break-all",
            id="reset-link",
        ),
        rx.el.div(button("Hide", on_click=State.hide_link), class_name="mt-3"),
        title="Link for a new password",
    )
    return rx.cond(State.link != "", shown, rx.fragment())


def _dialog() -> rx.Component:
    return confirm_password_dialog(State, rx.el.p(State.question, class_name="text-sm"))


def index() -> rx.Component:
    """The accounts."""
    none = empty_state(icon="users", title="No accounts", text="People who sign up here are listed on this page.")
    return frame(
        page_header("People", note=rx.el.span(State.summary, class_name="block min-h-5")),
        _link(),
        rx.cond((State.total > 1) | State.filtered, _toolbar(), rx.fragment()),
        list_content(State, "accounts", _rows(), none, skeleton("h-72 w-full rounded-xl")),
        _dialog(),
        title="People",
        active="settings",
        breadcrumb=[("Settings", "/settings")],
    )
