"""The versions of one dataset: what each edit did, and the way back."""

from dataclasses import dataclass
from typing import Any

import reflex as rx
from reflex_components_sonner.toast import ToastAction

from orchestrator.domain.errors import Conflict, NotFound
from orchestrator.services.datasets.curation.edits import undo_edit
from orchestrator.services.datasets.curation.versions import EditRow, list_edits
from orchestrator.states.datasets.detail import DatasetDetailState, part_of_page
from orchestrator.states.shared import formatting
from orchestrator.states.shared.guards import act, signed_in
from orchestrator.states.shared.paging import Windowed
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
class DatasetVersions(Windowed, rx.State):
    """Stands beside the clips, so that only the newest are shown at first."""

    edits: list[EditLine] = []
    dataset_key: int = 0
    shown: int = FIRST

    @rx.event
    @signed_in
    async def look(self, dataset_id: int):
        """Reads those of the dataset that the page shows; how many are shown stays while it is the same one."""
        if self.dataset_key != dataset_id:
            self.reset()
        self.dataset_key = dataset_id
        await self._refresh()

    async def _refresh(self) -> Any:
        try:
            page = await act(self, list_edits, self.dataset_key, self.shown, self._cursor or None)
        except NotFound:
            self.reset()
            return
        self.edits = [_line(edit) for edit in page.items]
        self._place(page)

    @rx.event
    @signed_in
    async def undo(self, edit_id: int):
        """Takes an edit back; that makes a new version."""
        try:
            edit = await act(self, undo_edit, None, edit_id)  # its toast may outlast the dataset's page
        except (Conflict, NotFound) as error:  # as another tab has left it
            return [toast("error", error.message), DatasetDetailState.refresh]
        said = f"Undone. This is version {edit.version}." if edit else "Nothing was left to undo."
        return [toast("success", said), DatasetDetailState.refresh]


def done(edit: EditRow | None, otherwise: str) -> rx.event.EventSpec:
    """The toast after an edit, with its Undo."""
    if edit is None:
        return toast("info", otherwise)
    text = f"{edit.what[:1].upper()}{edit.what[1:]}. This is version {edit.version}."
    return toast("success", text, action=ToastAction("Undo", DatasetVersions.undo(edit.id)))


def _line(edit: EditRow) -> EditLine:
    at = edit.created_at
    return EditLine(edit.id, f"v{edit.version}", edit.what, formatting.ago(at), formatting.iso(at), edit.undone)
