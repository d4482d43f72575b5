"""Adding a base model: its files from this browser, an id on the Hub, or a folder of the studio's machine."""

from typing import Any

import reflex as rx

from orchestrator.domain.errors import AppError, NotFound, NotSignedIn
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
from orchestrator.services.models.catalog import (
    CUSTOM,
    architectures,
    delete_model,
    get_model,
)
from orchestrator.services.models.folders import allowed_roots, register_folder
from orchestrator.states.shared.address_filters import filter_of
from orchestrator.states.shared.guards import act, problems_of, signed_in
from orchestrator.states.shared.hub_lookup import HubConfirm, token_choices

NO_FILES = "Choose the files first: config.json, the .safetensors, the processor and the tokenizer."
SOURCES = ("upload", "hub", "path")


class ModelAddState(HubConfirm, rx.State):
    """What is typed and chosen on the add page."""

    name: str = ""
    named_by_hand: bool = False
    description: str = ""
    model_type: str = TASKS[DEFAULT_TASK].model_type.value
    architecture: str = CUSTOM
    source: str = "upload"
    path: str = ""
    repo: str = ""
    revision: str = ""
    token: str = ""
    stored: str = "none"
    """The id of a stored Hub token, or "none"."""
    stored_tokens: list[dict[str, str]] = []
    roots_text: str = ""
    count: int = 0
    target: str = ""
    """The id of the model that the files go to; "" until sending begins."""
    problems: dict[str, str] = {}
    closing: bool = False
    broken_off: bool = False
    """The page was left or reloaded while it sent: what has arrived waits for the same files to be chosen again."""
    into: int = 0
    """The model whose upload was broken off, and whose files are sent again; 0 for a new one."""
    into_name: str = ""
    missing: bool = False

    @rx.var
    def title(self) -> str:
        return f"Add the files of {self.into_name}" if self.into_name else "Add model"

    @rx.var
    def known(self) -> list[dict[str, str]]:
        """The architectures that can do what is chosen, and Custom: what config.json says."""
        names = architectures(self.model_type)
        hint = "Whatever config.json names, if it can be trained here"
        return [{"value": CUSTOM, "label": CUSTOM, "hint": hint}, *[{"value": n, "label": n} for n in names]]

    @rx.event
    @signed_in
    async def load(self):
        """on_load: what was typed stays over a reload; after a model was added the form is fresh."""
        wanted = filter_of(self, "into")
        into = parse_id(wanted)
        gone = bool(self.target) and not await act(self, accepts_files, int(self.target))
        if self.closing or self.into != into or gone:
            self.reset()
        self.into, self.token = into, ""
        if into:
            try:
                row = await act(self, get_model, into)
            except NotFound:
                self.missing = True
                return
            self.into_name, self.source, self.missing = row.name, "upload", not row.editable
            if not self.target and await act(self, accepts_files, into, begun=True):
                self.target, self.broken_off = str(into), True
            return
        self.roots_text = " or ".join(allowed_roots())
        self.stored_tokens = token_choices(await act(self, list_credentials))

    @rx.event
    @signed_in
    async def type_name(self, text: str):
        self.name, self.named_by_hand = text, bool(text.strip())
        self._forget("name")

    @rx.event
    @signed_in
    async def type_description(self, text: str):
        self.description = text

    @rx.event
    @signed_in
    async def choose_type(self, value: str):
        self.model_type = value if value in list(ModelType) else self.model_type
        if self.architecture not in (CUSTOM, *architectures(self.model_type)):
            self.architecture = CUSTOM
        self._forget("model_type", "architecture")

    @rx.event
    @signed_in
    async def choose_architecture(self, value: str):
        self.architecture = value
        self._forget("architecture")

    @rx.event
    @signed_in
    async def choose_source(self, value: str):
        self.source = value if value in SOURCES and not self.into else self.source
        self._forget_hub()
        self._forget("files", "path", "repo", "revision", "token", "")

    @rx.event
    @signed_in
    async def type_path(self, text: str):
        self.path = text
        self._forget("path")

    @rx.event
    @signed_in
    async def type_repo(self, text: str):
        self.repo = text
        if not self.named_by_hand:
            self.name = text.strip().rpartition("/")[2][:80]
        self._forget("repo", "name")
        self._forget_hub()

    @rx.event
    @signed_in
    async def type_revision(self, text: str):
        self.revision = text
        self._forget("revision")
        self._forget_hub()

    @rx.event
    @signed_in
    async def choose_stored(self, chosen: str):
        self.stored = chosen
        self._forget("credential_id", "token")
        self._forget_hub()

    @rx.event
    @signed_in
    async def type_token(self, text: str):
        self.token = text
        self._forget("token")
        self._forget_hub()

    @rx.event
    @signed_in
    async def pick(self, chosen: dict[str, Any]):
        """Files were chosen or left out; none while some are being sent: the page was left, and waits for them."""
        if self.closing:
            self.reset()
        self.count = int(chosen.get("count") or 0)
        self.broken_off = bool(self.target) and not self.count
        if self.count:
            self._forget("files")

    @rx.event
    @signed_in
    async def begin(self):
        """Adds the model, or makes the one that the files are for; a second press changes nothing."""
        if self.target and "files" in self.problems:
            yield await self._have_checked()
            return
        if self.target or self.closing or self.asking:
            return
        if self.source == "hub" and not self.hub_commit:
            self.asking, self.problems = True, {}
            yield
            await self._ask_hub()
            self.asking = False
            return
        yield await self._add()

    async def _ask_hub(self) -> None:
        """Its size first; the second press agrees to it."""
        try:
            await self._look_up("model", self.repo, self.revision, self.token, self.stored)
        except NotSignedIn:
            raise
        except AppError as error:
            self.problems = problems_of(error)

    async def _add(self):
        said = (self.name, self.description, self.model_type)
        try:
            if self.source == "path":
                row = await act(self, register_folder, *said[:2], self.path, self.model_type, self.architecture)
            elif self.source == "hub":
                where = (self.repo, self.hub_commit, self.token)
                stored = parse_id(self.stored)
                row = await act(self, create_model_from_hub, *said, *where, self.architecture, stored)
            else:
                return await self._begin_upload(said)
        except NotSignedIn:
            raise
        except AppError as error:
            self.problems = problems_of(error)
            return None
        self.closing, self.token, self.problems = True, "", {}
        return rx.redirect(f"/models/{row.id}", replace=True)

    @rx.event
    @signed_in
    async def arrived(self, count: int):
        """The last file is in: a worker checks them, and the model's own page shows how far it is."""
        return await self._have_checked()

    async def _have_checked(self) -> Any:
        if not self.target or self.closing:
            return None
        try:
            await act(self, request_check, int(self.target))
        except NotSignedIn:
            raise
        except AppError as error:
            self.problems = problems_of(error)
            return None
        self.closing = True
        return rx.redirect(f"/models/{self.target}", replace=True)

    @rx.event
    @signed_in
    async def call_off(self):
        """The upload was cancelled: what had arrived goes, what was typed stays."""
        if self.target and not self.closing:
            await self._give_up()
            self.target, self.count, self.broken_off = "", 0, False
            return rx.toast.info("The upload is cancelled. Nothing of it was kept.")
        return None

    @rx.event
    @signed_in
    async def leave(self):
        """Cancel: back to the list, leaving nothing half-made by this page."""
        if self.target and not self.closing and not self.broken_off:
            await self._give_up()
        self.closing = True
        return rx.redirect(f"/models/{self.into}" if self.into else "/models")

    async def _give_up(self) -> None:
        """What had arrived goes; so does the model, when it was made for these files."""
        await act(self, restart_upload if self.into else delete_model, int(self.target))

    async def _begin_upload(self, said: tuple[str, str, str]) -> None:
        if not self.count:
            self.problems = {"files": NO_FILES}
            if not self.into and not self.name.strip():
                self.problems["name"] = "Give the model a name, so that you find it again."
            return
        if self.into:
            row = await act(self, restart_upload, self.into)
        else:
            row = await act(self, create_model_for_upload, *said, self.architecture)
        self.target, self.problems = str(row.id), {}

    def _forget(self, *names: str) -> None:
        self.problems = {key: said for key, said in self.problems.items() if key not in names}
