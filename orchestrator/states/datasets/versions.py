"""The versions of one dataset: what each edit did, and how to undo it."""

from dataclasses import dataclass
from typing import Any

import reflex as rx
from reflex_components_sonner.toast import ToastAction

from orchestrator.domain import formatting
from orchestrator.domain.errors import Conflict, NotFound
from orchestrator.services.datasets.curation.edits import undo_edit
from orchestrator.services.datasets.curation.versions import EditRow, list_edits
from orchestrator.states.datasets.detail import DatasetDetailState, part_of_page
from orchestrator.states.shared.guards import run_as_user, signed_in
from orchestrator.states.shared.paging import Paged
from orchestrator.ui.primitives.toast import toast

FIRST = 8


@dataclass(frozen=True, slots=True)
class EditLine:
    """One version that an edit made."""

    id: int
    version: str
    what: str
    ago: str
    exact: str
    undone: bool


@part_of_page
class DatasetVersionsState(Paged, rx.State):
    """The newest versions; older ones are shown on request."""

    edits: list[EditLine] = []
    dataset_key: int = 0
    limit: int = FIRST

    @rx.event
    @signed_in
    async def load(self, dataset_id: int):
        """Reads the versions of the dataset on the page; as many as before while it is the same one."""
        if self.dataset_key != dataset_id:
            self.reset()
        self.dataset_key = dataset_id
        await self._refresh()

    async def _refresh(self) -> Any:
        try:
            page = await run_as_user(self, list_edits, self.dataset_key, self.limit, self._cursor or None)
        except NotFound:
            self.reset()
            return
        self.edits = [_line(edit) for edit in page.items]
        self._set_page(page)

    @rx.event
    @signed_in
    async def undo(self, edit_id: int):
        """Undoes an edit, which makes a new version."""
        try:
            edit = await run_as_user(self, undo_edit, None, edit_id)  # the toast may outlast the dataset's page
        except (Conflict, NotFound) as error:  # another tab was faster
            return [toast("error", error.message), DatasetDetailState.refresh]
        sentence = f"Undone. This is version {edit.version}." if edit else "Nothing was left to undo."
        return [toast("success", sentence), DatasetDetailState.refresh]


def edit_toast(edit: EditRow | None, otherwise: str) -> rx.event.EventSpec:
    """The toast after an edit, with its Undo button; `otherwise` where nothing was changed."""
    if edit is None:
        return toast("info", otherwise)
    text = f"{edit.what[:1].upper()}{edit.what[1:]}. This is version {edit.version}."
    return toast("success", text, action=ToastAction("Undo", DatasetVersionsState.undo(edit.id)))


def _line(edit: EditRow) -> EditLine:
    at = edit.created_at
    return EditLine(edit.id, f"v{edit.version}", edit.what, formatting.ago(at), formatting.iso(at), edit.undone)
