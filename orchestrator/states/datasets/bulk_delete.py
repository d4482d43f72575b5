"""Several datasets chosen in the list, and deleted at once."""

import reflex as rx
from sqlmodel import Session

from orchestrator.domain.errors import AppError, NotFound, NotSignedIn
from orchestrator.domain.users import Actor
from orchestrator.services.datasets.catalog import delete_dataset, get_dataset
from orchestrator.services.datasets.overview import DatasetExtras, dataset_extras
from orchestrator.services.datasets.rows import DatasetRow
from orchestrator.states.datasets.dialogs import blocked_by, consequences
from orchestrator.states.datasets.index import DatasetsState
from orchestrator.states.shared import formatting
from orchestrator.states.shared.guards import act, signed_in

MOST = 192
"""As many as the list shows at once."""


def _look(session: Session, actor: Actor, chosen: list[int]) -> list[tuple[DatasetRow, DatasetExtras]]:
    """Those that still are there, in the order in which they were chosen."""
    found = []
    for dataset_id in chosen:
        try:
            found.append(get_dataset(session, actor, dataset_id))
        except NotFound:
            continue  # another tab was quicker
    extras = dataset_extras(session, actor, [row.id for row in found])
    return [(row, extras.get(row.id, DatasetExtras())) for row in found]


class DatasetsMany(rx.State):
    """What is chosen, and the dialog that says of each what goes with it."""

    chosen: list[int] = []
    asking: bool = False
    goes: list[tuple[str, str]] = []
    """Name and consequences of each that would be deleted."""
    stays: list[str] = []
    """Why the others stay."""
    phrase: str = ""
    """What has to be typed."""
    typed: str = ""
    problem: str = ""
    _going: list[int] = []

    @rx.var
    def chosen_text(self) -> str:
        return formatting.plural(len(self.chosen), "dataset") + " chosen"

    @rx.var
    def confirmed(self) -> bool:
        return self.phrase != "" and self.typed.split() == self.phrase.split()

    @rx.event
    @signed_in
    async def choose(self, dataset_id: int, on: bool):
        others = [other for other in self.chosen if other != dataset_id]
        self.chosen = [*others, dataset_id][-MOST:] if on else others

    @rx.event
    @signed_in
    async def choose_shown(self, on: bool):
        listed = await self.get_state(DatasetsState)
        shown = [row.id for row in listed.rows]
        others = [other for other in self.chosen if other not in shown]
        self.chosen = [*others, *shown][-MOST:] if on else others

    @rx.event
    @signed_in
    async def choose_none(self):
        self.chosen = []

    @rx.event
    @signed_in
    async def ask(self):
        """Opens the dialog; what a job still learns from is named, and stays."""
        found = await act(self, _look, self.chosen)
        self.chosen = [row.id for row, _ in found]
        going = [(row, extras) for row, extras in found if not blocked_by(extras)]
        self._going = [row.id for row, _ in going]
        self.goes = [(row.name, " ".join(consequences(row, extras))) for row, extras in going]
        self.stays = [f"{row.name}: {blocked_by(extras)}" for row, extras in found if blocked_by(extras)]
        self.phrase = (
            f"delete {formatting.plural(len(going), 'dataset')}".replace(formatting.NBSP, " ") if going else ""
        )
        self.typed, self.problem, self.asking = "", "", bool(found)

    @rx.event
    @signed_in
    async def show(self, opened: bool):
        self.asking = opened and self.asking

    @rx.event
    @signed_in
    async def type_phrase(self, text: str):
        self.typed = text

    @rx.event
    @signed_in
    async def delete(self):
        """Deletes each by itself: one that is refused meanwhile keeps none of the others."""
        if not self.confirmed:
            self.problem = f"Type “{self.phrase}” to go on."
            return None
        gone, refused = [], []
        for dataset_id, (name, _) in zip(self._going, self.goes, strict=True):
            try:
                await act(self, delete_dataset, dataset_id)
            except NotSignedIn:
                raise
            except NotFound:
                gone.append(dataset_id)
            except AppError as error:
                refused.append(f"{name}: {error.message}")
            else:
                gone.append(dataset_id)
        self.chosen = [other for other in self.chosen if other not in gone]
        self.asking, self._going, self.goes = False, [], []
        said = [rx.toast.success(f"{formatting.plural(len(gone), 'dataset')} deleted.")] if gone else []
        return [*said, *(rx.toast.error(sentence) for sentence in refused), DatasetsState.refresh]
