"""Adding clips: a new dataset, or more files for one that is there; nothing half-made stays when it is called off."""

from contextlib import suppress
from typing import Any

import reflex as rx
from sqlmodel import Session

from orchestrator.domain.datasets import DatasetStatus, Task
from orchestrator.domain.errors import AppError, NotFound, NotSignedIn
from orchestrator.domain.users import Actor
from orchestrator.services.datasets.catalog import create_dataset, delete_dataset, get_dataset
from orchestrator.services.datasets.rows import DatasetRow
from orchestrator.services.datasets.uploads import discard_arriving, request_ingest
from orchestrator.states import words
from orchestrator.states.address import filter_of
from orchestrator.states.guards import act, problems_of, signed_in

NOTHING_CHOSEN = "Choose some clips first: single files, folders, or a zip or tar of them."
_HINTS = {
    Task.CLASSIFICATION.value: "mp4, mov, avi, mkv, webm, alone or in a zip or tar. "
    "Each folder is a class; two classes at least, two clips in each.",
    "": "mp4, mov, avi, mkv, webm, alone or in a zip or tar, together with the files that hold the captions.",
}


def _call_off(session: Session, actor: Actor, dataset_id: int, made_here: bool) -> None:
    """Forgets what has arrived, and the dataset itself when it was made for these files."""
    row = get_dataset(session, actor, dataset_id)
    if made_here and row.status == DatasetStatus.DRAFT and not row.clip_count:
        delete_dataset(session, actor, dataset_id)
    else:
        discard_arriving(session, actor, dataset_id)


class DatasetAddState(rx.State):
    """What is typed and chosen on the add page."""

    name: str = ""
    description: str = ""
    task: str = Task.CLASSIFICATION.value
    named_by_hand: bool = False
    problems: dict[str, str] = {}
    count: int = 0
    chosen_text: str = ""
    target: str = ""
    """The id of the dataset that the files go to; "" until sending begins."""
    into: int = 0
    """The dataset that more files are added to; 0 for a new one."""
    into_name: str = ""
    ready: bool = False
    missing: bool = False
    closing: bool = False

    @rx.var
    def title(self) -> str:
        return f"Add files to {self.into_name}" if self.into_name else "Add dataset"

    @rx.var
    def files_hint(self) -> str:
        return _HINTS.get(self.task, _HINTS[""])

    @rx.event
    @signed_in
    async def load(self):
        """on_load: what was typed stays over a reload or a reconnect; after a finished upload the form is fresh."""
        wanted = filter_of(self, "into")
        into = int(wanted) if wanted.isdigit() else 0
        if self.closing or self.into != into:
            self.reset()
        self.into = into
        if into:
            try:
                row: DatasetRow = await act(self, get_dataset, into)
            except NotFound:
                self.missing, self.ready = True, True
                return
            self.into_name, self.task = row.name, row.task
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
        if not self.target and not self.into:
            self.task = task

    @rx.event
    @signed_in
    async def pick(self, chosen: dict[str, Any]):
        """Files were chosen or left out; a dataset without a name takes that of the zip or folder.

        No files while some are being sent: the page was left or reloaded, and what had arrived is forgotten.
        """
        if self.closing:
            self.reset()
        self.count = int(chosen.get("count") or 0)
        if self.target and not self.count:
            abandoned, self.target = int(self.target), ""
            with suppress(NotFound):
                await act(self, _call_off, abandoned, self.into == 0)
        self.chosen_text = words.plural(self.count, "file")
        if not self.named_by_hand:
            self.name = str(chosen.get("name") or "")[:80]
        if self.count:
            self.problems = {key: said for key, said in self.problems.items() if key != "files"}

    @rx.event
    @signed_in
    async def begin(self):
        """Makes the draft, which lets the page begin to send; a second press changes nothing."""
        if self.target:
            return
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
        await act(self, request_ingest, int(self.target))
        self.closing = True
        return rx.redirect(f"/datasets/{self.target}", replace=True)

    @rx.event
    @signed_in
    async def call_off(self):
        """The upload was cancelled: what had arrived goes, what was typed stays."""
        if self.target and not self.closing:
            await act(self, _call_off, int(self.target), self.into == 0)
            self.target, self.count = "", 0
            return rx.toast.info("The upload is cancelled. Nothing of it was kept.")
        return None

    @rx.event
    @signed_in
    async def leave(self):
        """Cancel: back to where the person came from, leaving nothing half-made."""
        if self.target and not self.closing:
            await act(self, _call_off, int(self.target), self.into == 0)
        self.closing = True
        return rx.redirect(f"/datasets/{self.into}" if self.into else "/datasets")

    async def _draft(self) -> int:
        row = await act(
            self,
            create_dataset,
            name=self.name,
            description=self.description,
            task=self.task,
            source={"type": "upload"},
        )
        return row.id
