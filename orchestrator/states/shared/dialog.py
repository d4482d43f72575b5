"""Whether a page's dialog is open: the part of it that is the same for each."""

import reflex as rx

from orchestrator.states.shared.guards import signed_in


class Dialog(rx.State, mixin=True):
    """One dialog. A handler of the subclass opens it, with what it shows."""

    opened: bool = False

    @rx.event
    @signed_in
    async def show(self, opened: bool):
        """Closes the dialog; the browser alone cannot open it, as nothing has been read for it."""
        self.opened = opened and self.opened
