"""Editing and deleting a dataset: the two dialogs, the same on the list and on the dataset's own page."""

import reflex as rx
from sqlmodel import Session

from orchestrator.domain.errors import AppError, NotSignedIn
from orchestrator.domain.training_jobs import ACTIVE
from orchestrator.domain.users import Actor
from orchestrator.services.datasets.catalog import delete_dataset, get_dataset, update_dataset
from orchestrator.services.datasets.overview import DatasetExtras, JobMark, dataset_extras
from orchestrator.services.datasets.rows import DatasetRow
from orchestrator.states import words
from orchestrator.states.address import is_on
from orchestrator.states.datasets import PATH, DatasetsState
from orchestrator.states.datasets_detail import DatasetDetailState
from orchestrator.states.guards import act, problems_of, signed_in


def _look(session: Session, actor: Actor, dataset_id: int) -> tuple[DatasetRow, DatasetExtras]:
    row = get_dataset(session, actor, dataset_id)
    return row, dataset_extras(session, actor, [dataset_id]).get(dataset_id, DatasetExtras())


class DatasetDialogs(rx.State):
    """What is typed in the dialogs; nothing changes before Save or Delete."""

    editing: bool = False
    deleting: bool = False
    working: bool = False
    dataset_key: int = 0
    name: str = ""
    description: str = ""
    problems: dict[str, str] = {}
    title: str = ""
    """The name of the dataset to delete, to be typed."""
    typed: str = ""
    goes: list[str] = []
    """What the deletion takes away and what it leaves."""
    blocked: str = ""

    @rx.event
    @signed_in
    async def open_edit(self, dataset_id: int):
        row, _ = await act(self, _look, dataset_id)
        self.dataset_key, self.name, self.description = row.id, row.name, row.description
        self.problems, self.working, self.editing = {}, False, True

    @rx.event
    @signed_in
    async def open_delete(self, dataset_id: int):
        row, extras = await act(self, _look, dataset_id)
        self.dataset_key, self.title, self.typed, self.problems = row.id, row.name, "", {}
        self.goes = _consequences(row, extras)
        self.blocked = _blocked(extras)
        self.working, self.deleting = False, True

    @rx.event
    @signed_in
    async def show_edit(self, opened: bool):
        self.editing = opened and self.editing

    @rx.event
    @signed_in
    async def show_delete(self, opened: bool):
        self.deleting = opened and self.deleting

    @rx.event
    @signed_in
    async def type_name(self, text: str):
        self.name = text

    @rx.event
    @signed_in
    async def type_description(self, text: str):
        self.description = text

    @rx.event
    @signed_in
    async def type_title(self, text: str):
        self.typed = text

    @rx.event
    @signed_in
    async def save(self):
        """Keeps the new name and description; a refusal stays beside its field."""
        try:
            await act(self, update_dataset, self.dataset_key, name=self.name, description=self.description)
        except NotSignedIn:
            raise
        except AppError as error:
            self.problems = problems_of(error)
            return None
        self.editing, self.problems = False, {}
        again = DatasetsState.refresh if is_on(self, PATH) else DatasetDetailState.refresh
        return [rx.toast.success(f"{self.name.strip()} is saved."), again]

    @rx.event
    @signed_in
    async def delete(self):
        """Deletes after the name was typed; the list comes back without it."""
        if self.typed.strip() != self.title:
            self.problems = {"typed": f"Type {self.title} to delete it."}
            return None
        try:
            await act(self, delete_dataset, self.dataset_key)
        except NotSignedIn:
            raise
        except AppError as error:
            self.problems = {"typed": error.message}
            return None
        self.deleting = False
        said = rx.toast.success(f"{self.title} is deleted.")
        return [said, DatasetsState.refresh if is_on(self, PATH) else rx.redirect(PATH)]


def _consequences(row: DatasetRow, extras: DatasetExtras) -> list[str]:
    if row.is_demo:
        lines = ["The demo leaves your list. Its files stay, because every account shares them."]
    elif row.clip_count:
        clips = words.plural(row.clip_count, "clip")
        lines = [f"{clips}, {words.size(row.size_bytes)} in all, are removed from the disk for good."]
    else:
        lines = ["It has no clips yet. Files that arrived for it are removed."]
    if extras.job_count:
        jobs, named = words.plural(extras.job_count, "job"), _names(extras.jobs, extras.job_count)
        lines.append(f"{jobs} learnt from it ({named}): their adapters and figures stay, but cannot be run again.")
    return lines


def _blocked(extras: DatasetExtras) -> str:
    active = [job for job in extras.jobs if job.status in ACTIVE]
    if not extras.active_count:
        return ""
    learn = "learns" if extras.active_count == 1 else "learn"
    return f"{_names(active, extras.active_count)} still {learn} from it. Stop that first."


def _names(jobs: list[JobMark], count: int) -> str:
    return words.named([f"{job.name} #{job.id}" for job in jobs], count)
