"""The list of adapters: one row a name, its newest version, and how it is filtered."""

from dataclasses import dataclass
from typing import Any

import reflex as rx
from sqlmodel import Session

from orchestrator.domain.tasks import Task
from orchestrator.domain.users import Actor
from orchestrator.services.adapters.catalog import list_adapters
from orchestrator.services.adapters.rows import AdapterRow
from orchestrator.services.paging import Page
from orchestrator.states.adapters.rows import AdapterLine, adapter_line
from orchestrator.states.shared import formatting
from orchestrator.states.shared.address_filters import filter_of, remember
from orchestrator.states.shared.guards import act, signed_in
from orchestrator.states.shared.list_state import Listed

PATH = "/adapters"
KINDS = (*(str(task) for task in Task), "production")


@dataclass(frozen=True, slots=True)
class _Listing:
    page: Page[AdapterRow]
    lines: int
    versions: int


def _read(session: Session, actor: Actor, q: str, kind: str, limit: int, cursor: str) -> _Listing:
    used = kind == "production"
    # A line whose older version is in production stands in that list with that version.
    page = list_adapters(
        session,
        actor,
        q=q,
        task="" if used else kind,
        status="production" if used else "",
        newest=not used,
        limit=limit,
        cursor=cursor or None,
    )
    lines = list_adapters(session, actor, newest=True, limit=1).total
    return _Listing(page, lines, list_adapters(session, actor, limit=1).total)


class AdaptersState(Listed, rx.State):
    """One page of a person's adapters, and the filters that chose it."""

    rows: list[AdapterLine] = []
    kind: str = ""

    @rx.var
    def filtered(self) -> bool:
        return bool(self.q or self.kind)

    @rx.event
    @signed_in
    async def load(self):
        """on_load: takes the filters from the address."""
        before = self.q, self.kind
        self.q, self.kind = filter_of(self, "q"), filter_of(self, "show", KINDS)
        if before != (self.q, self.kind):
            self._from_the_start()
        await self._refresh()

    @rx.event
    @signed_in
    async def filter_kind(self, kind: str):
        self.kind = kind if kind in KINDS else ""
        return await self._filtered()

    @rx.event
    @signed_in
    async def clear_filters(self):
        self.q, self.kind = "", ""
        return await self._filtered()

    def _wanted(self) -> tuple[str, str, int, str]:
        return self.q, self.kind, self.shown, self._cursor

    async def _look(self, *wanted: Any) -> _Listing:
        return await act(self, _read, *wanted)

    def _remember(self) -> rx.event.EventSpec:
        return remember(PATH, q=self.q, show=self.kind)

    def _fill(self, listing: _Listing) -> None:
        self.rows = [adapter_line(row) for row in listing.page.items]
        self.total = listing.lines
        versions = formatting.plural(listing.versions, "version")
        self.summary = f"{formatting.plural(listing.lines, 'adapter')}, {versions}" if listing.lines else ""
