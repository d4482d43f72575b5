"""The audit log as administrators read it: its filters, its entries, and the verification of its chain."""

from dataclasses import dataclass
from typing import Any, ClassVar
from urllib.parse import quote

import reflex as rx
from sqlmodel import Session

from orchestrator.domain import formatting
from orchestrator.domain.audit import NOUNS, Outcome
from orchestrator.domain.users import Actor
from orchestrator.services.audit.chain import Verification
from orchestrator.services.audit.entries import AuditFilter, AuditRow, Value, list_entries, verify_log
from orchestrator.services.paging import Page
from orchestrator.states.shared.address_filters import read_filter, write_filters
from orchestrator.states.shared.guards import run_as_user, signed_in
from orchestrator.states.shared.list_state import Listed

PATH = "/audit"
ANY = "any"
_NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class AuditLine:
    """One entry."""

    id: int
    at: str
    """ISO time."""
    who: str
    """With the one on whose behalf it was done."""
    act: str
    """In words, such as "Token created"."""
    refused: bool
    object: str
    """The name; its id where it has none."""
    changes: str
    """Such as "name: old → new"."""
    origin: str
    """Address and token."""


@dataclass(frozen=True, slots=True)
class _Listing:
    page: Page[AuditRow]
    total: int


def _read(session: Session, actor: Actor, q: str, kind: str, outcome: str, limit: int, cursor: str) -> _Listing:
    chosen = AuditFilter(acts="" if kind == ANY else kind, outcome=outcome, q=q)
    page = list_entries(session, actor, chosen, limit, cursor or None)
    return _Listing(page, list_entries(session, actor, limit=1).total)


class AuditState(Listed, rx.State):
    """The entries, a page at a time, and what the last verification found."""

    PATH: ClassVar[str] = PATH
    STATUSES: ClassVar = tuple(Outcome)
    SORTS: ClassVar = {"-id": "Newest first"}

    rows: list[AuditLine] = []
    kind: str = ANY
    """The kind of object, or `ANY`."""
    verifying: bool = False
    verified: str = ""
    """What the verification found, as a sentence; "" before it was asked for."""
    tampered: bool = False

    @rx.var
    def filtered(self) -> bool:
        return bool(self.q or self.status) or self.kind != ANY

    @rx.var
    def export_query(self) -> str:
        """The filters as the export by REST takes them."""
        acts = "" if self.kind == ANY else self.kind
        chosen = {"acts": acts, "outcome": self.status, "q": self.q}
        return "".join(f"&{name}={quote(value, safe='')}" for name, value in chosen.items() if value)

    @rx.event
    @signed_in
    async def filter_kind(self, kind: str):
        """Shows what was done to objects of one kind."""
        self.kind = kind if kind in NOUNS else ANY
        return await self._apply_filters()

    @rx.event
    @signed_in
    async def verify(self):
        """Computes every hash again."""
        self.verifying, self.verified, self.tampered = True, "", False
        yield
        try:
            found = await run_as_user(self, verify_log)
            self.verified, self.tampered = _verdict(found), bool(found.problem)
        finally:
            self.verifying = False

    def _read_address(self) -> None:
        self.q, self.status = read_filter(self, "q", limit=100), read_filter(self, "outcome", self.STATUSES)
        self.kind = read_filter(self, "kind", NOUNS) or ANY

    def _query(self) -> tuple[str, str, str, int, str]:
        return self.q, self.kind, self.status, self.limit, self._cursor

    async def _read(self, *query: Any) -> _Listing:
        return await run_as_user(self, _read, *query)

    def _write_address(self) -> rx.event.EventSpec:
        kind = "" if self.kind == ANY else self.kind
        return write_filters(PATH, q=self.q, outcome=self.status, kind=kind)

    def _clear(self) -> None:
        self.kind = ANY

    def _fill(self, listing: _Listing) -> None:
        self.rows = [audit_line(row) for row in listing.page.items]
        self.total = listing.total
        self.summary = formatting.plural(listing.total, "entry", "entries") if listing.total else ""


def audit_line(row: AuditRow) -> AuditLine:
    """The entry in words."""
    behalf = f" for {row.on_behalf_of}" if row.on_behalf_of else ""
    return AuditLine(
        id=row.id,
        at=formatting.iso(row.at),
        who=f"{row.actor or 'unknown'}{behalf}",
        act=words_of(row.act),
        refused=row.outcome == Outcome.REFUSED,
        object=row.object_name or row.object_id,
        changes=_changes(row.before, row.after),
        origin=", ".join(filter(None, (row.address, f"token {row.token}" if row.token else ""))),
    )


def words_of(act: str) -> str:
    """dataset.import_requested -> "Dataset import requested"."""
    return act.replace(".", " ").replace("_", " ").capitalize()


def _changes(before: dict[str, Value], after: dict[str, Value]) -> str:
    parts = []
    for name in dict.fromkeys((*before, *after)):
        old, new = (_shown(side.get(name)) for side in (before, after))
        both = f"{old} → {new}" if name in before and name in after else new if name in after else old
        parts.append(f"{name.replace('_', ' ')}: {both}")
    return ", ".join(parts)


def _shown(value: Value) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return _NOTHING if value in (None, "") else f"{value:,}" if isinstance(value, int) else str(value)


def _verdict(found: Verification) -> str:
    if found.problem:
        return f"{found.problem} Entries before it that agree: {found.entries:,}."
    return f"No entry was changed. Verified: {found.entries:,}. The newest is {found.last_id}:{found.last_hash}"
