"""The dialogs that edit and delete a dataset, on the list and on the dataset's own page."""

import reflex as rx
from sqlmodel import Session

from orchestrator.domain import formatting
from orchestrator.domain.training_jobs import ACTIVE, JobRef
from orchestrator.domain.users import Actor
from orchestrator.services.datasets.catalog import delete_dataset, get_dataset, update_dataset
from orchestrator.services.datasets.overview import DatasetExtras, dataset_extras
from orchestrator.services.datasets.rows import DatasetRow
from orchestrator.states.datasets.detail import DatasetDetailState
from orchestrator.states.datasets.index import PATH, DatasetsState
from orchestrator.states.shared.address_filters import is_on_page
from orchestrator.states.shared.edit_dialogs import EditDialogs
from orchestrator.states.shared.guards import run_as_user, signed_in


def _read(session: Session, actor: Actor, dataset_id: int) -> tuple[DatasetRow, DatasetExtras]:
    row = get_dataset(session, actor, dataset_id)
    return row, dataset_extras(session, actor, [dataset_id]).get(dataset_id, DatasetExtras())


class DatasetDialogsState(EditDialogs, rx.State):
    """The dialogs of a dataset."""

    @rx.event
    @signed_in
    async def open_edit(self, dataset_id: int):
        row = await run_as_user(self, get_dataset, dataset_id)
        self._open_edit(row.id, row.name, row.description)

    @rx.event
    @signed_in
    async def open_delete(self, dataset_id: int):
        row, extras = await run_as_user(self, _read, dataset_id)
        self._open_delete(row.id, row.name, consequences(row, extras), blocked_by(extras))

    @rx.event
    @signed_in
    async def save(self):
        toast = await self._save(update_dataset)
        return toast and [toast, DatasetsState.refresh if is_on_page(self, PATH) else DatasetDetailState.refresh]

    @rx.event
    @signed_in
    async def delete(self):
        toast = await self._delete(delete_dataset, "delete it", "deleted")
        return toast and [toast, DatasetsState.refresh if is_on_page(self, PATH) else rx.redirect(PATH)]


def consequences(row: DatasetRow, extras: DatasetExtras) -> list[str]:
    """What deleting the dataset removes and what it leaves."""
    if row.is_demo:
        lines = ["The demo leaves your list. Its files stay, because every account shares them."]
    elif row.clip_count:
        clips = formatting.plural(row.clip_count, "clip")
        lines = [f"{clips}, {formatting.size(row.size_bytes)} in all, are removed from the disk for good."]
    else:
        lines = ["It has no clips yet. Files that arrived for it are removed."]
    if extras.job_count:
        jobs, named = formatting.plural(extras.job_count, "job"), _names(extras.jobs, extras.job_count)
        lines.append(f"{jobs} trained on it ({named}): their adapters and results stay, but they cannot be run again.")
    return lines


def blocked_by(extras: DatasetExtras) -> str:
    """Why it cannot be deleted now, or ""."""
    if not extras.active_count:
        return ""
    active = [job for job in extras.jobs if job.status in ACTIVE]
    train = "trains" if extras.active_count == 1 else "train"
    return f"{_names(active, extras.active_count)} still {train} on it. Stop that first."


def _names(jobs: list[JobRef], count: int) -> str:
    return formatting.named([f"{job.name} #{job.id}" for job in jobs], count)
