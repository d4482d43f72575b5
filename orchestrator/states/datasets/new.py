"""The page that adds clips: to a new dataset, or to one that exists."""

from typing import Any, ClassVar
from urllib.parse import unquote

import reflex as rx
from sqlmodel import Session

from orchestrator.domain.datasets import DatasetStatus
from orchestrator.domain.errors import Invalid, NotFound
from orchestrator.domain.numbers import parse_id
from orchestrator.domain.tasks import DEFAULT_TASK, TASKS
from orchestrator.domain.users import Actor
from orchestrator.domain.web_addresses import split_address
from orchestrator.services.credentials import list_credentials
from orchestrator.services.datasets.catalog import create_dataset, delete_dataset, get_dataset
from orchestrator.services.datasets.ingest.sources import SECRETS, add_dataset, request_fetch
from orchestrator.services.datasets.ingest.uploads import discard_uploads, request_ingest
from orchestrator.services.uploads.uploads import list_uploads
from orchestrator.states.datasets.index import PATH
from orchestrator.states.shared.add_form import AddForm
from orchestrator.states.shared.guards import run_as_user, signed_in

_NO_CREDENTIALS = [
    {"value": "none", "label": "None: public data"},
    {"value": "new", "label": "New credentials"},
]
_TYPED = ("token", "credential_name", *SECRETS)


def _discard(session: Session, actor: Actor, dataset_id: int, made_here: bool) -> None:
    """Deletes the files that have arrived, and the dataset itself when it was made for them."""
    row = get_dataset(session, actor, dataset_id)
    if made_here and row.status == DatasetStatus.DRAFT and not row.clip_count:
        delete_dataset(session, actor, dataset_id)
    else:
        discard_uploads(session, actor, dataset_id)


def _can_resume(session: Session, actor: Actor, dataset_id: int) -> bool:
    """Whether files were uploaded that are not processed yet: the same files continue that upload."""
    takes = get_dataset(session, actor, dataset_id).status in (DatasetStatus.DRAFT, DatasetStatus.READY)
    return takes and bool(list_uploads(session, actor, dataset_id))


def _is_draft(session: Session, actor: Actor, dataset_id: int) -> bool:
    try:
        return get_dataset(session, actor, dataset_id).status == DatasetStatus.DRAFT
    except NotFound:
        return False


class DatasetAddState(AddForm, rx.State):
    """What is typed and chosen on the page that adds a dataset or files to one."""

    PATH: ClassVar[str] = PATH
    NOUN: ClassVar[str] = "dataset"
    NO_FILES: ClassVar[str] = "Choose some clips first: single files, folders, or a zip or tar of them."

    task: str = DEFAULT_TASK.value
    url: str = ""
    uri: str = ""
    credential: str = "none"
    """"none", "new", or the id of stored credentials."""
    credentials: list[dict[str, str]] = []
    review: bool = False
    """Show how the files are understood before any clip is imported."""

    @rx.var
    def title(self) -> str:
        return f"Add files to {self.into_name}" if self.into_name else "Add dataset"

    @rx.var
    def files_hint(self) -> str:
        return TASKS[self.task].annotation.spec.files_hint

    @rx.var
    def annotation(self) -> str:
        """The kind of annotation that the chosen task learns from."""
        return TASKS[self.task].annotation.value

    @rx.event
    @signed_in
    async def choose_task(self, task: str):
        if task in TASKS and not self.target and not self.into:
            self.task = task

    @rx.event
    @signed_in
    async def choose_source(self, source: str):
        """Upload, URL, cloud or Hub; stored credentials are read when they are needed."""
        if self.target:
            return
        self.source, self.problems, self.credential = source, {}, "none"
        self._clear_hub()
        if source in ("cloud", "hub"):
            listed = await run_as_user(self, list_credentials)
            rows = [row for row in listed if (row.kind == "hub") == (source == "hub")]
            stored = [{"value": str(row.id), "label": row.name, "hint": f"{row.kind}, {row.hint}"} for row in rows]
            self.credentials = [*_NO_CREDENTIALS, *stored]

    @rx.event
    @signed_in
    async def type_url(self, text: str):
        self.url = text.strip()
        self._suggest_name(name_in_url(self.url))

    @rx.event
    @signed_in
    async def type_uri(self, text: str):
        self.uri = text.strip()
        self._suggest_name(name_in_url(self.uri))

    @rx.event
    @signed_in
    async def choose_credential(self, chosen: str):
        self.credential = chosen
        self._clear_hub()

    @rx.event
    @signed_in
    async def choose_review(self, review: bool):
        self.review = review

    async def _open_record(self, record_id: int) -> None:
        row = await run_as_user(self, get_dataset, record_id)
        self.into_name, self.task = row.name, row.task
        if not self.target and await run_as_user(self, _can_resume, record_id):
            self._resume_upload(record_id)

    async def _upload_is_stale(self, record_id: int) -> bool:
        return not self.into and not await run_as_user(self, _is_draft, record_id)

    async def _make_record(self) -> int:
        return self.into or (await run_as_user(self, create_dataset, **self._about())).id

    async def _process_upload(self, record_id: int) -> None:
        await run_as_user(self, request_ingest, record_id, self.review)

    async def _discard_upload(self, record_id: int) -> None:
        await run_as_user(self, _discard, record_id, self.into == 0)

    def _hub_token(self, form: dict[str, Any]) -> tuple[str, str]:
        if self.credential != "new":
            return "", self.credential
        token = str(form.get("token") or "").strip()
        if not token:
            raise Invalid("Enter a Hub token. It begins with hf_ and needs only read access.", "token")
        return token, ""

    async def _add_record(self, form: dict[str, Any]) -> int:
        """Secrets are read from the form and not stored in the state."""
        source: dict[str, Any] = {"type": "url", "url": self.url}
        if self.source == "hub":
            source = {"type": "hub", "repo": self.repo, "revision": self.hub_commit}
            source |= _credentials_of(self.credential, form)
        elif self.source == "cloud":
            source = {"type": "cloud", "uri": self.uri} | _credentials_of(self.credential, form)
        source |= {"review": True} if self.review else {}
        if self.into:
            return (await run_as_user(self, request_fetch, self.into, source)).id
        return (await run_as_user(self, add_dataset, **self._about(), source=source)).id

    def _about(self) -> dict[str, str]:
        return {"name": self.name, "description": self.description, "task": self.task}


def name_in_url(address: str) -> str:
    """A name for the dataset: the last part of its address, without the file's ending."""
    last = unquote(split_address(address).path).rstrip("/").rpartition("/")[2]
    return last.removesuffix(".gz").rpartition(".")[0] if "." in last else last


def _credentials_of(chosen: str, form: dict[str, Any]) -> dict[str, Any]:
    """The id of stored credentials, or the new ones as they were typed."""
    if chosen == "new":
        return {name: str(form.get(name) or "").strip() for name in _TYPED} | {"new_credentials": True}
    return {"credential_id": number} if (number := parse_id(chosen)) else {}
