"""The bell in the top bar: notices, how many are unread, and the browser's own notifications on demand."""

from typing import Any

import reflex as rx

from orchestrator.ui.kit import Handler, Number
from orchestrator.ui.packages import STYLE, pinned
from orchestrator.ui.tsx import tsx


class Bell(rx.Component):
    """Binding of `bell.tsx`."""

    library = tsx("layout/bell.tsx")
    tag = "Bell"
    lib_dependencies: list[str] = pinned("lucide-react", *STYLE)

    items: rx.Var[list[dict[str, Any]]]
    unread: rx.Var[int]
    newest: rx.Var[int]
    on_open: rx.EventHandler[rx.event.no_args_event_spec]


def bell(items: Any, *, unread: Number, newest: Number, on_open: Handler) -> rx.Component:
    """`items`: {id, kind, title, body, href, at, read}, newest first; `newest`: the id that came just now, 0 for none."""
    return Bell.create(items=items.to(list[dict[str, Any]]), unread=unread, newest=newest, on_open=on_open)
