"""Choosing several datasets in the list and deleting them at once."""

import reflex as rx
from sqlmodel import Session

from orchestrator.domain import formatting
from orchestrator.domain.errors import AppError, NotFound
from orchestrator.domain.users import Actor
from orchestrator.services.datasets.catalog import delete_dataset, get_dataset
from orchestrator.services.datasets.overview import DatasetExtras, dataset_extras
from orchestrator.services.datasets.rows import DatasetRow
from orchestrator.states.datasets.dialogs import blocked_by, consequences
from orchestrator.states.datasets.index import DatasetsState
from orchestrator.states.shared.dialog import Dialog
from orchestrator.states.shared.guards import run_as_user, signed_in
from orchestrator.states.shared.paging import MAX_ROWS


def _read(session: Session, actor: Actor, chosen: list[int]) -> list[tuple[DatasetRow, DatasetExtras]]:
    """The chosen datasets that still exist, in the order in which they were chosen."""
    rows = []
    for dataset_id in chosen:
        try:
            rows.append(get_dataset(session, actor, dataset_id))
        except NotFound:
            continue  # another tab was faster
    extras = dataset_extras(session, actor, [row.id for row in rows])
    return [(row, extras.get(row.id, DatasetExtras())) for row in rows]


class DatasetBulkDeleteState(Dialog, rx.State):
    """The chosen datasets, and the dialog that says for each what its deletion affects."""

    chosen: list[int] = []
    deletable: list[tuple[str, str]] = []
    """Name and consequences of each dataset that would be deleted."""
    blocked: list[str] = []
    """Why the others cannot be deleted now."""
    phrase: str = ""
    """What has to be typed."""
    typed: str = ""
    problem: str = ""
    _deletable_ids: list[int] = []

    @rx.var
    def chosen_text(self) -> str:
        return formatting.plural(len(self.chosen), "dataset") + " selected"

    @rx.var
    def confirmed(self) -> bool:
        return self.phrase != "" and self.typed.split() == self.phrase.split()

    @rx.event
    @signed_in
    async def choose(self, dataset_id: int, on: bool):
        others = [other for other in self.chosen if other != dataset_id]
        self.chosen = [*others, dataset_id][-MAX_ROWS:] if on else others

    @rx.event
    @signed_in
    async def choose_shown(self, on: bool):
        listed = await self.get_state(DatasetsState)
        shown = [row.id for row in listed.rows]
        others = [other for other in self.chosen if other not in shown]
        self.chosen = [*others, *shown][-MAX_ROWS:] if on else others

    @rx.event
    @signed_in
    async def choose_none(self):
        self.chosen = []

    @rx.event
    @signed_in
    async def open(self):
        """Opens the dialog; datasets that a job still trains on are named as not deletable."""
        found = await run_as_user(self, _read, self.chosen)
        self.chosen = [row.id for row, _ in found]
        deletable = [(row, extras) for row, extras in found if not blocked_by(extras)]
        self._deletable_ids = [row.id for row, _ in deletable]
        self.deletable = [(row.name, " ".join(consequences(row, extras))) for row, extras in deletable]
        self.blocked = [f"{row.name}: {blocked_by(extras)}" for row, extras in found if blocked_by(extras)]
        count = formatting.plural(len(deletable), "dataset").replace(formatting.NBSP, " ")
        self.phrase = f"delete {count}" if deletable else ""
        self.typed, self.problem, self.opened = "", "", bool(found)

    @rx.event
    @signed_in
    async def type_phrase(self, text: str):
        self.typed = text

    @rx.event
    @signed_in
    async def delete(self):
        """Deletes each dataset separately: one that is refused does not keep the others."""
        if not self.confirmed:
            self.problem = f"Type “{self.phrase}” to go on."
            return None
        deleted, refused = [], []
        for dataset_id, (name, _) in zip(self._deletable_ids, self.deletable, strict=True):
            try:
                await run_as_user(self, delete_dataset, dataset_id)
            except NotFound:
                deleted.append(dataset_id)
            except AppError as error:
                refused.append(f"{name}: {error.message}")
            else:
                deleted.append(dataset_id)
        self.chosen = [other for other in self.chosen if other not in deleted]
        self.opened, self._deletable_ids, self.deletable = False, [], []
        toasts = [rx.toast.success(f"{formatting.plural(len(deleted), 'dataset')} deleted.")] if deleted else []
        return [*toasts, *(rx.toast.error(sentence) for sentence in refused), DatasetsState.refresh]
