"""The dialogs that edit and delete a base model, on the list and on the model's own page."""

import reflex as rx
from sqlmodel import Session

from orchestrator.domain import formatting
from orchestrator.domain.training_jobs import JobRef
from orchestrator.domain.users import Actor
from orchestrator.services.adapters.catalog import list_adapters
from orchestrator.services.adapters.rows import AdapterRow
from orchestrator.services.models.catalog import delete_model, get_model, update_model, usage_conflict
from orchestrator.services.models.details import model_details
from orchestrator.services.models.rows import ModelRow
from orchestrator.services.paging import Page
from orchestrator.states.models.detail import ModelDetailState
from orchestrator.states.models.index import PATH, ModelsState
from orchestrator.states.shared.address_filters import is_on_page
from orchestrator.states.shared.edit_dialogs import EditDialogs
from orchestrator.states.shared.guards import run_as_user, signed_in


def deletion_of(session: Session, actor: Actor, model_id: int) -> tuple[ModelRow, list[str], str]:
    """The model, what deleting it affects, and why it cannot be deleted now ("" where it can)."""
    row = get_model(session, actor, model_id)
    adapters = list_adapters(session, actor, model_id=model_id, limit=3)
    consequences = _consequences(row, model_details(session, actor, model_id).jobs, adapters)
    return row, consequences, usage_conflict(session, model_id)


def _consequences(row: ModelRow, jobs: list[JobRef], adapters: Page[AdapterRow]) -> list[str]:
    own_folder = row.source == "path"
    lines = [
        "Its files stay where they are; Loreel only removes the folder from its list."
        if own_folder
        else "Its files are deleted for good."
    ]
    if row.jobs:
        named = formatting.named([f"{job.name} #{job.id}" for job in jobs], row.jobs)
        count = formatting.plural(row.jobs, "job")
        lines.append(f"{count} trained it ({named}): their results stay, but they cannot be run again.")
    if adapters.total:
        named = formatting.named([f"{adapter.name} v{adapter.version}" for adapter in adapters.items], adapters.total)
        count = formatting.plural(adapters.total, "adapter")
        lines.append(
            f"{count} made from it ({named}) cannot be tried without it, nor merged unless it was saved with them."
        )
    return lines


class ModelDialogsState(EditDialogs, rx.State):
    """The dialogs of a base model."""

    @rx.event
    @signed_in
    async def open_edit(self, model_id: int):
        row = await run_as_user(self, get_model, model_id)
        self._open_edit(row.id, row.name, row.description)

    @rx.event
    @signed_in
    async def open_delete(self, model_id: int):
        row, consequences, blocked = await run_as_user(self, deletion_of, model_id)
        self._open_delete(row.id, row.name, consequences, blocked)

    @rx.event
    @signed_in
    async def save(self):
        toast = await self._save(update_model)
        return toast and [toast, ModelsState.refresh if is_on_page(self, PATH) else ModelDetailState.refresh]

    @rx.event
    @signed_in
    async def delete(self):
        toast = await self._delete(delete_model, "take it off the list", "off the list")
        return toast and [toast, ModelsState.refresh if is_on_page(self, PATH) else rx.redirect(PATH)]
