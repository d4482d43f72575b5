"""Merging, registering and pushing one adapter: what is asked for on its page, and how far it is."""

import asyncio
from dataclasses import dataclass

import reflex as rx

from orchestrator.domain.errors import AppError, NotFound, NotSignedIn
from orchestrator.domain.numbers import parse_id
from orchestrator.services.adapters.operations import (
    ADAPTER,
    MERGED,
    OperationRow,
    list_operations,
    request_merge,
    request_push,
)
from orchestrator.services.adapters.registering import register_merged
from orchestrator.services.credentials import list_credentials
from orchestrator.states.shared import formatting
from orchestrator.states.shared.guards import act, problems_of, signed_in
from orchestrator.states.shared.hub_lookup import token_choices

PATH = "/adapters"
LOOK_AGAIN_S = 1.0
_STAGES = {"loading": "Loading the base", "merging": "Merging", "writing": "Writing the files", "sending": "Sending"}


@dataclass(frozen=True, slots=True)
class WorkLine:
    """One merge or push in words."""

    id: int
    title: str
    status: str
    """The chip's: queued, running, completed, failed."""
    note: str
    url: str
    made_at: str


class AdapterWorks(rx.State):
    """The merges and pushes of the version on the page."""

    lines: list[WorkLine] = []
    merged: bool = False
    busy: bool = False
    pushing: bool = False
    repo: str = ""
    token: str = ""
    stored: str = "none"
    """The id of a stored Hub token, or "none"."""
    stored_tokens: list[dict[str, str]] = []
    private: bool = True
    whole: bool = False
    problems: dict[str, str] = {}
    _for: int = 0

    @rx.event
    @signed_in
    async def load(self):
        """on_load: what there is, then a look each second while something is under way."""
        if self._for != self._id():
            self.reset()
            self._for = self._id()
        return await self._refresh()

    @rx.event(background=True, supersedes=True)
    @signed_in
    async def watch(self):
        """Looks again until nothing is under way or the page is left."""
        while True:
            await asyncio.sleep(LOOK_AGAIN_S)
            async with self:
                wanted = self._id()
            try:
                rows = await act(self, list_operations, wanted)
            except NotFound:
                return
            async with self:
                if wanted != self._id():
                    return
                self._show(rows)
                if not self.busy:
                    return

    @rx.event
    @signed_in
    async def merge(self):
        await act(self, request_merge, self._id())
        return await self._refresh()

    @rx.event
    @signed_in
    async def register(self):
        """Makes a base model of it, and goes there."""
        row = await act(self, register_merged, self._id())
        return [rx.toast.success(f"{row.name} is being checked."), rx.redirect(f"/models/{row.id}")]

    @rx.event
    @signed_in
    async def show_push(self, opened: bool):
        self.pushing = opened
        self.token, self.problems, self.stored = "", {}, "none"
        if opened:
            self.stored_tokens = token_choices(await act(self, list_credentials))

    @rx.event
    @signed_in
    async def choose_stored(self, chosen: str):
        self.stored, self.problems = chosen, {}

    @rx.event
    @signed_in
    async def type_repo(self, text: str):
        self.repo = text[:200]

    @rx.event
    @signed_in
    async def choose_private(self, private: bool):
        self.private = private

    @rx.event
    @signed_in
    async def choose_whole(self, whole: bool):
        self.whole = whole and self.merged

    @rx.event
    @signed_in
    async def push(self, form: dict[str, str]):
        """Sends what was filled in; the token is not kept in the page."""
        what = MERGED if self.whole else ADAPTER
        token = str(form.get("token", ""))
        try:
            stored = parse_id(self.stored)
            await act(self, request_push, self._id(), self.repo, token, self.private, what, stored)
        except NotSignedIn:
            raise
        except AppError as error:
            self.problems = problems_of(error)
            return None
        self.pushing, self.problems = False, {}
        return await self._refresh()

    def _id(self) -> int:
        text = str(self.router.url.path).rstrip("/").rpartition("/")[2]
        return parse_id(text)

    async def _refresh(self):
        try:
            self._show(await act(self, list_operations, self._id()))
        except NotFound:  # the page itself says so
            return None
        return AdapterWorks.watch if self.busy else None

    def _show(self, rows: list[OperationRow]) -> None:
        self.lines = [work_line(row) for row in rows]
        self.busy = any(row.status in ("waiting", "running") for row in rows)
        self.merged = any(row.kind == "merge" and row.status == "done" for row in rows)


def work_line(row: OperationRow) -> WorkLine:
    """A merge or a push in words."""
    chip = {"waiting": "queued", "done": "completed"}.get(row.status, row.status)
    what = "merged model" if row.what == MERGED else "adapter"
    title = "Merge into the base" if row.kind == "merge" else f"Push the {what} to {row.repo}"
    return WorkLine(
        row.id, title, chip, row.error or _note(row), row.url, formatting.iso(row.finished_at or row.created_at)
    )


def _note(row: OperationRow) -> str:
    if row.status == "waiting":
        return "Waiting for a worker."
    if row.status != "running":
        return ""
    said = _STAGES.get(row.stage, "Beginning")
    sizes = f": {formatting.size(row.done)} of {formatting.size(row.total)}" if row.kind == "push" and row.total else ""
    return f"{said}{sizes}."
