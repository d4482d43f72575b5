"""The list of training jobs: searched, filtered, sorted, paged, and moving by itself."""

from collections import Counter
from typing import Any

import reflex as rx

from orchestrator.domain.errors import AppError
from orchestrator.domain.live_records import HubRecord, MetricRecord, ProgressRecord
from orchestrator.domain.numbers import parse_id
from orchestrator.services.demo import find_demo
from orchestrator.services.training.filters import EVERYBODY, job_choices
from orchestrator.services.training.jobs import list_jobs
from orchestrator.states.jobs.rows import JobLine, LiveCell, epochs_words, job_line
from orchestrator.states.shared import formatting
from orchestrator.states.shared.address_filters import filter_of, remember
from orchestrator.states.shared.guards import act, signed_in
from orchestrator.states.shared.identity import find_actor
from orchestrator.states.shared.live import listening, sips

PATH = "/jobs"
PAGE_SIZE = 25
ANY = "any"
"""No choice: a select cannot hold an empty value."""
SORTS = ("-created_at", "created_at", "name", "-name", "status", "dataset", "model")
MOST = 20
"""Jobs that can be compared at once."""
WINDOW_S = 0.25
"""A list need not move more often than four times a second."""


class JobsState(rx.State):
    """One page of the list; `live` holds only what moves."""

    ready: bool = False
    failed: str = ""
    rows: list[JobLine] = []
    live: dict[str, LiveCell] = {}
    total: int = 0
    q: str = ""
    status: str = "all"
    sort: str = "-created_at"
    dataset: str = ANY
    model: str = ANY
    owner: str = ANY
    """For an administrator: whose jobs; ANY: one's own."""
    datasets: list[dict[str, str]] = []
    models: list[dict[str, str]] = []
    owners: list[dict[str, str]] = []
    """What may be chosen, as the kit's select takes it."""
    next_cursor: str = ""
    page: int = 1
    any_jobs: bool = False
    chosen: list[int] = []
    """Jobs picked to be compared."""
    demo_href: str = ""
    """Where the demo can be trained in one click; only looked for while there are no jobs."""
    _cursors: list[str] = []
    _epochs: dict[str, int] = {}

    @rx.var
    def filtered(self) -> bool:
        """True while a search or a filter hides jobs."""
        return bool(self.q) or self.status != "all" or {self.dataset, self.model, self.owner} != {ANY}

    @rx.var
    def first(self) -> int:
        """Number of the first row shown, from 1."""
        return (self.page - 1) * PAGE_SIZE + 1 if self.rows else 0

    @rx.var
    def last(self) -> int:
        """Number of the last row shown."""
        return (self.page - 1) * PAGE_SIZE + len(self.rows)

    @rx.event
    @signed_in
    async def load(self):
        """Opens the list with the filters of the address."""
        self.q = filter_of(self, "q", limit=100)
        self.status = filter_of(self, "status") or "all"
        self.sort = filter_of(self, "sort", SORTS) or "-created_at"
        self.owner = filter_of(self, "owner") or ANY
        self.dataset, self.model = _id_of(filter_of(self, "dataset")), _id_of(filter_of(self, "model"))
        await self._read_choices()
        await self._read([])
        if self.ready and not self.any_jobs:
            self.demo_href = (await act(self, find_demo)).href
        return JobsState.watch

    @rx.var
    def compare_href(self) -> str:
        """Where the picked jobs stand side by side."""
        return f"/jobs/compare?ids={','.join(map(str, self.chosen))}"

    @rx.event
    @signed_in
    async def choose(self, job_id: int, picked: bool):
        """Picks a job to be compared, or drops it; twenty at most."""
        others = [other for other in self.chosen if other != int(job_id)]
        self.chosen = [*others, int(job_id)][:MOST] if picked else others

    @rx.event
    @signed_in
    async def choose_none(self):
        """Drops every pick."""
        self.chosen = []

    @rx.event
    @signed_in
    async def search(self, text: str):
        """Finds by name, dataset, model or number."""
        self.q = text[:100]
        return await self._filtered()

    @rx.event
    @signed_in
    async def filter_status(self, status: str):
        """Shows one status."""
        self.status = status
        return await self._filtered()

    @rx.event
    @signed_in
    async def filter_dataset(self, dataset: str):
        """Shows the jobs that learn from one dataset."""
        self.dataset = _id_of(dataset)
        return await self._filtered()

    @rx.event
    @signed_in
    async def filter_model(self, model: str):
        """Shows the jobs that train one base model."""
        self.model = _id_of(model)
        return await self._filtered()

    @rx.event
    @signed_in
    async def filter_owner(self, owner: str):
        """Shows one's own jobs, somebody's or everybody's; the service lets only administrators."""
        self.owner, self.dataset, self.model = owner[:64], ANY, ANY
        await self._read_choices()
        return await self._filtered()

    @rx.event
    @signed_in
    async def sort_by(self, sort: str):
        """Orders the list."""
        self.sort = sort if sort in SORTS else "-created_at"
        return await self._filtered()

    @rx.event
    @signed_in
    async def clear(self):
        """Takes search and filters away."""
        self.q, self.status, self.dataset, self.model, self.owner = "", "all", ANY, ANY, ANY
        await self._read_choices()
        return await self._filtered()

    @rx.event
    @signed_in
    async def next_page(self):
        """The following rows."""
        if self.next_cursor:
            await self._read([*self._cursors, self.next_cursor])

    @rx.event
    @signed_in
    async def previous_page(self):
        """The rows before."""
        if self._cursors:
            await self._read(self._cursors[:-1])

    @rx.event
    @signed_in
    async def retry(self):
        """Reads the list again after an error."""
        await self._read(self._cursors)

    @rx.event(background=True)
    @signed_in
    async def watch(self):
        """Moves the rows that are shown while the page is open."""
        async with listening(None) as subscription:
            async for records in sips(subscription, WINDOW_S):
                async with self:
                    shown = {str(row.id): row for row in self.rows}
                    moved = self._moved(records, shown)
                    if moved:
                        self.live = {**self.live, **moved}
                    stale = any(record["kind"] in ("status", "gap") for record in records)
                if stale:
                    await self._read_again()

    async def _filtered(self) -> rx.event.EventSpec:
        """The first page of what is wanted now, and its address."""
        await self._read([])
        chosen = {"dataset": self.dataset, "model": self.model, "owner": self.owner}
        set_ones = {name: value for name, value in chosen.items() if value != ANY}
        status = "" if self.status == "all" else self.status
        sort = "" if self.sort == "-created_at" else self.sort
        return remember(PATH, q=self.q, status=status, sort=sort, **set_ones)

    async def _read_choices(self) -> None:
        found = await act(self, job_choices, _set(self.owner))
        self.datasets = [{"value": ANY, "label": "Any dataset"}, *_options(found.datasets)]
        self.models = [{"value": ANY, "label": "Any model"}, *_options(found.models)]
        people = [{"value": name, "label": name} for name in found.owners]
        mine = {"value": ANY, "label": "My jobs"}
        self.owners = [mine, {"value": EVERYBODY, "label": "Everybody's"}, *people] if people else []

    async def _read(self, cursors: list[str]) -> None:
        """Fills the page that the last cursor opens."""
        try:
            actor = await find_actor(self)
            page = await act(self, list_jobs, **self._wanted(cursors))
        except AppError as error:
            self.failed, self.ready = error.message, True
            return
        self._show(page, cursors, actor.user_id if actor else 0)

    async def _read_again(self) -> None:
        """The same page once more, from a background event; dropped when the person moved on meanwhile."""
        async with self:
            cursors = list(self._cursors)
            wanted = self._wanted(cursors)
        actor = await find_actor(self)
        page = await act(self, list_jobs, **wanted)
        async with self:
            if wanted == self._wanted(self._cursors):
                self._show(page, cursors, actor.user_id if actor else 0)

    def _wanted(self, cursors: list[str]) -> dict[str, Any]:
        status = "" if self.status == "all" else self.status
        cursor = cursors[-1] if cursors else None
        return {
            "q": self.q,
            "status": status,
            "sort": self.sort,
            "limit": PAGE_SIZE,
            "cursor": cursor,
            "dataset": parse_id(self.dataset) or None,
            "model": parse_id(self.model) or None,
            "owner": _set(self.owner),
        }

    def _show(self, page: Any, cursors: list[str], reader_id: int) -> None:
        self.rows = [job_line(row, reader_id) for row in page.items]
        self._epochs = {str(row.id): row.epochs for row in page.items}
        # The ledger is a moment behind the stream: a running row must not step back.
        running = {str(row.id) for row in page.items if row.active}
        self.live = {key: cell for key, cell in self.live.items() if key in running}
        self.total, self.next_cursor = page.total, page.next or ""
        self._cursors, self.page = list(cursors), len(cursors) + 1
        self.any_jobs = bool(page.total) or self.filtered
        self.failed, self.ready = "", True

    def _moved(self, records: list[HubRecord], shown: dict[str, JobLine]) -> dict[str, LiveCell]:
        moved: dict[str, LiveCell] = {}
        for record in records:
            key = str(record["job"])
            if key not in shown or shown[key].owner or not (record["kind"] == "progress" or record["kind"] == "metric"):
                continue
            row = moved.get(key) or self.live.get(key) or _cell(shown[key])
            moved[key] = _next_cell(row, record, self._epochs.get(key, 0))
        return moved


def _id_of(text: str) -> str:
    return text if parse_id(text) else ANY


def _set(choice: str) -> str:
    return "" if choice == ANY else choice


def _options(found: list[tuple[int, str]]) -> list[dict[str, str]]:
    """Two of one name are told apart by their numbers."""
    names = Counter(name for _, name in found)
    return [{"value": str(one), "label": name if names[name] == 1 else f"{name} ({one})"} for one, name in found]


def _cell(row: JobLine) -> LiveCell:
    return LiveCell(row.share, row.percent, row.epochs, row.loss)


def _next_cell(cell: LiveCell, record: MetricRecord | ProgressRecord, epochs: int) -> LiveCell:
    value = record["values"].get("loss") if record["kind"] == "metric" else None
    loss = formatting.loss(value) if value is not None else cell.loss
    total = record["total"]
    if not total:
        return LiveCell(cell.share, cell.percent, cell.epochs, loss)
    share = min(1.0, record["step"] / total)
    done = epochs_words(record["epoch"], epochs)
    return LiveCell(round(share, 4), formatting.percent(share), done, loss)
