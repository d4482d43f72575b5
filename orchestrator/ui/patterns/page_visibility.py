"""Reports whether this tab of the browser is visible."""

import reflex as rx

from orchestrator.ui.kit import Handler, present
from orchestrator.ui.tsx import tsx


class PageVisibility(rx.Component):
    """Binding of `page_visibility.tsx`."""

    library = tsx("patterns/page_visibility.tsx")
    tag = "PageVisibility"

    on_change: rx.EventHandler[rx.event.passthrough_event_spec(bool)]


def page_visibility(on_change: Handler) -> rx.Component:
    """Draws nothing; the handler gets False when the tab is hidden, and True when it is visible again."""
    return PageVisibility.create(**present(on_change=on_change))
