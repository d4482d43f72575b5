"""Merging, registering and pushing one adapter: the forms on its page, and the progress of what runs."""

from dataclasses import dataclass
from typing import Any, ClassVar

import reflex as rx

from orchestrator.domain import formatting
from orchestrator.domain.errors import AppError
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
from orchestrator.states.adapters.index import PATH
from orchestrator.states.shared.guards import problems_of, run_as_user, signed_in
from orchestrator.states.shared.hub_lookup import token_choices
from orchestrator.states.shared.record_page import RecordPage

_STAGES = {"loading": "Loading the base", "merging": "Merging", "writing": "Writing the files", "sending": "Sending"}


@dataclass(frozen=True, slots=True)
class OperationLine:
    """One merge or push."""

    id: int
    title: str
    status: str
    """The chip's: queued, running, completed, failed."""
    note: str
    url: str
    made_at: str


class AdapterOperationsState(RecordPage, rx.State):
    """The merges and pushes of the version on the page."""

    PATH: ClassVar[str] = PATH

    lines: list[OperationLine] = []
    merged: bool = False
    busy: bool = False
    pushing: bool = False
    repo: str = ""
    stored: str = "none"
    """The id of a stored Hub token, or "none"."""
    stored_tokens: list[dict[str, str]] = []
    private: bool = True
    push_merged: bool = False
    """Push the merged model instead of the adapter."""
    problems: dict[str, str] = {}

    @rx.event
    @signed_in
    async def merge(self):
        await run_as_user(self, request_merge, self._id())
        return await self._refresh()

    @rx.event
    @signed_in
    async def register(self):
        """Makes a base model of it, and goes to that model's page."""
        row = await run_as_user(self, register_merged, self._id())
        return [rx.toast.success(f"{row.name} is being checked."), rx.redirect(f"/models/{row.id}")]

    @rx.event
    @signed_in
    async def show_push(self, opened: bool):
        self.pushing = opened
        self.problems, self.stored = {}, "none"
        if opened:
            self.stored_tokens = token_choices(await run_as_user(self, list_credentials))

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
    async def choose_merged(self, merged: bool):
        self.push_merged = merged and self.merged

    @rx.event
    @signed_in
    async def push(self, form: dict[str, str]):
        """Pushes as the form says; the page does not keep the token."""
        what = MERGED if self.push_merged else ADAPTER
        token = str(form.get("token", ""))
        try:
            await run_as_user(
                self, request_push, self._id(), self.repo, token, self.private, what, parse_id(self.stored)
            )
        except AppError as error:
            self.problems = problems_of(error)
            return None
        self.pushing, self.problems = False, {}
        return await self._refresh()

    async def _read(self, *query: Any) -> list[OperationRow]:
        return await run_as_user(self, list_operations, *query)

    def _is_changing(self) -> bool:
        return self.busy

    def _show(self, visit: list[OperationRow]) -> None:
        rows = visit
        self.lines = [operation_line(row) for row in rows]
        self.busy = any(row.status in ("waiting", "running") for row in rows)
        self.merged = any(row.kind == "merge" and row.status == "done" for row in rows)


def operation_line(row: OperationRow) -> OperationLine:
    """A merge or a push as the page shows it."""
    chip = {"waiting": "queued", "done": "completed"}.get(row.status, row.status)
    what = "merged model" if row.what == MERGED else "adapter"
    title = "Merge into the base" if row.kind == "merge" else f"Push the {what} to {row.repo}"
    return OperationLine(
        row.id, title, chip, row.error or _note(row), row.url, formatting.iso(row.finished_at or row.created_at)
    )


def _note(row: OperationRow) -> str:
    if row.status == "waiting":
        return "Waiting for a worker."
    if row.status != "running":
        return ""
    stage = _STAGES.get(row.stage, "Starting")
    sizes = f": {formatting.size(row.done)} of {formatting.size(row.total)}" if row.kind == "push" and row.total else ""
    return f"{stage}{sizes}."
