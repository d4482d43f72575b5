"""Editing and deleting a dataset: the two dialogs, the same on the list and on the dataset's own page."""

import reflex as rx
from sqlmodel import Session

from orchestrator.domain.training_jobs import ACTIVE, JobRef
from orchestrator.domain.users import Actor
from orchestrator.services.datasets.catalog import delete_dataset, get_dataset, update_dataset
from orchestrator.services.datasets.overview import DatasetExtras, dataset_extras
from orchestrator.services.datasets.rows import DatasetRow
from orchestrator.states.datasets.detail import DatasetDetailState
from orchestrator.states.datasets.index import PATH, DatasetsState
from orchestrator.states.shared import formatting
from orchestrator.states.shared.address_filters import is_on
from orchestrator.states.shared.edit_dialogs import EditDialogs
from orchestrator.states.shared.guards import act, signed_in


def _look(session: Session, actor: Actor, dataset_id: int) -> tuple[DatasetRow, DatasetExtras]:
    row = get_dataset(session, actor, dataset_id)
    return row, dataset_extras(session, actor, [dataset_id]).get(dataset_id, DatasetExtras())


class DatasetDialogs(EditDialogs, rx.State):
    """The dialogs of a dataset."""

    @rx.event
    @signed_in
    async def open_edit(self, dataset_id: int):
        row, _ = await act(self, _look, dataset_id)
        self._edit(row.id, row.name, row.description)

    @rx.event
    @signed_in
    async def open_delete(self, dataset_id: int):
        row, extras = await act(self, _look, dataset_id)
        self._ask(row.id, row.name, consequences(row, extras), blocked_by(extras))

    @rx.event
    @signed_in
    async def save(self):
        said = await self._save(update_dataset)
        return said and [said, DatasetsState.refresh if is_on(self, PATH) else DatasetDetailState.refresh]

    @rx.event
    @signed_in
    async def delete(self):
        """The list comes back without it."""
        said = await self._delete(delete_dataset, "delete it", "deleted")
        return said and [said, DatasetsState.refresh if is_on(self, PATH) else rx.redirect(PATH)]


def consequences(row: DatasetRow, extras: DatasetExtras) -> list[str]:
    """What its deletion takes away and what it leaves."""
    if row.is_demo:
        lines = ["The demo leaves your list. Its files stay, because every account shares them."]
    elif row.clip_count:
        clips = formatting.plural(row.clip_count, "clip")
        lines = [f"{clips}, {formatting.size(row.size_bytes)} in all, are removed from the disk for good."]
    else:
        lines = ["It has no clips yet. Files that arrived for it are removed."]
    if extras.job_count:
        jobs, named = formatting.plural(extras.job_count, "job"), _names(extras.jobs, extras.job_count)
        lines.append(f"{jobs} learnt from it ({named}): their adapters and figures stay, but cannot be run again.")
    return lines


def blocked_by(extras: DatasetExtras) -> str:
    """Why it cannot be deleted now, or ""."""
    active = [job for job in extras.jobs if job.status in ACTIVE]
    if not extras.active_count:
        return ""
    learn = "learns" if extras.active_count == 1 else "learn"
    return f"{_names(active, extras.active_count)} still {learn} from it. Stop that first."


def _names(jobs: list[JobRef], count: int) -> str:
    return formatting.named([f"{job.name} #{job.id}" for job in jobs], count)
