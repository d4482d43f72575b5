"""The list of datasets, its filters, and its refresh while a dataset is being processed."""

from dataclasses import dataclass
from typing import Any, ClassVar

import reflex as rx
from sqlmodel import Session

from orchestrator.domain import formatting
from orchestrator.domain.tasks import TASKS
from orchestrator.domain.users import Actor
from orchestrator.services.datasets.catalog import list_datasets
from orchestrator.services.datasets.overview import DatasetExtras, DatasetTotals, dataset_extras, dataset_totals
from orchestrator.services.datasets.rows import DatasetRow
from orchestrator.services.paging import Page
from orchestrator.states.datasets.rows import DatasetCard, dataset_card
from orchestrator.states.shared.address_filters import read_filter, write_filters
from orchestrator.states.shared.guards import run_as_user, signed_in
from orchestrator.states.shared.list_state import Listed

PATH = "/datasets"
SORTS = {
    "-created_at": "Newest first",
    "created_at": "Oldest first",
    "name": "Name, A to Z",
    "-name": "Name, Z to A",
    "-clip_count": "Most clips first",
    "clip_count": "Fewest clips first",
    "-size_bytes": "Largest first",
    "size_bytes": "Smallest first",
}


@dataclass(frozen=True, slots=True)
class _Listing:
    page: Page[DatasetRow]
    totals: DatasetTotals
    extras: dict[int, DatasetExtras]


def _read(
    session: Session, actor: Actor, q: str, status: str, task: str, sort: str, limit: int, cursor: str
) -> _Listing:
    page = list_datasets(session, actor, q=q, status=status, task=task, sort=sort, limit=limit, cursor=cursor or None)
    extras = dataset_extras(session, actor, [row.id for row in page.items])
    return _Listing(page, dataset_totals(session, actor, q, task), extras)


class DatasetsState(Listed, rx.State):
    """The user's datasets, a page at a time, and the filters."""

    PATH: ClassVar[str] = PATH
    STATUSES: ClassVar = ("ready", "processing", "error")
    SORTS: ClassVar = SORTS
    REFRESH_S: ClassVar[float] = 1.5

    rows: list[DatasetCard] = []
    count_all: str = "0"
    count_ready: str = "0"
    count_processing: str = "0"
    count_error: str = "0"
    task: str = ""
    view: str = "cards"

    @rx.var
    def filtered(self) -> bool:
        return bool(self.q or self.status or self.task)

    @rx.event
    @signed_in
    async def filter_task(self, task: str):
        self.task = task if task in TASKS else ""
        return await self._apply_filters()

    @rx.event
    @signed_in
    async def show_as(self, view: str):
        self.view = "table" if view == "table" else "cards"
        return self._write_address()

    def _read_address(self) -> None:
        self.q, self.status = read_filter(self, "q"), read_filter(self, "status", self.STATUSES)
        self.task, self.sort = read_filter(self, "task", TASKS), read_filter(self, "sort", SORTS)
        self.view = read_filter(self, "view", ("table",)) or "cards"

    def _query(self) -> tuple[str, str, str, str, int, str]:
        return self.q, self.status, self.task, self._sort_key(), self.limit, self._cursor

    async def _read(self, *query: Any) -> _Listing:
        return await run_as_user(self, _read, *query)

    def _write_address(self) -> rx.event.EventSpec:
        view = "" if self.view == "cards" else self.view
        return write_filters(PATH, q=self.q, status=self.status, task=self.task, sort=self.sort, view=view)

    def _clear(self) -> None:
        self.task = ""

    def _is_changing(self) -> bool:
        """A dataset is being received or processed."""
        return any(row.busy for row in self.rows)

    def _fill(self, listing: _Listing) -> None:
        totals = listing.totals
        self.rows = [dataset_card(row, listing.extras.get(row.id, DatasetExtras())) for row in listing.page.items]
        self.total = totals.datasets
        self.count_all = formatting.count(totals.datasets)
        self.count_ready = formatting.count(totals.by_status["ready"])
        self.count_processing = formatting.count(totals.by_status["processing"])
        self.count_error = formatting.count(totals.by_status["error"])
        parts = (formatting.plural(totals.datasets, "dataset"), formatting.plural(totals.clips, "clip"))
        self.summary = ", ".join((*parts, formatting.size(totals.size_bytes))) if totals.datasets else ""
