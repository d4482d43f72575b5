"""One dataset's page: its clips by class, what they are like together, and its progress while it is being made."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import reflex as rx
from sqlmodel import Session

from orchestrator.domain.errors import AppError, Conflict, NotFound, NotSignedIn
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
from orchestrator.states.datasets.clip_filters import Wanted, filters_of
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
from orchestrator.states.shared import formatting
from orchestrator.states.shared.address_filters import filter_of, is_on, remember
from orchestrator.states.shared.guards import act, said, signed_in
from orchestrator.states.shared.hub_lookup import StoredToken
from orchestrator.states.shared.paging import Windowed
from orchestrator.states.shared.presentation import Fact

LOOK_AGAIN_S = 1.0
SPLITS = ("train", "validation", "auto")
STATUSES = ("ok", "quarantined")
ALL_CLASSES = " "
"""In the choice of a class; no label is this, as one may be "any"."""
UNEVEN = 3
"""A class with less than a third of the largest one is marked."""


@dataclass(frozen=True, slots=True)
class _Visit:
    row: DatasetRow
    extras: DatasetExtras
    finding: str
    """What the doctor says of the clips that are shown; "" when nothing was asked for, or it is found no more."""
    clips: Page[ClipRow]
    bad: Page[ClipRow]
    footage: ClipStatistics
    begun: int
    """Bytes of a fetch that broke off, to be gone on from."""
    tokens: list[CredentialRow]
    """Stored credentials, where a fetch from the Hub may be tried again with one."""


def _mute(row: DatasetRow) -> bool:
    """None of its clips says anything yet: those that wait for their words are all there is to see."""
    return row.status == "ready" and not row.clip_count


def _read(session: Session, actor: Actor, dataset_id: int, wanted: Wanted, limit: int, cursor: str = "") -> _Visit:
    row = get_dataset(session, actor, dataset_id)
    if _mute(row) and wanted.status == "ok":
        wanted = replace(wanted, status="quarantined")
    title, filters = filters_of(session, actor, dataset_id, wanted)
    return _Visit(
        row,
        dataset_extras(session, actor, [dataset_id]).get(dataset_id, DatasetExtras()),
        title,
        list_clips(session, actor, dataset_id, limit=limit, cursor=cursor or None, **filters),
        list_clips(session, actor, dataset_id, status="bad", limit=50),
        clip_statistics(session, actor, dataset_id),
        sum(partial_bytes(folder) for folder in fetch_folders(dataset_id)) if row.status == "error" else 0,
        list_credentials(session, actor) if row.status == "error" and row.source.get("type") == "hub" else [],
    )


_PARTS: list[type[rx.State]] = []
_AFTER_REFRESH: list[Callable[[int], Any]] = []


def part_of_page(state: type[rx.State]) -> type[rx.State]:
    """Class decorator: the state is reset whenever the page shows another dataset."""
    _PARTS.append(state)
    return state


def after_refresh(event: Callable[[int], Any]) -> None:
    """Runs an event with the dataset's id each time the page has read the dataset again."""
    _AFTER_REFRESH.append(event)


class DatasetDetailState(Windowed, StoredToken, rx.State):
    """What one dataset's page shows; `dataset_id` comes with the address."""

    card: DatasetCard | None = None
    facts: list[Fact] = []
    tiles: list[ClipTile] = []
    bad_tiles: list[ClipTile] = []
    bad_count: int = 0
    bad_text: str = ""
    title: str = "Dataset"
    tab: str = "Dataset - Loreel"
    bars: list[ClassBar] = []
    lengths: list[LengthBar] = []
    lengths_note: str = ""
    longest_text: str = ""
    balance_note: str = ""
    layout: LayoutView = LayoutView()
    has_classes: bool = True
    annotation: str = TASKS[DEFAULT_TASK].annotation.value
    """The kind of annotation that its task learns from."""
    """The task learns classes; otherwise captions."""
    size_bars: list[ClassBar] = []
    """Frame sizes with their clips; none where all clips have the same."""
    word_bars: list[LengthBar] = []
    words_note: str = ""
    most_words: str = ""
    labels: list[dict[str, str]] = []
    label: str = ""
    split: str = ""
    status: str = "ok"
    q: str = ""
    found: str = ""
    """The finding whose clips are shown, whatever their use is."""
    finding: str = ""
    """What it says."""
    editable: bool = False
    trainable: bool = False
    """Its clips say enough to learn from."""
    _reading: dict[str, Any] = {}
    correctable: bool = False
    """It may be read once more in another way."""
    from_hub: bool = False
    begun: bool = False
    """Part of what could not be fetched is here, to be gone on from."""
    not_added: str = ""
    """Why the last files did not come into a dataset that is ready."""
    came_again: str = ""
    """What became of those of the last files that it had already."""
    not_followed: str = ""
    """Why the last correction of what waits to be accepted could not be followed."""
    loaded: bool = False
    missing: bool = False
    problem: str = ""

    @rx.var
    def matching_text(self) -> str:
        return f"{self.matching:,}"

    @rx.var(deps=["label", "split", "status", "q", "found"], auto_deps=False)
    def asked(self) -> str:
        """The filters, to be compared with others."""
        return repr(self._wanted())

    @rx.event
    @signed_in
    async def load(self):
        """on_load: forgets the dataset shown before, unless it is the same one (a reconnect)."""
        wanted = self._id()
        if self.card is None or self.card.id != wanted:
            self.reset()
            for state in _PARTS:  # what was chosen, found or opened there is not of this one
                (await self.get_state(state)).reset()
        before = self._wanted()
        self.label = filter_of(self, "class", limit=200)
        self.split = filter_of(self, "split", SPLITS)
        self.status = filter_of(self, "clips", STATUSES) or "ok"
        self.q, self.found = filter_of(self, "q"), filter_of(self, "finding", limit=40)
        if before != self._wanted():
            self._from_the_start()
        return await self._refresh()

    @rx.event
    @signed_in
    async def refresh(self):
        return await self._refresh()

    @rx.event
    @signed_in
    async def cancel(self):
        """Stops fetching or reading; what was there before stays."""
        row = await act(self, cancel_import, self._id())
        again = await self._refresh()
        kept = "What was there before stays." if row.clip_count else "Nothing of it was kept."
        return [rx.toast.info(f"Stopped. {kept}"), *again]

    @rx.event
    @signed_in
    async def accept(self):
        """It was understood rightly: the clips are read now."""
        return await self._ask(accept_layout)

    @rx.event
    @signed_in
    async def write_by_hand(self):
        """The clips come in as they are; what they say is written here."""
        return await self._ask(request_reinterpretation, dict(self._reading) | {"by_hand": True})

    @rx.event
    @signed_in
    async def dismiss(self):
        """The person has read what became of the last files."""
        return await self._ask(dismiss_notice)

    @rx.event
    @signed_in
    async def fetch_again(self):
        """Once more from the same address, on the Hub with the chosen token."""
        return await self._ask(request_fetch, credential_id=self._token_id())

    @rx.event
    @signed_in
    async def filter_label(self, label: str):
        """Shows one class, or all."""
        self.label = "" if label == ALL_CLASSES else label
        return await self._filtered()

    @rx.event
    @signed_in
    async def filter_split(self, split: str):
        self.split = split if split in SPLITS else ""
        return await self._filtered()

    @rx.event
    @signed_in
    async def filter_status(self, status: str):
        self.status = status if status in STATUSES else "ok"
        return await self._filtered()

    @rx.event
    @signed_in
    async def show_finding(self, kind: str):
        """Only the clips that a finding of the doctor is about; "" shows all again."""
        self.label, self.split, self.q, self.found = "", "", "", kind[:40]
        return [*await self._filtered(), *([rx.scroll_to("clips")] if kind else [])]

    @rx.event
    @signed_in
    async def search(self, q: str):
        self.q = q[:80]
        return await self._filtered()

    @rx.event(background=True, supersedes=True)
    @signed_in
    async def watch(self):
        """Looks again while the dataset is being received or processed; ends with the page."""
        while self.card is not None and self.card.busy and is_on(self, f"/datasets/{self.card.id}"):
            await asyncio.sleep(LOOK_AGAIN_S)
            async with self:
                wanted = self._id(), self._wanted(), self.shown, self._cursor
            try:
                visit = await act(self, _read, *wanted)
            except NotFound:
                async with self:
                    self.missing = True
                return None
            async with self:
                if wanted == (self._id(), self._wanted(), self.shown, self._cursor):
                    self._show(visit)
        return [event(self.card.id) for event in _AFTER_REFRESH] if self.card is not None else []

    async def _ask(self, service: Callable[..., Any], *given: Any, **named: Any):
        """The wish, then the page anew, also after a refusal: another tab may have been quicker."""
        refused = []
        try:
            await act(self, service, self._id(), *given, **named)
        except Conflict as error:
            refused = [said(error)]
        again = await self._refresh()
        return [*refused, *again]

    def _id(self) -> int:
        text = str(self.router.url.path).rstrip("/").rpartition("/")[2]
        return parse_id(text)

    async def _refresh(self) -> list[Any]:
        try:
            visit = await act(self, _read, self._id(), self._wanted(), self.shown, self._cursor)
            if self._emptied(visit.clips):
                visit = await act(self, _read, self._id(), self._wanted(), self.shown, self._cursor)
            self._show(visit)
        except NotSignedIn:
            raise
        except NotFound:
            self.missing, self.loaded = True, True
            return []
        except AppError as error:
            self.problem, self.loaded = error.message, True
            return []
        if self.card is not None and self.card.busy:
            return [DatasetDetailState.watch]
        # Read afterwards: a large dataset's page does not wait for it.
        return [event(self.card.id) for event in _AFTER_REFRESH] if self.card is not None else []

    def _wanted(self) -> Wanted:
        return Wanted(self.label, self.split, self.status, self.q, self.found)

    async def _filtered(self):
        self._from_the_start()
        again = await self._refresh()
        status = "" if self.status == "ok" else self.status
        filters = {"class": self.label, "split": self.split, "clips": status, "q": self.q}
        filters["finding"] = self.found
        return [remember(f"/datasets/{self._id()}", **filters), *again]

    def _show(self, visit: _Visit) -> None:
        row, film = visit.row, visit.footage
        self.card, self.finding = dataset_card(row, visit.extras), visit.finding
        self.found = self.found if visit.finding else ""
        self.tiles = [clip_tile(clip) for clip in visit.clips.items]
        self.bad_tiles, self.bad_count = [clip_tile(clip) for clip in visit.bad.items], visit.bad.total
        held = f"the first {len(self.bad_tiles)} of " if len(self.bad_tiles) < visit.bad.total else ""
        self.bad_text = held + formatting.plural(visit.bad.total, "file")
        self.title, self.from_hub = row.name, row.source.get("type") == "hub"
        self.begun = visit.begun > 0
        self._offer_tokens(visit.tokens)
        self.editable = row.status == "ready" and not row.is_demo
        waits = row.stage == "review"
        self.correctable = self.editable or waits or (row.status == "error" and bool(row.layout.get("title")))
        self.status = "quarantined" if _mute(row) else self.status
        enough = row.clip_count > 0 and (not TASKS[row.task].has_classes or len(row.class_names) > 1)
        self.trainable, self._reading = row.status == "ready" and enough, row.layout.get("reading") or {}
        self.not_added = row.error if row.status == "ready" else ""
        self.came_again = str(row.layout.get(REUPLOAD_NOTE) or "") if row.status == "ready" else ""
        self.not_followed = row.error if waits else ""
        self.tab = (row.name if row.status == "ready" else f"{row.name}, {row.status}") + " - Loreel"
        self._place(visit.clips)
        self.facts = facts(row, film)
        self.has_classes, self.annotation = TASKS[row.task].has_classes, TASKS[row.task].annotation.value
        self.layout = layout_view(row.layout, film.splits, row.task)
        self.labels = [{"value": ALL_CLASSES, "label": "All classes"}]
        self.labels += [{"value": name, "label": name, "hint": formatting.count(n)} for name, n in sorted(film.classes)]
        top = film.classes[0][1] if film.classes else 1
        self.bars = [ClassBar(name, formatting.count(n), 100 * n / top, n * UNEVEN < top) for name, n in film.classes]
        self.balance_note = f"largest {top:,}, smallest {film.classes[-1][1]:,}" if len(film.classes) > 1 else ""
        self.lengths = columns(film.lengths, "{:.1f} to {:.1f}\u00a0s")
        self.size_bars = size_bars(film)
        spoken = film.captions
        self.word_bars = columns(spoken.bins, "{:.0f} to {:.0f} words") if spoken else []
        self.words_note = f"median {spoken.median:.0f} words" if spoken else ""
        self.most_words = formatting.plural(spoken.longest, "word") if spoken else ""
        self.lengths_note = f"median {seconds(film.median_s)}"
        self.longest_text = seconds(film.longest_s)
        self.missing, self.problem, self.loaded = False, "", True
