"""Asks before an act that cannot be taken back."""

import reflex as rx

from orchestrator.ui.kit import Child, Flag, Handler, Text, children, present
from orchestrator.ui.packages import STYLE, pinned
from orchestrator.ui.slots import Slotted
from orchestrator.ui.tsx import tsx


class Confirm(Slotted):
    """Binding of `confirm.tsx`, an alert dialog."""

    library = tsx("primitives/confirm.tsx")
    tag = "Confirm"
    lib_dependencies: list[str] = pinned(
        "@radix-ui/react-alert-dialog", "@radix-ui/react-dialog", "lucide-react", *STYLE
    )

    open: rx.Var[bool]
    title: rx.Var[str]
    description: rx.Var[str]
    name: rx.Var[str]
    confirm: rx.Var[str]
    cancel: rx.Var[str]
    destructive: rx.Var[bool]
    opener: rx.Component | None = None
    on_open_change: rx.EventHandler[rx.event.passthrough_event_spec(bool)]
    on_confirm: rx.EventHandler[rx.event.no_args_event_spec]


def alert_dialog(
    *content: Child,
    title: Text,
    description: Text | None = None,
    confirm: Text = "Delete",
    cancel: Text = "Keep it",
    name: Text | None = None,
    destructive: bool = True,
    on_confirm: Handler = None,
    opener: rx.Component | None = None,
    open: Flag | None = None,
    on_open_change: Handler = None,
) -> rx.Component:
    """An alert dialog. Give `opener`, or `open` with `on_open_change`. `name`: must be typed before `confirm` works."""
    given = present(
        description=description,
        name=name,
        on_confirm=on_confirm,
        opener=opener,
        open=open,
        on_open_change=on_open_change,
    )
    return Confirm.create(
        *children(*content), title=title, confirm=confirm, cancel=cancel, destructive=destructive, **given
    )
