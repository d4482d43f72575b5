"""Tabs with a line under the one that is open."""

from typing import Any

import reflex as rx

from orchestrator.ui.kit import Child, Handler, Options, Text, as_options, children, present
from orchestrator.ui.tsx import tsx


class Tabs(rx.Component):
    """Binding of `tabs.tsx`."""

    library = tsx("primitives/tabs.tsx")
    tag = "Tabs"
    alias = "LoreelTabs"

    items: rx.Var[list[dict[str, Any]]]
    value: rx.Var[str]
    default_value: rx.Var[str]
    label: rx.Var[str]
    on_change: rx.EventHandler[rx.event.passthrough_event_spec(str)]


class TabPanel(rx.Component):
    """Binding of `tabs.tsx`: what a tab shows."""

    library = tsx("primitives/tabs.tsx")
    tag = "TabPanel"

    value: rx.Var[str]


def tabs(
    items: Options,
    *panels: Child,
    label: Text,
    value: Text | None = None,
    default_value: Text | None = None,
    on_change: Handler = None,
    class_name: str = "",
) -> rx.Component:
    """`items`: `(value, label)` or `{value, label, count?}`; `panels`: `tab_panel`s. Without `value` the browser holds it."""
    given = present(value=value, default_value=default_value, on_change=on_change)
    return Tabs.create(*children(*panels), items=as_options(items), label=label, class_name=class_name, **given)


def tab_panel(value: str, *content: Child, class_name: str = "") -> rx.Component:
    """What the tab `value` shows; only the open one is mounted."""
    return TabPanel.create(*children(*content), value=value, class_name=class_name)
