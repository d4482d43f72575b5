"""Choosing clips on a dataset's page, and editing labels, captions and splits of one clip or of many."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import reflex as rx
from sqlmodel import Session

from orchestrator.domain import formatting
from orchestrator.domain.errors import AppError, Conflict, Invalid, NotFound
from orchestrator.domain.users import Actor
from orchestrator.services.datasets.catalog import matching_clips
from orchestrator.services.datasets.curation.annotation_edits import add_label, remove_label, replace_in_texts
from orchestrator.services.datasets.curation.edits import Change, edit_clips
from orchestrator.services.datasets.curation.versions import EditRow
from orchestrator.services.datasets.media.clips import get_clip
from orchestrator.states.datasets.annotation_editor import AnnotationEditor
from orchestrator.states.datasets.clip_filters import ClipFilters, query_of
from orchestrator.states.datasets.detail import DatasetDetailState, part_of_page
from orchestrator.states.datasets.rows import ClipTile, clip_tile
from orchestrator.states.datasets.versions import edit_toast
from orchestrator.states.shared.dialog import Dialog
from orchestrator.states.shared.guards import problems_of, run_as_user, signed_in

ClipEdit = Callable[[Session, Actor, int, list[int]], EditRow | None]
"""An edit of clips of a dataset, by the ids of both."""
UNCHANGED = "Nothing was changed."
MAX_CHOSEN = 1_000
"""Clips chosen one by one: the tab holds their ids."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why the text last typed in a tile was not accepted."""

    clip_id: int = 0
    sentence: str = ""
    count: int = 0
    """Number of refusals so far: the same sentence may come twice."""


@dataclass(frozen=True, slots=True)
class AllMatching:
    """All clips that match filters, as they were when they were chosen."""

    filters: ClipFilters
    digest: str
    """Of the ids: shows whether the same clips still match."""


def _digest(ids: list[int]) -> str:
    return hashlib.sha256(repr(ids).encode()).hexdigest()


def _matching(session: Session, actor: Actor, dataset_id: int, filters: ClipFilters) -> list[int]:
    title, query = query_of(session, actor, dataset_id, filters)
    if filters.finding and not title:  # without the finding all clips would match
        raise NotFound("The doctor does not find this any more. Show all clips, and choose again.")
    return sorted(matching_clips(session, actor, dataset_id, **query))


def _change(
    session: Session,
    actor: Actor,
    dataset_id: int,
    ids: list[int],
    edit: ClipEdit,
    matching: AllMatching | None = None,
) -> EditRow | None:
    """Edits clips.

    Args:
        ids: the clips to edit, unless `matching` is given.
        matching: edits all clips that match these filters.

    Raises:
        Conflict: other clips match than when they were chosen.
    """
    if matching is not None:
        ids = _matching(session, actor, dataset_id, matching.filters)
        if _digest(ids) != matching.digest:
            raise Conflict("Other clips match now than when you chose them. Check them, and choose again.")
    return edit(session, actor, dataset_id, ids)


def _to(change: Change) -> ClipEdit:
    return partial(edit_clips, change=change)


@part_of_page
class DatasetClipsState(Dialog, AnnotationEditor, rx.State):
    """The chosen clips, and the clip in the dialog with what is typed there."""

    chosen: list[int] = []
    all_count: int = 0
    """How many clips match the filters, when all of them are chosen and not only the shown ones; else 0."""
    all_filters_key: str = ""
    """The filters (`DatasetDetailState.filters_key`) under which all were chosen."""
    _all_matching: AllMatching | None = None
    clip: ClipTile | None = None
    label: str = ""
    caption: str = ""
    split: str = "auto"
    _split: str = "auto"
    """The split when the dialog was opened."""
    _label: str = ""
    """The one label when the dialog was opened."""
    _caption: str = ""
    """The first caption when the dialog was opened."""
    previous_id: int = 0
    next_id: int = 0
    """The clips before and after the open one in the grid; 0 where there is none."""
    problems: dict[str, str] = {}
    refusal: Refusal = Refusal()
    bulk_problem: str = ""
    bulk_label: str = ""
    bulk_find: str = ""
    bulk_replacement: str = ""

    @rx.var
    def chosen_text(self) -> str:
        return f"{formatting.plural(self.all_count or len(self.chosen), 'clip')} chosen"

    @rx.event
    @signed_in
    async def choose(self, clip_id: int, on: bool):
        """Adds a clip to the chosen ones, or removes it."""
        page = await self.get_state(DatasetDetailState)
        same_filters = self.all_count and self.all_filters_key == page.filters_key
        before = [tile.id for tile in page.tiles] if same_filters else self.chosen
        rest = [other for other in before if other != clip_id]
        self._choose([*rest, clip_id] if on else rest)

    @rx.event
    @signed_in
    async def choose_shown(self):
        """Adds every clip that the grid shows to the chosen ones."""
        page = await self.get_state(DatasetDetailState)
        self._choose(list(dict.fromkeys([*self.chosen, *(tile.id for tile in page.tiles)])))

    @rx.event
    @signed_in
    async def choose_matching(self):
        """Chooses every clip that matches the filters, shown or not."""
        page = await self.get_state(DatasetDetailState)
        filters = page._filters()
        ids = await run_as_user(self, _matching, page._id(), filters)
        self._all_matching = AllMatching(filters, _digest(ids))
        self.all_count, self.all_filters_key = len(ids), page.filters_key
        self.chosen, self.bulk_problem = [tile.id for tile in page.tiles], ""

    @rx.event
    @signed_in
    async def choose_none(self):
        self._clear()

    @rx.event
    @signed_in
    async def type_bulk_label(self, text: str):
        self.bulk_label = text

    @rx.event
    @signed_in
    async def label_chosen(self):
        """Sets the typed label on all chosen clips."""
        return await self._bulk(_to(Change(label=self.bulk_label)))

    @rx.event
    @signed_in
    async def add_label_to_chosen(self):
        """Adds the typed label to those that the chosen clips have."""
        return await self._bulk(partial(add_label, label=self.bulk_label))

    @rx.event
    @signed_in
    async def remove_label_from_chosen(self):
        """Removes the typed label from those that the chosen clips have."""
        return await self._bulk(partial(remove_label, label=self.bulk_label))

    @rx.event
    @signed_in
    async def type_bulk_find(self, text: str):
        self.bulk_find = text

    @rx.event
    @signed_in
    async def type_bulk_replacement(self, text: str):
        self.bulk_replacement = text

    @rx.event
    @signed_in
    async def replace_in_chosen(self):
        """Replaces a text in the captions of all chosen clips."""
        return await self._bulk(partial(replace_in_texts, find=self.bulk_find, put=self.bulk_replacement))

    @rx.event
    @signed_in
    async def split_chosen(self, split: str):
        return await self._bulk(_to(Change(split=split)))

    @rx.event
    @signed_in
    async def leave_out_chosen(self):
        return await self._bulk(_to(Change(status="quarantined")))

    @rx.event
    @signed_in
    async def take_back_chosen(self):
        return await self._bulk(_to(Change(status="ok")))

    @rx.event
    @signed_in
    async def rewrite(self, clip_id: int, text: str):
        """Saves the label or caption typed in a clip's tile; a refusal is shown at the field there."""
        page = await self.get_state(DatasetDetailState)
        change = Change(**{page.annotation: text})
        try:
            edit = await run_as_user(self, _change, page._id(), [clip_id], _to(change))
        except AppError as error:
            self.refusal = Refusal(clip_id, error.message, self.refusal.count + 1)
            return None
        self.refusal = Refusal(count=self.refusal.count)
        return [edit_toast(edit, UNCHANGED), DatasetDetailState.refresh]

    @rx.event
    @signed_in
    async def open_clip(self, clip_id: int):
        """Opens the dialog with one clip."""
        await self._open(clip_id)

    async def _open(self, clip_id: int) -> None:
        row = await run_as_user(self, get_clip, clip_id)
        page = await self.get_state(DatasetDetailState)
        shown = [tile.id for tile in page.tiles]
        at = shown.index(clip_id) if clip_id in shown else -1
        self.previous_id = shown[at - 1] if at > 0 else 0
        self.next_id = shown[at + 1] if 0 <= at < len(shown) - 1 else 0
        self.clip, self.split = clip_tile(row), row.split
        self.label = self._label = row.label if len(row.labels) < 2 else ""
        self.caption = self._caption = row.captions[0] if row.captions else ""
        self._edit(row)
        self._split, self.problems, self.opened = row.split, {}, True

    @rx.event
    @signed_in
    async def go_to(self, clip_id: int):
        """Saves what was typed and opens the previous or the next clip; a refusal is shown, and the dialog stays."""
        if self.clip is None or clip_id not in (self.previous_id, self.next_id) or not clip_id:
            return None
        page = await self.get_state(DatasetDetailState)
        saved = await self._one(await self._typed(page.annotation), silent=True) if page.editable else []
        if saved is None:
            return None
        await self._open(clip_id)
        return saved

    @rx.event
    @signed_in
    async def type_label(self, text: str):
        self.label = text

    @rx.event
    @signed_in
    async def list_labels(self):
        """Edits the labels of the open clip as a list, so that it can have several."""
        self.lists_labels = True
        self.several_labels = [self.label.strip()] if self.label.strip() else []

    @rx.event
    @signed_in
    async def type_caption(self, text: str):
        self.caption = text

    @rx.event
    @signed_in
    async def choose_split(self, split: str):
        self.split = split

    @rx.event
    @signed_in
    async def save(self):
        """Saves what the dialog says; a refusal is shown at its field."""
        if self.clip is None:
            return None
        page = await self.get_state(DatasetDetailState)
        return await self._one(await self._typed(page.annotation))

    @rx.event
    @signed_in
    async def leave_out(self):
        """Leaves the open clip out of training, or takes it back in, and saves what was typed."""
        page = await self.get_state(DatasetDetailState)
        quarantined = self.clip is not None and self.clip.quarantined
        typed = await self._typed(page.annotation)
        status = "ok" if quarantined else "quarantined"
        return await self._one(None if typed is None else replace(typed, status=status))

    async def _typed(self, annotation: str) -> Change | None:
        """What differs from when the dialog was opened: another tab may have changed the rest since.

        None where a time is no number; the sentence is shown at its field.
        """
        typed = {annotation: getattr(self, annotation), "split": self.split}
        before = {"label": self._label, "caption": self._caption, "split": self._split}
        changed = {name: text for name, text in typed.items() if text != before.get(name)}
        try:
            lists = self._typed_lists(self.caption)
        except Invalid as error:
            self.problems = problems_of(error)
            return None
        if self._has_lists():
            changed.pop("caption", None)
        if self.lists_labels:
            changed.pop("label", None)
        return Change(**changed, **lists)

    def _choose(self, ids: list[int]) -> None:
        if len(ids) > MAX_CHOSEN:
            self.bulk_problem = f"At most {MAX_CHOSEN:,} clips can be chosen one by one. Filter them, and choose all."
            return
        self.chosen, self.all_count, self.bulk_problem = ids, 0, ""

    def _clear(self) -> None:
        self.chosen, self.all_count, self.bulk_problem = [], 0, ""
        self.bulk_label, self.bulk_find, self.bulk_replacement = "", "", ""

    async def _one(self, change: Change | None, silent: bool = False):
        """Saves a change of the open clip and closes the dialog; `silent`: without a word where nothing is changed."""
        if self.clip is None or change is None:
            return None
        page = await self.get_state(DatasetDetailState)
        try:
            edit = await run_as_user(self, _change, page._id(), [self.clip.id], _to(change))
        except AppError as error:
            self.problems = problems_of(error)
            return None
        if silent:
            return [edit_toast(edit, UNCHANGED), DatasetDetailState.refresh] if edit else []
        self.opened = False
        return [edit_toast(edit, UNCHANGED), DatasetDetailState.refresh]

    async def _bulk(self, edit: ClipEdit):
        page = await self.get_state(DatasetDetailState)
        try:
            edited = await run_as_user(
                self, _change, page._id(), self.chosen, edit, self._all_matching if self.all_count else None
            )
        except AppError as error:
            self.bulk_problem = error.message
            return None
        self._clear()
        return [edit_toast(edited, UNCHANGED), DatasetDetailState.refresh]
