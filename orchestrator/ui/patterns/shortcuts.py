"""Keys that press buttons of a page."""

import reflex as rx

from orchestrator.ui.tsx import tsx


class Shortcuts(rx.Component):
    """Binding of `shortcuts.tsx`."""

    library = tsx("patterns/shortcuts.tsx")
    tag = "Shortcuts"
    alias = "LoreelShortcuts"

    keys: rx.Var[dict[str, list[str]]]


def shortcuts(keys: dict[str, list[str]]) -> rx.Component:
    """Presses a button with one of these ids, the first that is not disabled: {"Alt+PageDown": ["next"]}.

    Keys without Alt, Ctrl or Command do nothing in text fields.
    """
    return Shortcuts.create(keys=keys)
