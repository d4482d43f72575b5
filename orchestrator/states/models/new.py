"""The page that adds a base model: files from the browser, an id on the Hub, or a folder of the server."""

from typing import Any, ClassVar

import reflex as rx

from orchestrator.domain.numbers import parse_id
from orchestrator.domain.tasks import DEFAULT_TASK, TASKS, ModelType
from orchestrator.services.credentials import list_credentials
from orchestrator.services.models.adding import (
    accepts_files,
    create_model_for_upload,
    create_model_from_hub,
    request_check,
    restart_upload,
)
from orchestrator.services.models.catalog import CUSTOM, architectures, delete_model, get_model
from orchestrator.services.models.folders import allowed_roots, register_folder
from orchestrator.states.models.index import PATH
from orchestrator.states.shared.add_form import AddForm
from orchestrator.states.shared.guards import run_as_user, signed_in
from orchestrator.states.shared.hub_lookup import token_choices

SOURCES = ("upload", "hub", "path")


class ModelAddState(AddForm, rx.State):
    """What is typed and chosen on the page that adds a base model."""

    PATH: ClassVar[str] = PATH
    NOUN: ClassVar[str] = "model"
    NO_FILES: ClassVar[str] = "Choose the files first: config.json, the .safetensors, the processor and the tokenizer."

    model_type: str = TASKS[DEFAULT_TASK].model_type.value
    architecture: str = CUSTOM
    path: str = ""
    token: str = ""
    stored: str = "none"
    """The id of a stored Hub token, or "none"."""
    stored_tokens: list[dict[str, str]] = []
    roots_text: str = ""

    @rx.var
    def title(self) -> str:
        return f"Add the files of {self.into_name}" if self.into_name else "Add model"

    @rx.var
    def known(self) -> list[dict[str, str]]:
        """The architectures of the chosen model type, and Custom: what config.json says."""
        names = architectures(self.model_type)
        hint = "Whatever config.json names, if it can be trained here"
        return [{"value": CUSTOM, "label": CUSTOM, "hint": hint}, *[{"value": n, "label": n} for n in names]]

    @rx.event
    @signed_in
    async def choose_type(self, value: str):
        self.model_type = value if value in list(ModelType) else self.model_type
        if self.architecture not in (CUSTOM, *architectures(self.model_type)):
            self.architecture = CUSTOM
        self._clear_problems("model_type", "architecture")

    @rx.event
    @signed_in
    async def choose_architecture(self, value: str):
        self.architecture = value
        self._clear_problems("architecture")

    @rx.event
    @signed_in
    async def choose_source(self, value: str):
        self.source = value if value in SOURCES and not self.into else self.source
        self._clear_hub()
        self._clear_problems("files", "path", "repo", "revision", "token", "")

    @rx.event
    @signed_in
    async def type_path(self, text: str):
        self.path = text
        self._clear_problems("path")

    @rx.event
    @signed_in
    async def choose_stored(self, chosen: str):
        self.stored = chosen
        self._clear_problems("credential_id", "token")
        self._clear_hub()

    @rx.event
    @signed_in
    async def type_token(self, text: str):
        self.token = text
        self._clear_problems("token")
        self._clear_hub()

    async def _open_new(self) -> None:
        self.token, self.roots_text = "", " or ".join(allowed_roots())
        self.stored_tokens = token_choices(await run_as_user(self, list_credentials))

    async def _open_record(self, record_id: int) -> None:
        row = await run_as_user(self, get_model, record_id)
        self.into_name, self.source, self.missing = row.name, "upload", not row.editable
        if not self.target and await run_as_user(self, accepts_files, record_id, begun=True):
            self._resume_upload(record_id)

    async def _upload_is_stale(self, record_id: int) -> bool:
        return not await run_as_user(self, accepts_files, record_id)

    async def _make_record(self) -> int:
        if self.into:
            return (await run_as_user(self, restart_upload, self.into)).id
        return (await run_as_user(self, create_model_for_upload, *self._about(), self.architecture)).id

    async def _process_upload(self, record_id: int) -> None:
        await run_as_user(self, request_check, record_id)

    async def _discard_upload(self, record_id: int) -> None:
        await run_as_user(self, restart_upload if self.into else delete_model, record_id)

    def _hub_token(self, form: dict[str, Any]) -> tuple[str, str]:
        return self.token, self.stored

    async def _add_record(self, form: dict[str, Any]) -> int:
        if self.source == "path":
            name, description, _ = self._about()
            row = await run_as_user(
                self, register_folder, name, description, self.path, self.model_type, self.architecture
            )
        else:
            repository = (self.repo, self.hub_commit, self.token)
            row = await run_as_user(
                self, create_model_from_hub, *self._about(), *repository, self.architecture, parse_id(self.stored)
            )
        self.token = ""
        return row.id

    def _about(self) -> tuple[str, str, str]:
        return self.name, self.description, self.model_type
