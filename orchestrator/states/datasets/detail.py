"""One dataset's page: its clips and their statistics, and its progress while it is received and processed."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, ClassVar, TypeVar

import reflex as rx
from sqlmodel import Session

from orchestrator.domain import formatting
from orchestrator.domain.errors import Conflict
from orchestrator.domain.numbers import parse_id
from orchestrator.domain.tasks import DEFAULT_TASK, TASKS
from orchestrator.domain.users import Actor
from orchestrator.services.credentials import CredentialRow, list_credentials
from orchestrator.services.datasets.catalog import dismiss_notice, get_dataset, list_clips
from orchestrator.services.datasets.files import fetch_folders, partial_bytes
from orchestrator.services.datasets.ingest.reinterpret import request_reinterpretation
from orchestrator.services.datasets.ingest.review import accept_layout
from orchestrator.services.datasets.ingest.sources import cancel_import, request_fetch
from orchestrator.services.datasets.overview import DatasetExtras, dataset_extras
from orchestrator.services.datasets.rows import REUPLOAD_NOTE, ClipRow, DatasetRow
from orchestrator.services.datasets.statistics import ClipStatistics, clip_statistics
from orchestrator.services.paging import Page
from orchestrator.states.datasets.clip_filters import ClipFilters, query_of
from orchestrator.states.datasets.index import PATH
from orchestrator.states.datasets.layout_view import LayoutView, layout_view
from orchestrator.states.datasets.rows import (
    ClassBar,
    ClipTile,
    DatasetCard,
    LengthBar,
    clip_tile,
    columns,
    dataset_card,
    facts,
    seconds,
    size_bars,
)
from orchestrator.states.shared.address_filters import read_filter, write_filters
from orchestrator.states.shared.guards import run_as_user, signed_in, toast_for
from orchestrator.states.shared.hub_lookup import StoredToken
from orchestrator.states.shared.paging import Paged
from orchestrator.states.shared.presentation import Fact
from orchestrator.states.shared.record_page import RecordPage

SPLITS = ("train", "validation", "auto")
STATUSES = ("ok", "quarantined")
ALL_CLASSES = " "
"""The choice of all classes; a label may be "any" or "all", but never a space."""
IMBALANCE = 3
"""A class with less than a third of the largest one's clips is marked."""


@dataclass(frozen=True, slots=True)
class _Visit:
    row: DatasetRow
    extras: DatasetExtras
    finding_title: str
    """The title of the finding whose clips are shown; "" when none was asked for, or it is no longer found."""
    clips: Page[ClipRow]
    bad: Page[ClipRow]
    statistics: ClipStatistics
    fetched_bytes: int
    """Bytes of an interrupted fetch, which can be continued."""
    tokens: list[CredentialRow]
    """Stored credentials, where a failed fetch from the Hub may be repeated with one."""


def _has_no_annotated_clip(row: DatasetRow) -> bool:
    """No clip has a label or caption yet: those that wait for one are all there is to show."""
    return row.status == "ready" and not row.clip_count


def _read(
    session: Session, actor: Actor, dataset_id: int, filters: ClipFilters, limit: int, cursor: str = ""
) -> _Visit:
    row = get_dataset(session, actor, dataset_id)
    if _has_no_annotated_clip(row) and filters.status == "ok":
        filters = replace(filters, status="quarantined")
    title, query = query_of(session, actor, dataset_id, filters)
    return _Visit(
        row,
        dataset_extras(session, actor, [dataset_id]).get(dataset_id, DatasetExtras()),
        title,
        list_clips(session, actor, dataset_id, limit=limit, cursor=cursor or None, **query),
        list_clips(session, actor, dataset_id, status="bad", limit=50),
        clip_statistics(session, actor, dataset_id),
        sum(partial_bytes(folder) for folder in fetch_folders(dataset_id)) if row.status == "error" else 0,
        list_credentials(session, actor) if row.status == "error" and row.source.get("type") == "hub" else [],
    )


_PARTS: list[type[rx.State]] = []
_State = TypeVar("_State", bound=type[rx.State])
_AFTER_REFRESH: list[Callable[[int], Any]] = []


def part_of_page(state: _State) -> _State:
    """Class decorator: the state is reset whenever the page shows another dataset."""
    _PARTS.append(state)
    return state


def after_refresh(event: Callable[[int], Any]) -> None:
    """Runs an event with the dataset's id each time the page has read the dataset again."""
    _AFTER_REFRESH.append(event)


class DatasetDetailState(RecordPage, Paged, StoredToken, rx.State):
    """What one dataset's page shows."""

    PATH: ClassVar[str] = PATH
    NOUN: ClassVar[str] = "dataset"

    card: DatasetCard | None = None
    facts: list[Fact] = []
    tiles: list[ClipTile] = []
    bad_tiles: list[ClipTile] = []
    bad_count: int = 0
    bad_text: str = ""
    title: str = "Dataset"
    page_title: str = "Dataset - Loreel"
    bars: list[ClassBar] = []
    lengths: list[LengthBar] = []
    lengths_note: str = ""
    longest_text: str = ""
    balance_note: str = ""
    layout: LayoutView = LayoutView()
    has_classes: bool = True
    annotation: str = TASKS[DEFAULT_TASK].annotation.value
    """The kind of annotation that its task learns from."""
    """The clips have labels; otherwise captions."""
    size_bars: list[ClassBar] = []
    """Clips per frame size; empty where all have the same."""
    word_bars: list[LengthBar] = []
    words_note: str = ""
    most_words: str = ""
    labels: list[dict[str, str]] = []
    label: str = ""
    split: str = ""
    status: str = "ok"
    q: str = ""
    finding: str = ""
    """The kind of the finding whose clips are shown, in use or left out."""
    finding_title: str = ""
    editable: bool = False
    trainable: bool = False
    """Enough clips are annotated to train on."""
    _reading: dict[str, Any] = {}
    correctable: bool = False
    """How it is read can be corrected."""
    from_hub: bool = False
    partly_fetched: bool = False
    """Part of an interrupted fetch is stored and can be continued."""
    not_added: str = ""
    """Why the last files were not added to a dataset that is ready."""
    duplicates_note: str = ""
    """What happened to those of the last files that the dataset had already."""
    correction_problem: str = ""
    """Why the last correction could not be applied to files that wait to be accepted."""

    @rx.var
    def matching_text(self) -> str:
        return f"{self.matching:,}"

    @rx.var(deps=["label", "split", "status", "q", "finding"], auto_deps=False)
    def filters_key(self) -> str:
        """Identifies the filters, for comparison with others."""
        return repr(self._filters())

    @rx.event
    @signed_in
    async def load(self):
        """on_load: clears the page unless it shows this dataset already, and takes the filters from the address."""
        if self.record_id != self._id():
            await self._reset_page()
        before = self._filters()
        self.label = read_filter(self, "class", limit=200)
        self.split = read_filter(self, "split", SPLITS)
        self.status = read_filter(self, "clips", STATUSES) or "ok"
        self.q, self.finding = read_filter(self, "q"), read_filter(self, "finding", limit=40)
        if before != self._filters():
            self._rewind()
        return await self._refresh()

    @rx.event
    @signed_in
    async def cancel(self):
        """Stops fetching or reading; clips that the dataset had before stay."""
        row = await run_as_user(self, cancel_import, self._id())
        events = await self._refresh()
        kept = "Clips that were here before stay." if row.clip_count else "None of its files were kept."
        return [rx.toast.info(f"Stopped. {kept}"), *events]

    @rx.event
    @signed_in
    async def accept(self):
        """Accepts how the files were understood: the clips are imported now."""
        return await self._request(accept_layout)

    @rx.event
    @signed_in
    async def write_by_hand(self):
        """Imports the clips without labels or captions, which are then written on this page."""
        return await self._request(request_reinterpretation, dict(self._reading) | {"by_hand": True})

    @rx.event
    @signed_in
    async def dismiss(self):
        """Hides the notice about the last files."""
        return await self._request(dismiss_notice)

    @rx.event
    @signed_in
    async def fetch_again(self):
        """Fetches from the same address again; from the Hub with the chosen token."""
        return await self._request(request_fetch, credential_id=parse_id(self.stored))

    @rx.event
    @signed_in
    async def filter_label(self, label: str):
        """Shows one class, or all."""
        self.label = "" if label == ALL_CLASSES else label
        return await self._apply_filters()

    @rx.event
    @signed_in
    async def filter_split(self, split: str):
        self.split = split if split in SPLITS else ""
        return await self._apply_filters()

    @rx.event
    @signed_in
    async def filter_status(self, status: str):
        self.status = status if status in STATUSES else "ok"
        return await self._apply_filters()

    @rx.event
    @signed_in
    async def show_finding(self, kind: str):
        """Shows only the clips of one finding of the doctor; "" shows all again."""
        self.label, self.split, self.q, self.finding = "", "", "", kind[:40]
        return [*await self._apply_filters(), *([rx.scroll_to("clips")] if kind else [])]

    @rx.event
    @signed_in
    async def search(self, q: str):
        self.q = q[:80]
        return await self._apply_filters()

    async def _request(self, service: Callable[..., Any], *args: Any, **kwargs: Any):
        """Calls a service, then refreshes the page, also after a refusal: another tab may have been faster."""
        refused = []
        try:
            await run_as_user(self, service, self._id(), *args, **kwargs)
        except Conflict as error:
            refused = [toast_for(error)]
        return [*refused, *await self._refresh()]

    def _filters(self) -> ClipFilters:
        return ClipFilters(self.label, self.split, self.status, self.q, self.finding)

    def _query(self) -> tuple[int, ClipFilters, int, str]:
        return self._id(), self._filters(), self.limit, self._cursor

    async def _read(self, *query: Any) -> _Visit:
        return await run_as_user(self, _read, *query)

    async def _read_now(self) -> _Visit:
        visit = await self._read(*self._query())
        return await self._read(*self._query()) if self._rewind_if_empty(visit.clips) else visit

    def _is_changing(self) -> bool:
        """It is being received or processed."""
        return self.card is not None and self.card.busy

    def _events_after_refresh(self) -> list[Any]:
        """What is read after the clips, so that a large dataset's page does not wait for it."""
        return [event(self.card.id) for event in _AFTER_REFRESH] if self.card is not None else []

    async def _reset_page(self) -> None:
        self.reset()
        for state in _PARTS:
            (await self.get_state(state)).reset()

    async def _refresh(self) -> list[Any]:
        events = await super()._refresh()
        return events if isinstance(events, list) else [events] if events else []

    async def _apply_filters(self):
        self._rewind()
        events = await self._refresh()
        status = "" if self.status == "ok" else self.status
        filters = {"class": self.label, "split": self.split, "clips": status, "q": self.q, "finding": self.finding}
        return [write_filters(f"{PATH}/{self._id()}", **filters), *events]

    def _show(self, visit: _Visit) -> None:
        row = visit.row
        self.card, self.finding_title = dataset_card(row, visit.extras), visit.finding_title
        self.finding = self.finding if visit.finding_title else ""
        self.title, self.from_hub = row.name, row.source.get("type") == "hub"
        self.page_title = (row.name if row.status == "ready" else f"{row.name}, {row.status}") + " - Loreel"
        self.partly_fetched = visit.fetched_bytes > 0
        self._offer_tokens(visit.tokens)
        self._show_status(row)
        self._show_clips(visit)
        self._show_statistics(row, visit.statistics)

    def _show_status(self, row: DatasetRow) -> None:
        """What can be done with the dataset now, and the notices about its last files."""
        ready, in_review = row.status == "ready", row.stage == "review"
        self.editable = ready and not row.is_demo
        self.correctable = self.editable or in_review or (row.status == "error" and bool(row.layout.get("title")))
        self.status = "quarantined" if _has_no_annotated_clip(row) else self.status
        enough = row.clip_count > 0 and (not TASKS[row.task].has_classes or len(row.class_names) > 1)
        self.trainable, self._reading = ready and enough, row.layout.get("reading") or {}
        self.not_added = row.error if ready else ""
        self.duplicates_note = str(row.layout.get(REUPLOAD_NOTE) or "") if ready else ""
        self.correction_problem = row.error if in_review else ""

    def _show_clips(self, visit: _Visit) -> None:
        self.tiles = [clip_tile(clip) for clip in visit.clips.items]
        self.bad_tiles, self.bad_count = [clip_tile(clip) for clip in visit.bad.items], visit.bad.total
        shown = f"the first {len(self.bad_tiles)} of " if len(self.bad_tiles) < visit.bad.total else ""
        self.bad_text = shown + formatting.plural(visit.bad.total, "file")
        self._set_page(visit.clips)

    def _show_statistics(self, row: DatasetRow, statistics: ClipStatistics) -> None:
        classes, captions = statistics.classes, statistics.captions
        self.facts = facts(row, statistics)
        self.has_classes, self.annotation = TASKS[row.task].has_classes, TASKS[row.task].annotation.value
        self.layout = layout_view(row.layout, statistics.splits, row.task)
        self.labels = [{"value": ALL_CLASSES, "label": "All classes"}]
        self.labels += [{"value": name, "label": name, "hint": formatting.count(n)} for name, n in sorted(classes)]
        most = classes[0][1] if classes else 1
        self.bars = [ClassBar(name, formatting.count(n), 100 * n / most, n * IMBALANCE < most) for name, n in classes]
        self.balance_note = f"largest {most:,}, smallest {classes[-1][1]:,}" if len(classes) > 1 else ""
        self.lengths = columns(statistics.lengths, "{:.1f} to {:.1f}\u00a0s")
        self.size_bars = size_bars(statistics)
        self.word_bars = columns(captions.bins, "{:.0f} to {:.0f} words") if captions else []
        self.words_note = f"median {captions.median:.0f} words" if captions else ""
        self.most_words = formatting.plural(captions.longest, "word") if captions else ""
        self.lengths_note = f"median {seconds(statistics.median_s)}"
        self.longest_text = seconds(statistics.longest_s)
