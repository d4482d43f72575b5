"""What the lists of datasets, models and adapters do alike: search, look again, keep filters, say what went wrong."""

from typing import Any

import reflex as rx

from orchestrator.domain.errors import AppError, NotSignedIn
from orchestrator.states.shared.guards import signed_in
from orchestrator.states.shared.paging import Windowed


class Listed(Windowed, mixin=True):
    """A list with its filters; whoever mixes it in has `_wanted`, `_look`, `_fill` and `_remember`."""

    total: int = 0
    """How many there are without the filters."""
    summary: str = ""
    q: str = ""
    loaded: bool = False
    problem: str = ""

    @rx.event
    @signed_in
    async def refresh(self):
        """The same list again: after an edit, a deletion, or "Try again"."""
        return await self._refresh()

    @rx.event
    @signed_in
    async def search(self, q: str):
        self.q = q[:80]
        return await self._filtered()

    def _wanted(self) -> tuple[Any, ...]:
        """The filters and the window, as `_look` takes them."""
        raise NotImplementedError

    async def _look(self, *wanted: Any) -> Any:
        """Reads the list; what comes back holds its `page`."""
        raise NotImplementedError

    def _fill(self, listing: Any) -> None:
        """Makes rows and counts of what was read."""
        raise NotImplementedError

    def _remember(self) -> rx.event.EventSpec:
        """Brings the filters into the address."""
        raise NotImplementedError

    def _onwards(self) -> Any:
        """The event that looks again while something moves, or None."""
        return None

    async def _filtered(self) -> list[Any]:
        self._from_the_start()
        again = await self._refresh()
        return [self._remember(), *([again] if again else [])]

    async def _refresh(self) -> Any:
        try:
            listing = await self._look(*self._wanted())
            if self._emptied(listing.page):
                listing = await self._look(*self._wanted())
        except NotSignedIn:
            raise
        except AppError as error:
            self.problem, self.loaded = error.message, True
            return None
        self._show(listing)
        return self._onwards()

    def _show(self, listing: Any) -> None:
        self._fill(listing)
        self._place(listing.page)
        self.problem, self.loaded = "", True
