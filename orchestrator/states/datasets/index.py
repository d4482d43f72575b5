"""The list of datasets: what is shown, how it is filtered, and looking again while one is being made."""

import asyncio
from dataclasses import dataclass
from typing import Any

import reflex as rx
from sqlmodel import Session

from orchestrator.domain.tasks import TASKS
from orchestrator.domain.users import Actor
from orchestrator.services.datasets.catalog import list_datasets
from orchestrator.services.datasets.overview import DatasetExtras, DatasetTotals, dataset_extras, dataset_totals
from orchestrator.services.datasets.rows import DatasetRow
from orchestrator.services.paging import Page
from orchestrator.states.datasets.rows import DatasetCard, dataset_card
from orchestrator.states.shared import formatting
from orchestrator.states.shared.address_filters import filter_of, is_on, remember
from orchestrator.states.shared.guards import act, signed_in
from orchestrator.states.shared.list_state import Listed

PATH = "/datasets"
LOOK_AGAIN_S = 1.5
SORTS = {"-created_at": "Newest first", "created_at": "Oldest first", "name": "Name", "-size_bytes": "Largest first"}
STATUSES = ("ready", "processing", "error")


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
    """One page of the person's datasets, and the filters that chose it."""

    rows: list[DatasetCard] = []
    count_all: str = "0"
    count_ready: str = "0"
    count_processing: str = "0"
    count_error: str = "0"
    status: str = ""
    task: str = ""
    sort: str = "-created_at"
    view: str = "cards"

    @rx.var
    def filtered(self) -> bool:
        return bool(self.q or self.status or self.task)

    @rx.event
    @signed_in
    async def load(self):
        """on_load: takes the filters from the address; runs again after a reload or a reconnect."""
        before = self._wanted()
        self.q = filter_of(self, "q")
        self.status = filter_of(self, "status", STATUSES)
        self.task = filter_of(self, "task", TASKS)
        self.sort = filter_of(self, "sort", SORTS) or "-created_at"
        self.view = filter_of(self, "view", ("table",)) or "cards"
        if before != self._wanted():
            self._from_the_start()
        return await self._refresh()

    @rx.event
    @signed_in
    async def filter_status(self, status: str):
        self.status = status if status in STATUSES else ""
        return await self._filtered()

    @rx.event
    @signed_in
    async def filter_task(self, task: str):
        self.task = "" if task == "any" else task
        return await self._filtered()

    @rx.event
    @signed_in
    async def sort_by(self, sort: str):
        self.sort = sort if sort in SORTS else "-created_at"
        return await self._filtered()

    @rx.event
    @signed_in
    async def show_as(self, view: str):
        self.view = "table" if view == "table" else "cards"
        return self._remember()

    @rx.event
    @signed_in
    async def clear_filters(self):
        self.q, self.status, self.task = "", "", ""
        return await self._filtered()

    @rx.event(background=True, supersedes=True)
    @signed_in
    async def watch(self):
        """Looks again while something is being received or processed; ends with the page."""
        while is_on(self, PATH) and any(row.busy for row in self.rows):
            await asyncio.sleep(LOOK_AGAIN_S)
            async with self:
                wanted = self._wanted()
            listing = await self._look(*wanted)
            async with self:
                if wanted == self._wanted():
                    self._show(listing)

    def _wanted(self) -> tuple[str, str, str, str, int, str]:
        return self.q, self.status, self.task, self.sort, self.shown, self._cursor

    async def _look(self, *wanted: Any) -> _Listing:
        return await act(self, _read, *wanted)

    def _remember(self) -> rx.event.EventSpec:
        sort = "" if self.sort == "-created_at" else self.sort
        view = "" if self.view == "cards" else self.view
        return remember(PATH, q=self.q, status=self.status, task=self.task, sort=sort, view=view)

    def _onwards(self) -> Any:
        return DatasetsState.watch if any(row.busy for row in self.rows) else None

    def _fill(self, listing: _Listing) -> None:
        page, totals = listing.page, listing.totals
        self.rows = [dataset_card(row, listing.extras.get(row.id, DatasetExtras())) for row in page.items]
        self.total = totals.datasets
        self.count_all, self.count_ready = (
            formatting.count(totals.datasets),
            formatting.count(totals.by_status["ready"]),
        )
        self.count_processing = formatting.count(totals.by_status["processing"])
        self.count_error = formatting.count(totals.by_status["error"])
        parts = (formatting.plural(totals.datasets, "dataset"), formatting.plural(totals.clips, "clip"))
        self.summary = ", ".join((*parts, formatting.size(totals.size_bytes))) if totals.datasets else ""
