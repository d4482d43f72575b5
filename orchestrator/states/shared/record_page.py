"""The mixin of every page about one record: its id in the address, "no such record", refresh, live updates."""

import asyncio
from typing import Any, ClassVar

import reflex as rx

from orchestrator.domain.errors import AppError, NotFound
from orchestrator.states.shared.address_filters import id_in_path, is_on_page
from orchestrator.states.shared.guards import signed_in


class RecordPage(rx.State, mixin=True):
    """A page about the record that the address names.

    Subclasses define `PATH`, `_read` and `_show`; one whose record changes by itself defines `_is_changing`, too.
    """

    PATH: ClassVar[str] = ""
    """The address of the list that the record belongs to."""
    REFRESH_S: ClassVar[float] = 1.0
    NOUN: ClassVar[str] = ""
    """What the record is, for the `page_title` of one that does not exist; "" where that is computed."""

    record_id: int = 0
    """The id of the record that is shown."""
    loaded: bool = False
    missing: bool = False
    """There is no such record, or it belongs to another user."""
    problem: str = ""
    """Why the record could not be read."""

    @rx.event
    @signed_in
    async def load(self):
        """on_load: clears the page unless it shows this record already (a reconnect)."""
        if self.record_id != self._id():
            await self._reset_page()
        return await self._refresh()

    @rx.event
    @signed_in
    async def refresh(self):
        """Reads the record again: after an edit, or "Try again"."""
        return await self._refresh()

    @rx.event(background=True, supersedes=True)
    @signed_in
    async def watch(self):
        """Reads the record again while it changes by itself; ends when the page is left."""
        while self._is_changing() and is_on_page(self, f"{self.PATH}/{self.record_id}"):
            await asyncio.sleep(self.REFRESH_S)
            async with self:
                query = self._query()
            try:
                visit = await self._read(*query)
            except NotFound:
                async with self:
                    self._set_missing()
                return None
            async with self:
                if query == self._query():
                    self._set_loaded(visit)
        return self._events_after_refresh()

    def _id(self) -> int:
        """The id in the address: what actions use, since it outlives a restart of the web server."""
        return id_in_path(self)

    def _query(self) -> tuple[Any, ...]:
        """What `_read` needs to know, the record's id first."""
        return (self._id(),)

    async def _read(self, *query: Any) -> Any:
        """Reads everything that the page shows.

        Raises:
            NotFound: there is no such record for this user.
        """
        raise NotImplementedError

    def _show(self, visit: Any) -> None:
        """Sets the page's rows from what was read."""
        raise NotImplementedError

    def _is_changing(self) -> bool:
        """Whether the record may change without an action of this tab."""
        return False

    def _events_after_refresh(self) -> Any:
        """Events to run after each refresh of a record that does not change by itself."""
        return None

    async def _reset_page(self) -> None:
        """Forgets the record that was shown before."""
        self.reset()

    async def _read_now(self) -> Any:
        return await self._read(*self._query())

    async def _refresh(self) -> Any:
        try:
            self._set_loaded(await self._read_now())
        except NotFound:
            self._set_missing()
            return None
        except AppError as error:
            self.problem, self.loaded = error.message, True
            return None
        return type(self).watch if self._is_changing() else self._events_after_refresh()

    def _set_missing(self) -> None:
        self.missing, self.loaded = True, True
        if self.NOUN:
            self.page_title = f"No such {self.NOUN} - Loreel"

    def _set_loaded(self, visit: Any) -> None:
        self._show(visit)
        self.record_id = self._id()
        self.missing, self.problem, self.loaded = False, "", True
