"""Pages through a long list: a tab holds at most `MAX_ROWS` rows and then moves on to the following ones."""

from typing import Any

import reflex as rx

from orchestrator.services.paging import Page
from orchestrator.states.shared.guards import signed_in

PAGE_SIZE = 24
MAX_ROWS = 192
"""Rows that one tab holds at most."""


class Paged(rx.State, mixin=True):
    """The position and length of the shown part of a list. Subclasses define `_refresh` and read from `_cursor`."""

    limit: int = PAGE_SIZE
    """How many rows are asked for."""
    matching: int = 0
    """How many rows there are with the filters."""
    more: bool = False
    """More rows can be shown below these."""
    start: int = 0
    """How many rows come before the shown ones."""
    has_next: bool = False
    """More rows exist, but a tab shows no more than these at once."""
    row_count: int = 0
    """How many rows are shown."""
    _cursor: str = ""
    _next_cursor: str = ""
    _previous: list[tuple[str, int]] = []
    """(cursor, start) of the earlier parts of the list."""

    @rx.var
    def shown_text(self) -> str:
        """Which rows are shown: "24 of 1,000", "193 to 216 of 1,000"."""
        last = f"{self.start + self.row_count:,} of {self.matching:,}"
        return f"{self.start + 1:,} to {last}" if self.start else last

    @rx.event
    @signed_in
    async def show_more(self):
        self.limit = min(MAX_ROWS, self.limit + 2 * PAGE_SIZE)
        return await self._refresh()

    @rx.event
    @signed_in
    async def page_on(self):
        """Shows the rows after the shown ones."""
        if self.has_next:
            self._previous = [*self._previous, (self._cursor, self.start)]
            self._cursor, self.start, self.limit = self._next_cursor, self.start + self.row_count, PAGE_SIZE
        return await self._refresh()

    @rx.event
    @signed_in
    async def page_back(self):
        """Shows the rows before the shown ones."""
        if self._previous:
            *self._previous, (self._cursor, self.start) = self._previous
            self.limit = MAX_ROWS
        return await self._refresh()

    async def _refresh(self) -> Any:
        raise NotImplementedError

    def _rewind(self) -> None:
        """Goes back to the start of the list."""
        self.limit, self.start, self._cursor, self._previous = PAGE_SIZE, 0, "", []

    def _rewind_if_empty(self, page: Page[Any]) -> bool:
        """Rewinds and returns True where all rows of a later part were deleted: the list has to be read again."""
        empty = not page.items and self.start > 0
        if empty:
            self._rewind()
        return empty

    def _set_page(self, page: Page[Any]) -> None:
        """Takes over the counts and the cursor of what was read."""
        self.row_count, self.matching, self._next_cursor = len(page.items), page.total, page.next or ""
        self.more = bool(self._next_cursor) and self.limit < MAX_ROWS
        self.has_next = bool(self._next_cursor) and self.limit >= MAX_ROWS
