"""A long list of which one tab holds a window: it grows, and when it is full a further one begins behind it."""

from typing import Any

import reflex as rx

from orchestrator.services.paging import Page
from orchestrator.states.shared.guards import signed_in

PAGE_SIZE = 24
MOST = 192
"""Rows one tab holds at most."""


class Windowed(rx.State, mixin=True):
    """Where the window lies and how far it reaches; whoever mixes it in has `_refresh` and reads from `_cursor`."""

    shown: int = PAGE_SIZE
    """How many rows are asked for."""
    matching: int = 0
    more: bool = False
    start: int = 0
    """How many rows lie before those that are shown."""
    onward: bool = False
    """There are rows behind as many as are shown at once."""
    held: int = 0
    """How many rows are shown."""
    _cursor: str = ""
    _next: str = ""
    _earlier: list[tuple[str, int]] = []
    """(cursor, start) of the windows before this one."""

    @rx.var
    def shown_text(self) -> str:
        """True counts: "24 of 1,000", "193 to 216 of 1,000"."""
        last = f"{self.start + self.held:,} of {self.matching:,}"
        return f"{self.start + 1:,} to {last}" if self.start else last

    @rx.event
    @signed_in
    async def show_more(self):
        self.shown = min(MOST, self.shown + 2 * PAGE_SIZE)
        return await self._refresh()

    @rx.event
    @signed_in
    async def page_on(self):
        """The rows behind those that are shown."""
        if self.onward:
            self._earlier = [*self._earlier, (self._cursor, self.start)]
            self._cursor, self.start, self.shown = self._next, self.start + self.held, PAGE_SIZE
        return await self._refresh()

    @rx.event
    @signed_in
    async def page_back(self):
        if self._earlier:
            *self._earlier, (self._cursor, self.start) = self._earlier
            self.shown = MOST
        return await self._refresh()

    async def _refresh(self) -> Any:
        raise NotImplementedError

    def _from_the_start(self) -> None:
        self.shown, self.start, self._cursor, self._earlier = PAGE_SIZE, 0, "", []

    def _emptied(self, page: Page[Any]) -> bool:
        """True where the last rows of a further window are gone: the list has to be read again, from its start."""
        gone = not page.items and self.start > 0
        if gone:
            self._from_the_start()
        return gone

    def _place(self, page: Page[Any]) -> None:
        """What was read of the window."""
        self.held, self.matching, self._next = len(page.items), page.total, page.next or ""
        self.more = bool(self._next) and self.shown < MOST
        self.onward = bool(self._next) and self.shown >= MOST
