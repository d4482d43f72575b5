"""Whether somebody looks at this tab of the browser."""

import reflex as rx

from orchestrator.ui.kit import Handler, present
from orchestrator.ui.tsx import tsx


class Seen(rx.Component):
    """Binding of `page_visibility.tsx`."""

    library = tsx("patterns/page_visibility.tsx")
    tag = "Seen"

    on_change: rx.EventHandler[rx.event.passthrough_event_spec(bool)]


def seen(on_change: Handler) -> rx.Component:
    """Draws nothing; the handler gets False when the tab is hidden, and True when it is looked at again."""
    return Seen.create(**present(on_change=on_change))
