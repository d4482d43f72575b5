"""The list of base models: what is shown and how it is filtered."""

import asyncio
from dataclasses import dataclass
from typing import Any

import reflex as rx
from sqlmodel import Session

from orchestrator.domain.tasks import ModelType
from orchestrator.domain.users import Actor
from orchestrator.services.models.catalog import list_models
from orchestrator.services.models.rows import ModelRow
from orchestrator.services.paging import Page
from orchestrator.states.models.rows import ModelCard, model_card
from orchestrator.states.shared import formatting
from orchestrator.states.shared.address_filters import filter_of, is_on, remember
from orchestrator.states.shared.guards import act, signed_in
from orchestrator.states.shared.list_state import Listed

PATH = "/models"
LOOK_AGAIN_S = 2.0
SORTS = {"name": "Name", "-created_at": "Newest first", "-parameters": "Largest first", "parameters": "Smallest first"}
STATUSES = ("ready", "in_use", "processing", "error")


@dataclass(frozen=True, slots=True)
class _Listing:
    page: Page[ModelRow]
    total: int


def _read(
    session: Session, actor: Actor, q: str, status: str, model_type: str, sort: str, limit: int, cursor: str
) -> _Listing:
    page = list_models(
        session, actor, q=q, status=status, model_type=model_type, sort=sort, limit=limit, cursor=cursor or None
    )
    return _Listing(page, list_models(session, actor, limit=1).total)


class ModelsState(Listed, rx.State):
    """One page of the models a person may train, and the filters that chose it."""

    rows: list[ModelCard] = []
    status: str = ""
    kind: str = ""
    sort: str = "name"

    @rx.var
    def filtered(self) -> bool:
        return bool(self.q or self.status or self.kind)

    @rx.event
    @signed_in
    async def load(self):
        """on_load: takes the filters from the address."""
        before = self._wanted()
        self.q = filter_of(self, "q")
        self.status = filter_of(self, "status", STATUSES)
        self.kind = filter_of(self, "type", list(ModelType))
        self.sort = filter_of(self, "sort", SORTS) or "name"
        if before != self._wanted():
            self._from_the_start()
        return await self._refresh()

    @rx.event
    @signed_in
    async def filter_status(self, status: str):
        self.status = status if status in STATUSES else ""
        return await self._filtered()

    @rx.event
    @signed_in
    async def filter_kind(self, kind: str):
        self.kind = kind if kind in list(ModelType) else ""
        return await self._filtered()

    @rx.event
    @signed_in
    async def sort_by(self, sort: str):
        self.sort = sort if sort in SORTS else "name"
        return await self._filtered()

    @rx.event
    @signed_in
    async def clear_filters(self):
        self.q, self.status, self.kind = "", "", ""
        return await self._filtered()

    @rx.event(background=True, supersedes=True)
    @signed_in
    async def watch(self):
        """Looks again while a model is in use or being read, or before there is any; ends with the page."""
        while is_on(self, PATH) and self._moves():
            await asyncio.sleep(LOOK_AGAIN_S)
            async with self:
                wanted = self._wanted()
            listing = await self._look(*wanted)
            async with self:
                if wanted == self._wanted():
                    self._show(listing)

    def _moves(self) -> bool:
        return not self.total or any(row.status in ("in_use", "processing", "waiting") for row in self.rows)

    def _wanted(self) -> tuple[str, str, str, str, int, str]:
        return self.q, self.status, self.kind, self.sort, self.shown, self._cursor

    async def _look(self, *wanted: Any) -> _Listing:
        return await act(self, _read, *wanted)

    def _remember(self) -> rx.event.EventSpec:
        sort = "" if self.sort == "name" else self.sort
        return remember(PATH, q=self.q, status=self.status, type=self.kind, sort=sort)

    def _onwards(self) -> Any:
        return ModelsState.watch if self._moves() else None

    def _fill(self, listing: _Listing) -> None:
        page = listing.page
        self.rows = [model_card(row) for row in page.items]
        self.total = listing.total
        self.summary = formatting.plural(listing.total, "base model") if listing.total else ""
