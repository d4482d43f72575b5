"""Deleting a thing: asks by its name, says what depends on it."""

import reflex as rx

from orchestrator.ui.kit import Child, Flag, Handler, Text
from orchestrator.ui.primitives.alert_dialog import alert_dialog


def confirm_delete(
    *depends: Child,
    what: str,
    name: Text,
    on_confirm: Handler,
    opener: rx.Component | None = None,
    open: Flag | None = None,
    on_open_change: Handler = None,
    by_name: bool = True,
) -> rx.Component:
    """`what`: dataset, model, job. `depends`: lines on what goes with it. Give `opener`, or `open` and `on_open_change`."""
    return alert_dialog(
        rx.el.div(*depends, class_name="text-sm text-muted-foreground") if depends else None,
        title=f"Delete the {what} {name}?",
        description="This cannot be undone.",
        confirm=f"Delete {what}",
        name=name if by_name else None,
        on_confirm=on_confirm,
        opener=opener,
        open=open,
        on_open_change=on_open_change,
    )
