"""The mixin of every list page: search, filters kept in the address, paging, refresh, and the error to show."""

import asyncio
from collections.abc import Collection, Mapping
from typing import Any, ClassVar

import reflex as rx

from orchestrator.domain.errors import AppError
from orchestrator.states.shared.address_filters import is_on_page
from orchestrator.states.shared.guards import signed_in
from orchestrator.states.shared.paging import Paged

MAX_QUERY = 100
"""Characters of a search."""


class Listed(Paged, mixin=True):
    """A list with its filters.

    Subclasses define `PATH`, `_read_address`, `_query`, `_read`, `_fill`, `_write_address` and `_clear`; a list whose
    rows change by themselves defines `_is_changing`, too.
    """

    PATH: ClassVar[str] = ""
    STATUSES: ClassVar[Collection[str]] = ()
    """Statuses that may be filtered by; "" shows all."""
    SORTS: ClassVar[Mapping[str, str]] = {}
    """Sort keys and their labels; the first is the default."""
    REFRESH_S: ClassVar[float] = 2.0

    total: int = 0
    """How many rows there are without the filters."""
    summary: str = ""
    q: str = ""
    status: str = ""
    sort: str = ""
    """"" is the default order."""
    loaded: bool = False
    problem: str = ""
    """Why the list could not be read."""

    @rx.event
    @signed_in
    async def load(self):
        """on_load: takes the filters from the address; runs again after a reload or a reconnect."""
        self._take_address()
        return await self._refresh()

    @rx.event
    @signed_in
    async def refresh(self):
        """Reads the same list again: after an edit, a deletion, or "Try again"."""
        return await self._refresh()

    @rx.event
    @signed_in
    async def search(self, q: str):
        self.q = q[:MAX_QUERY]
        return await self._apply_filters()

    @rx.event
    @signed_in
    async def filter_status(self, status: str):
        self.status = status if status in self.STATUSES else ""
        return await self._apply_filters()

    @rx.event
    @signed_in
    async def sort_by(self, sort: str):
        self.sort = sort if sort in self.SORTS and sort != next(iter(self.SORTS)) else ""
        return await self._apply_filters()

    @rx.event
    @signed_in
    async def clear_filters(self):
        self.q = self.status = ""
        self._clear()
        return await self._apply_filters()

    @rx.event(background=True, supersedes=True)
    @signed_in
    async def watch(self):
        """Reads the list again while rows change by themselves; ends when the page is left."""
        while is_on_page(self, self.PATH) and self._is_changing():
            await asyncio.sleep(self.REFRESH_S)
            await self._read_again()

    def _read_address(self) -> None:
        """Takes the filters from the address."""
        raise NotImplementedError

    def _query(self) -> tuple[Any, ...]:
        """The filters and the paging position, as `_read` takes them."""
        raise NotImplementedError

    async def _read(self, *query: Any) -> Any:
        """Reads the list; the result has the rows as its `page`."""
        raise NotImplementedError

    def _fill(self, listing: Any) -> None:
        """Sets rows and counts from what was read."""
        raise NotImplementedError

    def _write_address(self) -> rx.event.EventSpec:
        """The event that writes the filters into the address."""
        raise NotImplementedError

    def _clear(self) -> None:
        """Unsets the filters other than search and status."""

    def _is_changing(self) -> bool:
        """Whether rows may change without an action of this tab."""
        return False

    def _sort_key(self) -> str:
        return self.sort or next(iter(self.SORTS))

    def _take_address(self) -> None:
        before = self._query()
        self._read_address()
        if before != self._query():
            self._rewind()

    async def _read_again(self) -> None:
        """Refreshes from a background event; drops the result when the filters have changed meanwhile."""
        async with self:
            query = self._query()
        listing = await self._read(*query)
        async with self:
            if query == self._query():
                self._show(listing)

    async def _apply_filters(self) -> list[Any]:
        self._rewind()
        event = await self._refresh()
        return [self._write_address(), *([event] if event else [])]

    async def _refresh(self) -> Any:
        try:
            listing = await self._read(*self._query())
            if self._rewind_if_empty(listing.page):
                listing = await self._read(*self._query())
        except AppError as error:
            self.problem, self.loaded = error.message, True
            return None
        self._show(listing)
        return type(self).watch if self._is_changing() else None

    def _show(self, listing: Any) -> None:
        self._fill(listing)
        self._set_page(listing.page)
        self.problem, self.loaded = "", True
