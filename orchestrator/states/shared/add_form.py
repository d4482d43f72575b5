"""The mixin of the pages that add a dataset or a base model: name, source, the Hub's answer, and the upload."""

from typing import Any, ClassVar

import reflex as rx

from orchestrator.domain import formatting
from orchestrator.domain.errors import AppError, NotFound
from orchestrator.domain.numbers import parse_id
from orchestrator.states.shared.address_filters import read_filter
from orchestrator.states.shared.focus import focus_first_problem
from orchestrator.states.shared.guards import problems_of, signed_in
from orchestrator.states.shared.hub_lookup import HubConfirm

MAX_NAME = 80


class AddForm(HubConfirm, mixin=True):
    """What is typed and chosen in the form. Leaving the page before its record is complete keeps nothing of it.

    Subclasses define the class variables and the methods that raise NotImplementedError.
    """

    PATH: ClassVar[str] = ""
    NOUN: ClassVar[str] = ""
    NO_FILES: ClassVar[str] = ""
    """The sentence below the uploader when no file was chosen."""

    name: str = ""
    named_by_hand: bool = False
    description: str = ""
    source: str = "upload"
    repo: str = ""
    revision: str = ""
    problems: dict[str, str] = {}
    count: int = 0
    """How many files are chosen."""
    chosen_text: str = ""
    target: str = ""
    """The id of the record that the files are uploaded to; "" until the upload starts."""
    interrupted: bool = False
    """The page was left or reloaded during the upload: the same files have to be chosen again to continue it."""
    into: int = 0
    """The record that files are added to; 0 for a new one."""
    into_name: str = ""
    missing: bool = False
    closed: bool = False
    """The form was submitted or cancelled: the next visit starts with an empty one."""

    @rx.event
    @signed_in
    async def load(self):
        """on_load: what was typed stays after a reload or a reconnect; after a submitted form it is empty."""
        into = parse_id(read_filter(self, "into"))
        stale = bool(self.target) and await self._upload_is_stale(int(self.target))
        if self.closed or self.into != into or stale:
            self.reset()
        self.into, self.missing = into, False
        try:
            await (self._open_record(into) if into else self._open_new())
        except NotFound:
            self.missing = True

    @rx.event
    @signed_in
    async def type_name(self, text: str):
        self.name, self.named_by_hand = text, bool(text.strip())
        self._clear_problems("name")

    @rx.event
    @signed_in
    async def type_description(self, text: str):
        self.description = text

    @rx.event
    @signed_in
    async def type_repo(self, text: str):
        self.repo = text.strip()
        self._suggest_name(self.repo.rpartition("/")[2])
        self._clear_problems("repo")
        self._clear_hub()

    @rx.event
    @signed_in
    async def type_revision(self, text: str):
        self.revision = text.strip()
        self._clear_problems("revision")
        self._clear_hub()

    @rx.event
    @signed_in
    async def pick(self, chosen: dict[str, Any]):
        """The choice of files has changed; a record without a name takes that of the archive or folder.

        No files during an upload: the page was left or reloaded, and waits for them to be chosen again.
        """
        if self.closed:
            self.reset()
        self.count = parse_id(str(chosen.get("count") or 0))
        self.interrupted = bool(self.target) and not self.count
        self.chosen_text = formatting.plural(self.count, "file")
        if not self.target:
            self._suggest_name(str(chosen.get("name") or ""))
        if self.count:
            self._clear_problems("files")

    @rx.event
    @signed_in
    async def start(self, form: dict[str, Any]):
        """Starts the upload, or adds what is fetched; for the Hub the first press looks up the size.

        A second press changes nothing, unless the server has found files missing after the upload.
        """
        if self.target and "files" in self.problems:
            yield await self._finish_upload()
            yield self._focus_problem()
            return
        if self.target or self.closed or self.asking:
            return
        if self.source == "hub" and not self.hub_commit:
            self.asking, self.problems = True, {}
            yield
            await self._ask_hub(form)
            self.asking = False
            yield self._focus_problem()
            return
        yield await (self._start_upload() if self.source == "upload" else self._add_fetched(form))
        yield self._focus_problem()

    @rx.event
    @signed_in
    async def finish(self, count: int):
        """The last file has arrived: a worker processes them, and the record's own page shows the progress."""
        return await self._finish_upload()

    @rx.event
    @signed_in
    async def cancel(self):
        """The upload was cancelled in the uploader: what had arrived is deleted, what was typed stays."""
        if not self.target or self.closed:
            return None
        await self._discard_upload(int(self.target))
        self.target, self.count, self.interrupted = "", 0, False
        return rx.toast.info("The upload is cancelled. None of its files were kept.")

    @rx.event
    @signed_in
    async def close(self):
        """The Cancel button: deletes what this page has made so far and returns to the page before."""
        if self.target and not self.closed and not self.interrupted:
            await self._discard_upload(int(self.target))
        self.closed = True
        return rx.redirect(f"{self.PATH}/{self.into}" if self.into else self.PATH)

    async def _open_new(self) -> None:
        """Reads what the form for a new record offers."""

    async def _open_record(self, record_id: int) -> None:
        """Reads the record that files are added to, and whether an interrupted upload continues."""
        raise NotImplementedError

    async def _upload_is_stale(self, record_id: int) -> bool:
        """Whether the record takes no files any more."""
        raise NotImplementedError

    async def _make_record(self) -> int:
        """Makes the record that the files are uploaded to, and returns its id."""
        raise NotImplementedError

    async def _process_upload(self, record_id: int) -> None:
        """Lets a worker process the uploaded files."""
        raise NotImplementedError

    async def _discard_upload(self, record_id: int) -> None:
        """Deletes what has arrived, and the record itself where it was made for these files."""
        raise NotImplementedError

    async def _add_record(self, form: dict[str, Any]) -> int:
        """Adds a record whose files are fetched, and returns its id."""
        raise NotImplementedError

    def _hub_token(self, form: dict[str, Any]) -> tuple[str, str]:
        """The typed token and the id of the stored one."""
        raise NotImplementedError

    def _resume_upload(self, record_id: int) -> None:
        self.target, self.interrupted, self.source = str(record_id), True, "upload"

    async def _ask_hub(self, form: dict[str, Any]) -> None:
        try:
            token, stored = self._hub_token(form)
            await self._request_hub_size(self.NOUN, self.repo, self.revision, token, stored)
        except AppError as error:
            self.problems = problems_of(error)

    async def _start_upload(self) -> None:
        problems = {} if self.count else {"files": self.NO_FILES}
        if not self.into and not self.name.strip():
            problems["name"] = f"Give the {self.NOUN} a name, so that you find it again."
        self.problems = problems
        if problems:
            return
        try:
            self.target = str(await self._make_record())
        except AppError as error:
            self.problems = problems_of(error)

    async def _finish_upload(self) -> rx.event.EventSpec | None:
        if not self.target or self.closed:
            return None
        try:
            await self._process_upload(int(self.target))
        except AppError as error:
            self.problems = problems_of(error)
            return None
        self.closed = True
        return rx.redirect(f"{self.PATH}/{self.target}", replace=True)

    async def _add_fetched(self, form: dict[str, Any]) -> rx.event.EventSpec | None:
        try:
            record_id = await self._add_record(form)
        except AppError as error:
            self.problems = problems_of(error)
            return None
        self.closed, self.problems = True, {}
        return rx.redirect(f"{self.PATH}/{record_id}", replace=True)

    def _focus_problem(self) -> rx.event.EventSpec | None:
        """What is wrong is read where the focus is, not at the button under it."""
        return focus_first_problem() if self.problems else None

    def _suggest_name(self, name: str) -> None:
        if not self.named_by_hand:
            self.name = name[:MAX_NAME]

    def _clear_problems(self, *fields: str) -> None:
        self.problems = {field: sentence for field, sentence in self.problems.items() if field not in fields}
