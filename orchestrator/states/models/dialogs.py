"""Editing and taking away a base model: the dialogs of the model pages."""

import reflex as rx
from sqlmodel import Session

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
from orchestrator.states.shared import formatting
from orchestrator.states.shared.address_filters import is_on
from orchestrator.states.shared.edit_dialogs import EditDialogs
from orchestrator.states.shared.guards import act, signed_in


def _look(session: Session, actor: Actor, model_id: int) -> tuple[ModelRow, list[str], str]:
    """The model, what its deletion takes away, and why it cannot go now."""
    row = get_model(session, actor, model_id)
    made = list_adapters(session, actor, model_id=model_id, limit=3)
    goes = _consequences(row, model_details(session, actor, model_id).jobs, made)
    return row, goes, usage_conflict(session, model_id)


def _consequences(row: ModelRow, jobs: list[JobRef], adapters: Page[AdapterRow]) -> list[str]:
    own = row.source == "path"
    lines = ["Its files stay where they are; Loreel forgets the folder." if own else "Its files go with it, for good."]
    if row.jobs:
        named = formatting.named([f"{job.name} #{job.id}" for job in jobs], row.jobs)
        lines.append(
            f"{formatting.plural(row.jobs, 'job')} trained it ({named}): figures stay, but cannot be run again."
        )
    if adapters.total:
        named = formatting.named([f"{adapter.name} v{adapter.version}" for adapter in adapters.items], adapters.total)
        count = formatting.plural(adapters.total, "adapter")
        lines.append(
            f"{count} made from it ({named}) cannot be tried without it, nor merged unless a copy lies beside."
        )
    return lines


class ModelDialogs(EditDialogs, rx.State):
    """The dialogs of a base model."""

    @rx.event
    @signed_in
    async def open_edit(self, model_id: int):
        row = await act(self, get_model, model_id)
        self._edit(row.id, row.name, row.description)

    @rx.event
    @signed_in
    async def open_delete(self, model_id: int):
        row, goes, blocked = await act(self, _look, model_id)
        self._ask(row.id, row.name, goes, blocked)

    @rx.event
    @signed_in
    async def save(self):
        said = await self._save(update_model)
        return said and [said, ModelsState.refresh if is_on(self, PATH) else ModelDetailState.refresh]

    @rx.event
    @signed_in
    async def delete(self):
        said = await self._delete(delete_model, "take it off the list", "off the list")
        return said and [said, ModelsState.refresh if is_on(self, PATH) else rx.redirect(PATH)]
