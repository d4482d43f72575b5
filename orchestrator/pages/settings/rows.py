"""A row in the settings' lists of browsers, tokens and credentials."""

from typing import Any

import reflex as rx

from orchestrator.ui.kit import Child, Handler, Text
from orchestrator.ui.patterns.confirm_delete import confirm_delete
from orchestrator.ui.patterns.relative_time import relative_time
from orchestrator.ui.primitives.button import icon_button
from orchestrator.ui.primitives.icon import icon


def settings_row(key: Any, icon_name: str, title: Text, details: list[Child], *more: Child) -> rx.Component:
    """An icon, a title over small details, and what is on the right."""
    return rx.el.li(
        icon(icon_name, class_name="text-muted-foreground"),
        rx.el.div(
            rx.el.p(title, class_name="truncate text-sm font-medium"),
            rx.el.p(*details, class_name="truncate text-xs text-muted-foreground"),
            class_name="min-w-0 flex-1",
        ),
        *more,
        key=key,
        class_name="flex items-center gap-3 border-t border-border py-3 first:border-t-0 first:pt-0 last:pb-0",
    )


def last_used(time: rx.Var[str]) -> rx.Component | rx.Var[Any]:
    """When it was used last, or that it never was."""
    return rx.cond(time, rx.fragment("last used ", relative_time(time)), "not used yet")


def delete_button(what: str, name: rx.Var[str], consequence: str, on_confirm: Handler) -> rx.Component:
    """A bin that asks before it deletes."""
    return confirm_delete(
        consequence,
        what=what,
        name=name,
        by_name=False,
        on_confirm=on_confirm,
        opener=icon_button("trash-2", f"Delete {what} {name}"),
    )


def settings_list(rows: rx.Var, render: Any, none: str) -> rx.Component:
    """The rows below a form, or that there are none yet."""
    return rx.cond(
        rows.length() > 0,
        rx.el.ul(rx.foreach(rows, render), class_name="border-t border-border pt-4"),
        rx.el.p(none, class_name="text-sm text-muted-foreground"),
    )
