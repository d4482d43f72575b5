"""The list of base models and its filters."""

from dataclasses import dataclass
from typing import Any, ClassVar

import reflex as rx
from sqlmodel import Session

from orchestrator.domain import formatting
from orchestrator.domain.tasks import ModelType
from orchestrator.domain.users import Actor
from orchestrator.services.models.catalog import list_models
from orchestrator.services.models.rows import ModelRow
from orchestrator.services.paging import Page
from orchestrator.states.models.rows import ModelCard, model_card
from orchestrator.states.shared.address_filters import read_filter, write_filters
from orchestrator.states.shared.guards import run_as_user, signed_in
from orchestrator.states.shared.list_state import Listed

PATH = "/models"
SORTS = {"name": "Name", "-created_at": "Newest first", "-parameters": "Largest first", "parameters": "Smallest first"}


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
    """The models that the user may train, a page at a time, and the filters."""

    PATH: ClassVar[str] = PATH
    STATUSES: ClassVar = ("ready", "in_use", "processing", "error")
    SORTS: ClassVar = SORTS

    rows: list[ModelCard] = []
    kind: str = ""
    """A model type, or "" for all."""

    @rx.var
    def filtered(self) -> bool:
        return bool(self.q or self.status or self.kind)

    @rx.event
    @signed_in
    async def filter_kind(self, kind: str):
        self.kind = kind if kind in list(ModelType) else ""
        return await self._apply_filters()

    def _read_address(self) -> None:
        self.q, self.status = read_filter(self, "q"), read_filter(self, "status", self.STATUSES)
        self.kind, self.sort = read_filter(self, "type", list(ModelType)), read_filter(self, "sort", SORTS)

    def _query(self) -> tuple[str, str, str, str, int, str]:
        return self.q, self.status, self.kind, self._sort_key(), self.limit, self._cursor

    async def _read(self, *query: Any) -> _Listing:
        return await run_as_user(self, _read, *query)

    def _write_address(self) -> rx.event.EventSpec:
        return write_filters(PATH, q=self.q, status=self.status, type=self.kind, sort=self.sort)

    def _clear(self) -> None:
        self.kind = ""

    def _is_changing(self) -> bool:
        """A model is in use or being read, or the built-in ones are not registered yet."""
        return not self.total or any(row.status in ("in_use", "processing", "waiting") for row in self.rows)

    def _fill(self, listing: _Listing) -> None:
        self.rows = [model_card(row) for row in listing.page.items]
        self.total = listing.total
        self.summary = formatting.plural(listing.total, "base model") if listing.total else ""
