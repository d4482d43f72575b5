"""Keys that press buttons of a page."""

import reflex as rx

from orchestrator.ui.tsx import tsx


class Shortcuts(rx.Component):
    """Binding of `shortcuts.tsx`."""

    library = tsx("patterns/shortcuts.tsx")
    tag = "Shortcuts"
    alias = "LoreelShortcuts"

    keys: rx.Var[dict[str, str]]


def shortcuts(keys: dict[str, str]) -> rx.Component:
    """Presses the buttons with these ids while it is shown: {"Alt+ArrowRight": "next"}."""
    return Shortcuts.create(keys=keys)
