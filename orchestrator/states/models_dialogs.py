"""Editing and taking away a base model: the dialogs of the model pages."""

import reflex as rx
from sqlmodel import Session

from orchestrator.domain.errors import AppError, NotSignedIn
from orchestrator.domain.users import Actor
from orchestrator.services.adapters.catalog import list_adapters
from orchestrator.services.adapters.rows import AdapterRow
from orchestrator.services.datasets.overview import JobMark
from orchestrator.services.models.about import model_about
from orchestrator.services.models.catalog import delete_model, get_model, update_model
from orchestrator.services.models.rows import ModelRow
from orchestrator.services.paging import Page
from orchestrator.states import words
from orchestrator.states.address import is_on
from orchestrator.states.guards import act, problems_of, signed_in
from orchestrator.states.models import PATH, ModelsState
from orchestrator.states.models_detail import ModelDetailState


def _look(session: Session, actor: Actor, model_id: int) -> tuple[ModelRow, list[JobMark], Page[AdapterRow]]:
    row = get_model(session, actor, model_id)
    made = list_adapters(session, actor, model_id=model_id, limit=3)
    return row, model_about(session, actor, model_id).jobs, made


def _consequences(row: ModelRow, jobs: list[JobMark], adapters: Page[AdapterRow]) -> list[str]:
    own = row.source == "path"
    lines = ["Its files stay where they are; Loreel forgets the folder." if own else "Its files go with it, for good."]
    if row.jobs:
        named = words.named([f"{job.name} #{job.id}" for job in jobs], row.jobs)
        lines.append(f"{words.plural(row.jobs, 'job')} trained it ({named}): figures stay, but cannot be run again.")
    if adapters.total:
        named = words.named([f"{adapter.name} v{adapter.version}" for adapter in adapters.items], adapters.total)
        count = words.plural(adapters.total, "adapter")
        lines.append(f"{count} made from it ({named}) cannot be tried or merged without it, unless a copy lies beside.")
    return lines


class ModelDialogs(rx.State):
    """What is typed in the dialogs; nothing changes before their button."""

    editing: bool = False
    deleting: bool = False
    model_key: int = 0
    name: str = ""
    description: str = ""
    problems: dict[str, str] = {}
    title: str = ""
    typed: str = ""
    goes: list[str] = []

    @rx.event
    @signed_in
    async def open_edit(self, model_id: int):
        row = await act(self, get_model, model_id)
        self.model_key, self.name, self.description = row.id, row.name, row.description
        self.problems, self.editing = {}, True

    @rx.event
    @signed_in
    async def open_delete(self, model_id: int):
        row, jobs, adapters = await act(self, _look, model_id)
        self.model_key, self.title, self.typed, self.problems = row.id, row.name, "", {}
        self.goes, self.deleting = _consequences(row, jobs, adapters), True

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
        try:
            await act(self, update_model, self.model_key, name=self.name, description=self.description)
        except NotSignedIn:
            raise
        except AppError as error:
            self.problems = problems_of(error)
            return None
        self.editing, self.problems = False, {}
        again = ModelsState.refresh if is_on(self, PATH) else ModelDetailState.refresh
        return [rx.toast.success(f"{self.name.strip()} is saved."), again]

    @rx.event
    @signed_in
    async def delete(self):
        if self.typed.strip() != self.title:
            self.problems = {"typed": f"Type {self.title} to take it off the list."}
            return None
        try:
            await act(self, delete_model, self.model_key)
        except NotSignedIn:
            raise
        except AppError as error:
            self.problems = {"typed": error.message}
            return None
        self.deleting = False
        said = rx.toast.success(f"{self.title} is off the list.")
        return [said, ModelsState.refresh if is_on(self, PATH) else rx.redirect(PATH)]
