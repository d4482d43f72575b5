"""The list of training jobs: search, filters, sorting, paging, and rows that update while jobs run."""

from collections import Counter
from dataclasses import dataclass
from typing import Any, ClassVar

import reflex as rx
from sqlmodel import Session

from orchestrator.domain import formatting
from orchestrator.domain.live_records import HubRecord, MetricRecord, ProgressRecord
from orchestrator.domain.numbers import parse_id
from orchestrator.domain.users import Actor
from orchestrator.services.demo import find_demo
from orchestrator.services.paging import Page
from orchestrator.services.training.filters import EVERYBODY, job_choices
from orchestrator.services.training.jobs import count_jobs, list_jobs
from orchestrator.services.training.rows import JobRow
from orchestrator.states.jobs.demo import DemoLaunch
from orchestrator.states.jobs.rows import JobLine, LiveCell, epochs_text, job_line
from orchestrator.states.shared.address_filters import read_filter, write_filters
from orchestrator.states.shared.guards import run_as_user, signed_in
from orchestrator.states.shared.list_state import Listed
from orchestrator.states.shared.live import batches, listening

PATH = "/jobs"
ANY = "any"
"""No filter: a select cannot hold an empty value."""
STATUSES = {
    "active": "Active",
    "queued": "Waiting",
    "running": "Running",
    "completed": "Completed",
    "failed": "Failed",
    "stopped": "Stopped",
}
SORTS = {
    "-created_at": "Newest first",
    "created_at": "Oldest first",
    "-result": "Best result first",
    "result": "Lowest result first",
    "name": "Name, A to Z",
    "-name": "Name, Z to A",
    "dataset": "Dataset, A to Z",
    "-dataset": "Dataset, Z to A",
    "model": "Model, A to Z",
    "-model": "Model, Z to A",
    "status": "Status",
    "-status": "Status, reversed",
    "-started_at": "Last started first",
    "started_at": "First started first",
}
MAX_COMPARED = 20
WINDOW_S = 0.25
"""Rows update at most four times a second."""


@dataclass(frozen=True, slots=True)
class _Listing:
    page: Page[JobRow]
    total: int
    reader_id: int
    counts: dict[str, int]
    """How many jobs each status selects, with the other filters."""


def _read(
    session: Session, actor: Actor, q: str, status: str, sort: str, chosen: dict[str, str], limit: int, cursor: str
) -> _Listing:
    filters: dict[str, Any] = {
        "q": q,
        "dataset": parse_id(chosen["dataset"]) or None,
        "model": parse_id(chosen["model"]) or None,
        "owner": _value(chosen["owner"]),
    }
    page = list_jobs(session, actor, status=status, sort=sort, limit=limit, cursor=cursor or None, **filters)
    counts = count_jobs(session, actor, **filters)
    return _Listing(page, list_jobs(session, actor, limit=1).total, actor.user_id, counts)


class JobsState(Listed, DemoLaunch, rx.State):
    """The user's jobs, a page at a time; `live` holds only what changes while they run."""

    PATH: ClassVar[str] = PATH
    STATUSES: ClassVar = STATUSES
    SORTS: ClassVar = SORTS

    rows: list[JobLine] = []
    live: dict[str, LiveCell] = {}
    dataset: str = ANY
    model: str = ANY
    owner: str = ANY
    """For an administrator: whose jobs; ANY: their own."""
    datasets: list[dict[str, str]] = []
    models: list[dict[str, str]] = []
    owners: list[dict[str, str]] = []
    statuses: list[dict[str, str]] = []
    """The choices of each filter, as the kit's select takes them."""
    chosen: list[int] = []
    """Jobs chosen to be compared."""
    demo_href: str = ""
    """The address that trains the demo in one click; only looked up while there are no jobs."""
    _epochs: dict[str, int] = {}

    @rx.var
    def filtered(self) -> bool:
        """A search or a filter hides jobs."""
        return bool(self.q or self.status) or {self.dataset, self.model, self.owner} != {ANY}

    @rx.var
    def compare_href(self) -> str:
        return f"/jobs/compare?ids={','.join(map(str, self.chosen))}"

    @rx.event
    @signed_in
    async def load(self):
        """on_load: opens the list with the filters of the address, then follows the live records."""
        self._take_address()
        await self._read_choices()
        await self._refresh()
        if not self.problem and not self.total:
            self.demo_href = (await run_as_user(self, find_demo)).href
        return JobsState.watch

    @rx.event
    @signed_in
    async def choose(self, job_id: int, picked: bool):
        """Chooses a job to be compared, or drops it."""
        others = [other for other in self.chosen if other != int(job_id)]
        self.chosen = [*others, int(job_id)][:MAX_COMPARED] if picked else others

    @rx.event
    @signed_in
    async def choose_none(self):
        self.chosen = []

    @rx.event
    @signed_in
    async def filter_dataset(self, dataset: str):
        """Shows the jobs that train on one dataset."""
        self.dataset = _id_or_any(dataset)
        return await self._apply_filters()

    @rx.event
    @signed_in
    async def filter_model(self, model: str):
        """Shows the jobs that train one base model."""
        self.model = _id_or_any(model)
        return await self._apply_filters()

    @rx.event
    @signed_in
    async def filter_owner(self, owner: str):
        """Shows the user's own jobs, another user's, or everyone's; the service allows this to administrators only."""
        self.owner, self.dataset, self.model = owner[:64], ANY, ANY
        await self._read_choices()
        return await self._apply_filters()

    @rx.event
    @signed_in
    async def clear_filters(self):
        self.q = self.status = ""
        self.dataset, self.model, self.owner = ANY, ANY, ANY
        await self._read_choices()
        return await self._apply_filters()

    @rx.event(background=True)
    @signed_in
    async def watch(self):
        """Updates the shown rows from live records while the page is open."""
        async with listening(None) as subscription:
            async for records in batches(subscription, WINDOW_S):
                async with self:
                    shown = {str(row.id): row for row in self.rows}
                    changed = self._changed_cells(records, shown)
                    if changed:
                        self.live = {**self.live, **changed}
                    stale = any(record["kind"] in ("status", "gap") for record in records)
                if stale:
                    await self._read_again()

    def _read_address(self) -> None:
        self.q, self.status = read_filter(self, "q", limit=100), read_filter(self, "status", STATUSES)
        self.sort, self.owner = read_filter(self, "sort", SORTS), read_filter(self, "owner") or ANY
        self.dataset, self.model = (_id_or_any(read_filter(self, name)) for name in ("dataset", "model"))

    def _query(self) -> tuple[Any, ...]:
        chosen = {"dataset": self.dataset, "model": self.model, "owner": self.owner}
        return self.q, self.status, self._sort_key(), chosen, self.limit, self._cursor

    async def _read(self, *query: Any) -> _Listing:
        return await run_as_user(self, _read, *query)

    def _write_address(self) -> rx.event.EventSpec:
        chosen = {name: _value(getattr(self, name)) for name in ("dataset", "model", "owner")}
        return write_filters(PATH, q=self.q, status=self.status, sort=self.sort, **chosen)

    async def _read_choices(self) -> None:
        choices = await run_as_user(self, job_choices, _value(self.owner))
        self.datasets = [{"value": ANY, "label": "Any dataset"}, *_options(choices.datasets)]
        self.models = [{"value": ANY, "label": "Any model"}, *_options(choices.models)]
        users = [{"value": name, "label": name} for name in choices.owners]
        own = {"value": ANY, "label": "My jobs"}
        self.owners = [own, {"value": EVERYBODY, "label": "Everyone's"}, *users] if users else []

    def _fill(self, listing: _Listing) -> None:
        jobs = listing.page.items
        self.rows = [job_line(row, listing.reader_id) for row in jobs]
        self._epochs = {str(row.id): row.epochs for row in jobs}
        # The database is a moment behind the live records: a running row must not go back.
        running = {str(row.id) for row in jobs if row.active}
        self.live = {key: cell for key, cell in self.live.items() if key in running}
        self.total = listing.total
        words = {"all": "All", **STATUSES}
        self.statuses = [
            {"value": key, "label": f"{word} ({formatting.count(listing.counts[key])})"} for key, word in words.items()
        ]

    def _changed_cells(self, records: list[HubRecord], shown: dict[str, JobLine]) -> dict[str, LiveCell]:
        changed: dict[str, LiveCell] = {}
        for record in records:
            key = str(record["job"])
            if key not in shown or shown[key].owner or not (record["kind"] == "progress" or record["kind"] == "metric"):
                continue
            cell = changed.get(key) or self.live.get(key) or _cell(shown[key])
            changed[key] = _next_cell(cell, record, self._epochs.get(key, 0))
        return changed


def _id_or_any(text: str) -> str:
    return text if parse_id(text) else ANY


def _value(choice: str) -> str:
    return "" if choice == ANY else choice


def _options(named: list[tuple[int, str]]) -> list[dict[str, str]]:
    """Choices with their names; two with the same name also show their ids."""
    names = Counter(name for _, name in named)
    return [{"value": str(key), "label": name if names[name] == 1 else f"{name} ({key})"} for key, name in named]


def _cell(row: JobLine) -> LiveCell:
    return LiveCell(row.share, row.percent, row.epochs, row.loss)


def _next_cell(cell: LiveCell, record: MetricRecord | ProgressRecord, epochs: int) -> LiveCell:
    value = record["values"].get("loss") if record["kind"] == "metric" else None
    loss = formatting.loss(value) if value is not None else cell.loss
    total = record["total"]
    if not total:
        return LiveCell(cell.share, cell.percent, cell.epochs, loss)
    share = min(1.0, record["step"] / total)
    done = epochs_text(record["epoch"], epochs)
    return LiveCell(round(share, 4), formatting.percent(share), done, loss)
