"""Choosing clips on a dataset's page and changing what is said about them, one in its tile or dialog, many in a bar."""

import hashlib
from dataclasses import dataclass, replace

import reflex as rx
from sqlmodel import Session

from orchestrator.domain.errors import AppError, Conflict, NotFound, NotSignedIn
from orchestrator.domain.users import Actor
from orchestrator.services.datasets.catalog import matching_clips
from orchestrator.services.datasets.curation.edits import Change, edit_clips, replace_in_captions
from orchestrator.services.datasets.curation.versions import EditRow
from orchestrator.services.datasets.media.clips import get_clip
from orchestrator.states.datasets.clip_filters import Wanted, filters_of
from orchestrator.states.datasets.detail import DatasetDetailState, part_of_page
from orchestrator.states.datasets.rows import ClipTile, clip_tile
from orchestrator.states.datasets.versions import done
from orchestrator.states.shared import formatting
from orchestrator.states.shared.guards import act, problems_of, signed_in

UNCHANGED = "Nothing was changed."
MOST_CHOSEN = 1_000
"""One by one: the tab holds their ids."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why the last words typed in a tile were not taken."""

    clip_id: int = 0
    sentence: str = ""
    count: int = 0
    """How many there were: the same sentence may come twice."""


@dataclass(frozen=True, slots=True)
class Every:
    """All clips that filters let through, as they were when somebody chose them."""

    filters: Wanted
    mark: str
    """Tells whether the filters let through the same clips still."""


def _mark(ids: list[int]) -> str:
    return hashlib.sha256(repr(ids).encode()).hexdigest()


def _matching(session: Session, actor: Actor, dataset_id: int, wanted: Wanted) -> list[int]:
    finding, filters = filters_of(session, actor, dataset_id, wanted)
    if wanted.found and not finding:  # all clips would match
        raise NotFound("The doctor does not find this any more. Show all clips, and choose again.")
    return sorted(matching_clips(session, actor, dataset_id, **filters))


def _change(
    session: Session,
    actor: Actor,
    dataset_id: int,
    ids: list[int],
    change: Change | tuple[str, str],
    every: Every | None = None,
) -> EditRow | None:
    """`change`: new values, or words of captions and what to put in their place; `every`: all that match, not `ids`."""
    if every is not None:
        ids = _matching(session, actor, dataset_id, every.filters)
        if _mark(ids) != every.mark:
            raise Conflict("Other clips match by now than when you chose them. Look at them, and choose them again.")
    if isinstance(change, Change):
        return edit_clips(session, actor, dataset_id, ids, change)
    return replace_in_captions(session, actor, dataset_id, ids, *change)


@part_of_page
class DatasetClips(rx.State):
    """The chosen clips, and the clip that is open in the dialog with what is typed there."""

    chosen: list[int] = []
    whole: int = 0
    """How many match the filters, when all of them are chosen and not only those that are shown; else 0."""
    asked: str = ""
    """The filters (`DatasetDetailState.asked`) under which all were chosen."""
    _every: Every | None = None
    clip: ClipTile | None = None
    opened: bool = False
    label: str = ""
    caption: str = ""
    split: str = "auto"
    _split: str = "auto"
    """As it was when the dialog was opened."""
    problems: dict[str, str] = {}
    refusal: Refusal = Refusal()
    bulk_problem: str = ""
    bulk_label: str = ""
    bulk_find: str = ""
    bulk_put: str = ""

    @rx.var
    def chosen_text(self) -> str:
        return f"{formatting.plural(self.whole or len(self.chosen), 'clip')} chosen"

    @rx.event
    @signed_in
    async def choose(self, clip_id: int, on: bool):
        """Adds a clip to the chosen ones, or takes it out."""
        page = await self.get_state(DatasetDetailState)
        before = [tile.id for tile in page.tiles] if self.whole and self.asked == page.asked else self.chosen
        rest = [other for other in before if other != clip_id]
        self._choose([*rest, clip_id] if on else rest)

    @rx.event
    @signed_in
    async def choose_shown(self):
        """Every clip that the grid shows, beside those that are chosen already."""
        page = await self.get_state(DatasetDetailState)
        self._choose(list(dict.fromkeys([*self.chosen, *(tile.id for tile in page.tiles)])))

    @rx.event
    @signed_in
    async def choose_matching(self):
        """Every clip that the filters let through, also those that are not shown."""
        page = await self.get_state(DatasetDetailState)
        wanted = page._wanted()
        ids = await act(self, _matching, page._id(), wanted)
        self._every, self.whole, self.asked = Every(wanted, _mark(ids)), len(ids), page.asked
        self.chosen, self.bulk_problem = [tile.id for tile in page.tiles], ""

    @rx.event
    @signed_in
    async def choose_none(self):
        self._forget()

    @rx.event
    @signed_in
    async def type_bulk_label(self, text: str):
        self.bulk_label = text

    @rx.event
    @signed_in
    async def label_chosen(self):
        """The typed label for all chosen clips."""
        return await self._bulk(Change(label=self.bulk_label))

    @rx.event
    @signed_in
    async def type_bulk_find(self, text: str):
        self.bulk_find = text

    @rx.event
    @signed_in
    async def type_bulk_put(self, text: str):
        self.bulk_put = text

    @rx.event
    @signed_in
    async def replace_in_chosen(self):
        """Other words for some of the captions of all chosen clips."""
        return await self._bulk((self.bulk_find, self.bulk_put))

    @rx.event
    @signed_in
    async def split_chosen(self, split: str):
        return await self._bulk(Change(split=split))

    @rx.event
    @signed_in
    async def leave_out_chosen(self):
        return await self._bulk(Change(status="quarantined"))

    @rx.event
    @signed_in
    async def take_back_chosen(self):
        return await self._bulk(Change(status="ok"))

    @rx.event
    @signed_in
    async def rewrite(self, clip_id: int, text: str):
        """The label or caption that was typed in a clip's tile; a refusal stays beside the field there."""
        page = await self.get_state(DatasetDetailState)
        change = Change(**{page.annotation: text})
        try:
            edit = await act(self, _change, page._id(), [clip_id], change)
        except NotSignedIn:
            raise
        except AppError as error:
            self.refusal = Refusal(clip_id, error.message, self.refusal.count + 1)
            return None
        self.refusal = Refusal(count=self.refusal.count)
        return [done(edit, UNCHANGED), DatasetDetailState.refresh]

    @rx.event
    @signed_in
    async def open_clip(self, clip_id: int):
        """Opens one clip with its player and its words."""
        row = await act(self, get_clip, clip_id)
        self.clip, self.label, self.caption, self.split = clip_tile(row), row.label, row.caption, row.split
        self._split, self.problems, self.opened = row.split, {}, True

    @rx.event
    @signed_in
    async def show(self, opened: bool):
        self.opened = opened and self.opened

    @rx.event
    @signed_in
    async def type_label(self, text: str):
        self.label = text

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
        """Keeps what the dialog says; a refusal stays beside its field."""
        if self.clip is None:
            return None
        page = await self.get_state(DatasetDetailState)
        return await self._one(self._typed(page.annotation))

    @rx.event
    @signed_in
    async def leave_out(self):
        """Leaves the open clip out, or takes it back in, with what was typed."""
        page = await self.get_state(DatasetDetailState)
        quarantined = self.clip is not None and self.clip.quarantined
        return await self._one(replace(self._typed(page.annotation), status="ok" if quarantined else "quarantined"))

    def _typed(self, annotation: str) -> Change:
        """Only what is other than when the dialog was opened: somebody else may have written the rest anew since."""
        was = {"label": self.clip.label, "caption": self.clip.caption, "split": self._split} if self.clip else {}
        said = {annotation: getattr(self, annotation), "split": self.split}
        return Change(**{name: text for name, text in said.items() if text != was.get(name)})

    def _choose(self, ids: list[int]) -> None:
        if len(ids) > MOST_CHOSEN:
            self.bulk_problem = f"At most {MOST_CHOSEN:,} clips are chosen so. Filter them, and choose all at once."
            return
        self.chosen, self.whole, self.bulk_problem = ids, 0, ""

    def _forget(self) -> None:
        self.chosen, self.whole, self.bulk_problem = [], 0, ""
        self.bulk_label, self.bulk_find, self.bulk_put = "", "", ""

    async def _one(self, change: Change):
        if self.clip is None:
            return None
        page = await self.get_state(DatasetDetailState)
        try:
            edit = await act(self, _change, page._id(), [self.clip.id], change)
        except NotSignedIn:
            raise
        except AppError as error:
            self.problems = problems_of(error)
            return None
        self.opened = False
        return [done(edit, UNCHANGED), DatasetDetailState.refresh]

    async def _bulk(self, change: Change | tuple[str, str]):
        page = await self.get_state(DatasetDetailState)
        try:
            edit = await act(self, _change, page._id(), self.chosen, change, self._every if self.whole else None)
        except NotSignedIn:
            raise
        except AppError as error:
            self.bulk_problem = error.message
            return None
        self._forget()
        return [done(edit, UNCHANGED), DatasetDetailState.refresh]
