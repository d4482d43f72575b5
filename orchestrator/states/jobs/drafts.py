"""The user's drafts of jobs, on the page of jobs and above the first step of a new wizard."""

from dataclasses import dataclass

import reflex as rx
from reflex_components_sonner.toast import ToastAction

from orchestrator.domain import formatting
from orchestrator.domain.numbers import parse_id
from orchestrator.services.training import drafts
from orchestrator.services.training.rows import Draft, DraftRow
from orchestrator.states.shared.guards import run_as_user, signed_in
from orchestrator.ui.primitives.toast import toast

FEW = 3
"""How many drafts are shown before the others are asked for."""


@dataclass(frozen=True, slots=True)
class DraftLine:
    """A draft that can be continued."""

    id: int
    title: str
    note: str
    saved_at: str


class DraftsState(rx.State):
    """The drafts, the last changed first."""

    lines: list[DraftLine] = []
    shown: bool = False
    """There are drafts, or there were when the page was opened."""
    all_shown: bool = False
    _discarded: dict[int, Draft] = {}
    """What an undo brings back."""

    @rx.var
    def first_lines(self) -> list[DraftLine]:
        return self.lines if self.all_shown else self.lines[:FEW]

    @rx.var
    def hidden(self) -> int:
        """How many are not shown yet."""
        return len(self.lines) - len(self.first_lines)

    @rx.event
    @signed_in
    async def load(self):
        """on_load: reads the drafts."""
        self.all_shown = False
        await self._read()
        self.shown = bool(self.lines)

    @rx.event
    @signed_in
    async def show_all(self):
        self.all_shown = True

    @rx.event
    @signed_in
    async def discard(self, draft_id: int):
        """Deletes a draft, which can be undone for a moment."""
        number = parse_id(str(draft_id))
        draft = await run_as_user(self, drafts.discard_draft, number)
        await self._read()
        if draft is None:
            return toast("info", "This draft was launched or discarded already.")
        self._discarded = dict([*self._discarded.items(), (number, draft)][-drafts.MAX_DRAFTS :])
        return toast("success", "Draft discarded.", action=ToastAction("Undo", DraftsState.undo(number)))

    @rx.event
    @signed_in
    async def undo(self, draft_id: int):
        """Brings back a draft that was discarded here."""
        draft = self._discarded.pop(parse_id(str(draft_id)), None)
        if draft is None:
            return toast("info", "This draft cannot be brought back: the page was reloaded since.")
        await run_as_user(self, drafts.restore_draft, draft)
        await self._read()
        self.shown = True
        return None

    async def _read(self) -> None:
        self.lines = [draft_line(row) for row in await run_as_user(self, drafts.list_drafts)]


def draft_line(row: DraftRow) -> DraftLine:
    """From a DraftRow: what is chosen, or that nothing is yet."""
    chosen = ", ".join(filter(None, (row.dataset_name, row.model_name)))
    return DraftLine(
        row.id, row.name or "Not named yet", chosen or "Nothing chosen yet", formatting.iso(row.updated_at)
    )
