"""Adding clips: a new dataset, or more files for one that is there; nothing half-made stays when it is called off."""

from typing import Any
from urllib.parse import unquote, urlsplit

import reflex as rx
from sqlmodel import Session

from orchestrator.domain.datasets import DatasetStatus
from orchestrator.domain.errors import AppError, NotFound, NotSignedIn
from orchestrator.domain.numbers import parse_id
from orchestrator.domain.tasks import DEFAULT_TASK, TASKS
from orchestrator.domain.users import Actor
from orchestrator.services.credentials import list_credentials
from orchestrator.services.datasets.catalog import create_dataset, delete_dataset, get_dataset
from orchestrator.services.datasets.ingest.sources import SECRETS, add_dataset, request_fetch
from orchestrator.services.datasets.ingest.uploads import discard_uploads, request_ingest
from orchestrator.services.datasets.rows import DatasetRow
from orchestrator.services.uploads.uploads import list_uploads
from orchestrator.states.shared import formatting
from orchestrator.states.shared.address_filters import filter_of
from orchestrator.states.shared.guards import act, problems_of, signed_in
from orchestrator.states.shared.hub_lookup import HubConfirm

NOTHING_CHOSEN = "Choose some clips first: single files, folders, or a zip or tar of them."
_NO_CREDENTIALS = [
    {"value": "none", "label": "None: anybody may read it"},
    {"value": "new", "label": "New credentials"},
]
_TYPED = ("token", "credential_name", *SECRETS)


def _call_off(session: Session, actor: Actor, dataset_id: int, made_here: bool) -> None:
    """Forgets what has arrived, and the dataset itself when it was made for these files."""
    row = get_dataset(session, actor, dataset_id)
    if made_here and row.status == DatasetStatus.DRAFT and not row.clip_count:
        delete_dataset(session, actor, dataset_id)
    else:
        discard_uploads(session, actor, dataset_id)


def _goes_on(session: Session, actor: Actor, dataset_id: int) -> bool:
    """Something was sent to it that nobody has had read: the same files are gone on with."""
    takes = get_dataset(session, actor, dataset_id).status in (DatasetStatus.DRAFT, DatasetStatus.READY)
    return takes and bool(list_uploads(session, actor, dataset_id))


def _still_open(session: Session, actor: Actor, dataset_id: int) -> bool:
    try:
        return get_dataset(session, actor, dataset_id).status == DatasetStatus.DRAFT
    except NotFound:
        return False


class DatasetAddState(HubConfirm, rx.State):
    """What is typed and chosen on the add page."""

    name: str = ""
    description: str = ""
    task: str = DEFAULT_TASK.value
    source: str = "upload"
    url: str = ""
    uri: str = ""
    repo: str = ""
    revision: str = ""
    credential: str = "none"
    """"none", "new", or the id of stored credentials."""
    credentials: list[dict[str, str]] = []
    named_by_hand: bool = False
    problems: dict[str, str] = {}
    count: int = 0
    chosen_text: str = ""
    target: str = ""
    """The id of the dataset that the files go to; "" until sending begins."""
    broken_off: bool = False
    """The page was left or reloaded while it sent: what has arrived waits for the same files to be chosen again."""
    into: int = 0
    """The dataset that more files are added to; 0 for a new one."""
    into_name: str = ""
    ready: bool = False
    missing: bool = False
    closing: bool = False
    review: bool = False
    """What was understood is shown before a single clip is taken in."""

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
    async def load(self):
        """on_load: what was typed stays over a reload or a reconnect; after a finished upload the form is fresh."""
        wanted = filter_of(self, "into")
        into = parse_id(wanted)
        gone = bool(self.target) and not into and not await act(self, _still_open, int(self.target))
        if self.closing or self.into != into or gone:
            self.reset()
        self.into = into
        if into:
            try:
                row: DatasetRow = await act(self, get_dataset, into)
            except NotFound:
                self.missing, self.ready = True, True
                return
            self.into_name, self.task = row.name, row.task
            if not self.target and await act(self, _goes_on, into):
                self.target, self.broken_off, self.source = str(into), True, "upload"
        self.ready = True
        return

    @rx.event
    @signed_in
    async def type_name(self, text: str):
        self.name, self.named_by_hand = text, bool(text.strip())
        self.problems = {key: said for key, said in self.problems.items() if key != "name"}

    @rx.event
    @signed_in
    async def type_description(self, text: str):
        self.description = text

    @rx.event
    @signed_in
    async def choose_task(self, task: str):
        if task in TASKS and not self.target and not self.into:
            self.task = task

    @rx.event
    @signed_in
    async def choose_source(self, source: str):
        """Upload, url, cloud or hub; the stored credentials are read when they are needed."""
        if self.target:
            return
        self.source, self.problems, self.credential = source, {}, "none"
        self._forget_hub()
        if source in ("cloud", "hub"):
            rows = [row for row in await act(self, list_credentials) if (row.kind == "hub") == (source == "hub")]
            stored = [{"value": str(row.id), "label": row.name, "hint": f"{row.kind}, {row.hint}"} for row in rows]
            self.credentials = [*_NO_CREDENTIALS, *stored]

    @rx.event
    @signed_in
    async def type_url(self, text: str):
        self.url = text.strip()
        self._suggest(urlsplit_name(self.url))

    @rx.event
    @signed_in
    async def type_uri(self, text: str):
        self.uri = text.strip()
        self._suggest(urlsplit_name(self.uri))

    @rx.event
    @signed_in
    async def type_repo(self, text: str):
        self.repo = text.strip()
        self._suggest(self.repo.rpartition("/")[2][:80])
        self._forget_hub()

    @rx.event
    @signed_in
    async def type_revision(self, text: str):
        self.revision = text.strip()
        self._forget_hub()

    @rx.event
    @signed_in
    async def choose_credential(self, chosen: str):
        self.credential = chosen
        self._forget_hub()

    @rx.event
    @signed_in
    async def choose_review(self, review: bool):
        self.review = review

    @rx.event
    @signed_in
    async def pick(self, chosen: dict[str, Any]):
        """Files were chosen or left out; a dataset without a name takes that of the zip or folder.

        No files while some are being sent: the page was left or reloaded, and waits for them to be chosen again.
        """
        if self.closing:
            self.reset()
        self.count = int(chosen.get("count") or 0)
        self.broken_off = bool(self.target) and not self.count
        self.chosen_text = formatting.plural(self.count, "file")
        if not self.named_by_hand and not self.target:
            self.name = str(chosen.get("name") or "")[:80]
        if self.count:
            self.problems = {key: said for key, said in self.problems.items() if key != "files"}

    @rx.event
    @signed_in
    async def begin(self, form: dict[str, Any]):
        """Makes the draft, which lets the page begin to send, or has a worker fetch; a second press changes nothing."""
        if self.target or self.closing or self.asking:
            return
        if self.source == "hub" and not self.hub_commit:
            self.asking, self.problems = True, {}
            yield
            await self._ask_hub(form)
            self.asking = False
            return
        yield await (self._begin_upload() if self.source == "upload" else self._fetch(form))

    async def _ask_hub(self, form: dict[str, Any]) -> None:
        """Its size first; the second press agrees to it."""
        token = str(form.get("token") or "").strip() if self.credential == "new" else ""
        if self.credential == "new" and not token:
            self.problems = {"token": "Enter a Hub token. It begins with hf_ and may only need to read."}
            return
        try:
            await self._look_up("dataset", self.repo, self.revision, token, self.credential)
        except NotSignedIn:
            raise
        except AppError as error:
            self.problems = problems_of(error)

    async def _begin_upload(self) -> None:
        problems = {} if self.count else {"files": NOTHING_CHOSEN}
        if not self.into and not self.name.strip():
            problems["name"] = "Give the dataset a name, so that you find it again."
        if problems:
            self.problems = problems
            return
        try:
            self.target = str(self.into or await self._draft())
            self.problems = {}
        except NotSignedIn:
            raise
        except AppError as error:
            self.problems = problems_of(error)

    @rx.event
    @signed_in
    async def arrived(self, count: int):
        """The last file is in: a worker reads them, and the dataset's own page shows how far it is."""
        if not self.target or self.closing:
            return None
        await act(self, request_ingest, int(self.target), self.review)
        self.closing = True
        return rx.redirect(f"/datasets/{self.target}", replace=True)

    @rx.event
    @signed_in
    async def call_off(self):
        """The upload was cancelled: what had arrived goes, what was typed stays."""
        if self.target and not self.closing:
            await act(self, _call_off, int(self.target), self.into == 0)
            self.target, self.count, self.broken_off = "", 0, False
            return rx.toast.info("The upload is cancelled. Nothing of it was kept.")
        return None

    @rx.event
    @signed_in
    async def leave(self):
        """Cancel: back to where the person came from, leaving nothing half-made by this page."""
        if self.target and not self.closing and not self.broken_off:
            await act(self, _call_off, int(self.target), self.into == 0)
        self.closing = True
        return rx.redirect(f"/datasets/{self.into}" if self.into else "/datasets")

    async def _draft(self) -> int:
        about = {"name": self.name, "description": self.description, "task": self.task}
        return (await act(self, create_dataset, **about)).id

    async def _fetch(self, form: dict[str, Any]):
        """A worker fetches; its page shows how far it is. Secrets are read from the form and kept in no state."""
        source: dict[str, Any] = {"type": "url", "url": self.url}
        if self.source == "hub":
            source = {"type": "hub", "repo": self.repo, "revision": self.hub_commit}
            source |= _credentials_of(self.credential, form)
        elif self.source == "cloud":
            source = {"type": "cloud", "uri": self.uri} | _credentials_of(self.credential, form)
        source |= {"review": True} if self.review else {}
        try:
            if self.into:
                row = await act(self, request_fetch, self.into, source)
            else:
                about = {"name": self.name, "description": self.description, "task": self.task}
                row = await act(self, add_dataset, **about, source=source)
        except NotSignedIn:
            raise
        except AppError as error:
            self.problems = problems_of(error)
            return None
        self.closing = True
        return rx.redirect(f"/datasets/{row.id}", replace=True)

    def _suggest(self, name: str) -> None:
        if not self.named_by_hand:
            self.name = name


def urlsplit_name(address: str) -> str:
    """What a dataset may be called: the last part of its address, without its ending."""
    try:
        path = urlsplit(address).path
    except ValueError:
        return ""
    last = unquote(path).rstrip("/").rpartition("/")[2]
    return last.removesuffix(".gz").rpartition(".")[0][:80] if "." in last else last[:80]


def _credentials_of(chosen: str, form: dict[str, Any]) -> dict[str, Any]:
    """The id of stored credentials, or the new ones as they were typed."""
    if chosen == "new":
        return {name: str(form.get(name) or "").strip() for name in _TYPED} | {"new_credentials": True}
    return {"credential_id": number} if (number := parse_id(chosen)) else {}
