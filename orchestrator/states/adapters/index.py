"""The list of adapters: one row per name with its newest version, and its filters."""

from dataclasses import dataclass
from typing import Any, ClassVar

import reflex as rx
from sqlmodel import Session

from orchestrator.domain import formatting
from orchestrator.domain.tasks import Task
from orchestrator.domain.users import Actor
from orchestrator.services.adapters.catalog import list_adapters
from orchestrator.services.adapters.rows import AdapterRow
from orchestrator.services.paging import Page
from orchestrator.states.adapters.rows import AdapterLine, adapter_line
from orchestrator.states.shared.address_filters import read_filter, write_filters
from orchestrator.states.shared.guards import run_as_user, signed_in
from orchestrator.states.shared.list_state import Listed

PATH = "/adapters"
PRODUCTION = "production"
SORTS = {
    "-created_at": "Newest first",
    "created_at": "Oldest first",
    "name": "Name, A to Z",
    "-name": "Name, Z to A",
    "model": "Base, A to Z",
    "-model": "Base, Z to A",
    "dataset": "Dataset, A to Z",
    "-dataset": "Dataset, Z to A",
    "-size_bytes": "Largest first",
    "size_bytes": "Smallest first",
}
KINDS = (*(str(task) for task in Task), PRODUCTION)


@dataclass(frozen=True, slots=True)
class _Listing:
    page: Page[AdapterRow]
    names: int
    versions: int


def _read(session: Session, actor: Actor, q: str, kind: str, sort: str, limit: int, cursor: str) -> _Listing:
    production = kind == PRODUCTION
    # A name whose older version is in production is listed there with that version, not with its newest.
    page = list_adapters(
        session,
        actor,
        q=q,
        task="" if production else kind,
        status=PRODUCTION if production else "",
        newest=not production,
        sort=sort,
        limit=limit,
        cursor=cursor or None,
    )
    names = list_adapters(session, actor, newest=True, limit=1).total
    return _Listing(page, names, list_adapters(session, actor, limit=1).total)


class AdaptersState(Listed, rx.State):
    """The user's adapters, a page at a time, and the filters."""

    PATH: ClassVar[str] = PATH
    SORTS: ClassVar = SORTS

    rows: list[AdapterLine] = []
    kind: str = ""
    """A task, "production", or "" for all."""

    @rx.var
    def filtered(self) -> bool:
        return bool(self.q or self.kind)

    @rx.event
    @signed_in
    async def filter_kind(self, kind: str):
        self.kind = kind if kind in KINDS else ""
        return await self._apply_filters()

    def _read_address(self) -> None:
        self.q, self.kind = read_filter(self, "q"), read_filter(self, "show", KINDS)
        self.sort = read_filter(self, "sort", SORTS)

    def _query(self) -> tuple[str, str, str, int, str]:
        return self.q, self.kind, self._sort_key(), self.limit, self._cursor

    async def _read(self, *query: Any) -> _Listing:
        return await run_as_user(self, _read, *query)

    def _write_address(self) -> rx.event.EventSpec:
        return write_filters(PATH, q=self.q, show=self.kind, sort=self.sort)

    def _clear(self) -> None:
        self.kind = ""

    def _fill(self, listing: _Listing) -> None:
        self.rows = [adapter_line(row) for row in listing.page.items]
        self.total = listing.names
        versions = formatting.plural(listing.versions, "version")
        self.summary = f"{formatting.plural(listing.names, 'adapter')}, {versions}" if listing.names else ""
