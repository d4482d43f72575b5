"""The entries of the audit log for its page, the REST API and the command line: filtered, a page at a time."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from sqlalchemy import ColumnElement, or_
from sqlmodel import Session, col, select

from orchestrator.domain.audit import NOUNS, Act, AuditEntry, Outcome
from orchestrator.domain.errors import Invalid, NotAllowed
from orchestrator.domain.json_schemas import OneOf
from orchestrator.domain.users import Actor
from orchestrator.services.audit.chain import Verification, verify
from orchestrator.services.paging import Page, contains, fetch_page

_SORTS = {"id": col(AuditEntry.id)}
Value = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """Which entries to list; what is empty does not filter.

    Attributes:
        acts: names of acts, or nouns, separated by commas.
        who: text in the name of the actor, or of the one on whose behalf it was done.
        object_id: only with one kind of object in `acts`.
        q: text in the object's name, the address, the token's name, or the names of `who`.
    """

    acts: str = ""
    who: str = ""
    object_id: str = ""
    outcome: str = ""
    q: str = ""
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class AuditRow:
    """One act as the audit log has it."""

    id: int
    at: datetime
    act: str
    outcome: Annotated[str, OneOf(Outcome)]
    actor_id: int | None
    """The account that acted; null for the studio itself, the command line and people without an account."""
    actor: str
    behalf_id: int | None
    on_behalf_of: str
    """Empty where the actor acted for itself."""
    address: str
    token: str
    """The name of the API token that was used; empty for a session."""
    object_kind: str
    object_id: str
    object_name: str
    before: dict[str, Value]
    after: dict[str, Value]
    previous_hash: str
    hash: str


def require_administrator(actor: Actor) -> None:
    """Only administrators read the audit log.

    Raises:
        NotAllowed: the actor is none.
    """
    if not actor.is_admin:
        raise NotAllowed("Only an administrator reads the audit log.")


def list_entries(
    session: Session, actor: Actor, chosen: AuditFilter | None = None, limit: int = 50, cursor: str | None = None
) -> Page[AuditRow]:
    """The entries that the filter chooses, the newest first.

    Raises:
        NotAllowed: not an administrator. Invalid: field acts or outcome.
    """
    require_administrator(actor)
    page = fetch_page(session, AuditEntry, conditions(chosen or AuditFilter()), _SORTS, "-id", limit, cursor)
    return Page([entry_row(entry) for entry in page.items], page.next, page.total)


def verify_log(session: Session, actor: Actor) -> Verification:
    """Computes the hash of every entry again.

    Raises:
        NotAllowed: not an administrator.
    """
    require_administrator(actor)
    return verify(session)


def newest_entries(session: Session, chosen: AuditFilter, limit: int) -> list[AuditRow]:
    """The newest entries that the filter chooses, for the command line, where no account is asked for.

    Raises:
        Invalid: as `list_entries`.
    """
    page = fetch_page(session, AuditEntry, conditions(chosen), _SORTS, "-id", limit, None)
    return [entry_row(entry) for entry in page.items]


def all_entries(session: Session, chosen: AuditFilter, chunk: int = 1_000) -> Iterator[AuditRow]:
    """Every entry that the filter chooses, the oldest first, read a chunk at a time."""
    where, after = conditions(chosen), 0
    while True:
        query = select(AuditEntry).where(*where, col(AuditEntry.id) > after).order_by(col(AuditEntry.id)).limit(chunk)
        found = session.exec(query).all()
        yield from (entry_row(entry) for entry in found)
        if len(found) < chunk:
            return
        after = found[-1].id or 0
        session.expunge_all()


def conditions(chosen: AuditFilter) -> list[ColumnElement[bool]]:
    """The filter in SQL.

    Raises:
        Invalid: field acts or outcome.
    """
    where: list[ColumnElement[bool]] = []
    if words := [word.strip() for word in chosen.acts.split(",") if word.strip()]:
        known = set(Act)
        if any(word not in known and word not in NOUNS for word in words):
            raise Invalid(f"Choose acts or kinds of objects: {', '.join(NOUNS)}.", "acts")
        where.append(or_(col(AuditEntry.act).in_(words), col(AuditEntry.object_kind).in_(words)))
    if chosen.outcome:
        if chosen.outcome not in list(Outcome):
            raise Invalid(f"Choose from: {', '.join(Outcome)}.", "outcome")
        where.append(col(AuditEntry.outcome) == Outcome(chosen.outcome))
    if chosen.who.strip():
        where.append(or_(contains(AuditEntry.actor_name, chosen.who), contains(AuditEntry.behalf_name, chosen.who)))
    if chosen.object_id.strip():
        where.append(col(AuditEntry.object_id) == chosen.object_id.strip())
    if chosen.q.strip():
        texts = (AuditEntry.object_name, AuditEntry.address, AuditEntry.token)
        names = (AuditEntry.actor_name, AuditEntry.behalf_name)
        where.append(or_(*(contains(column, chosen.q) for column in (*texts, *names))))
    if chosen.since:
        where.append(col(AuditEntry.at) >= chosen.since)
    if chosen.until:
        where.append(col(AuditEntry.at) < chosen.until)
    return where


def entry_row(entry: AuditEntry) -> AuditRow:
    """The row of a stored entry."""
    changes: dict[str, dict[str, Any]] = json.loads(entry.changes)
    return AuditRow(
        id=entry.id or 0,
        at=entry.at,
        act=entry.act,
        outcome=entry.outcome.value,
        actor_id=entry.actor_id,
        actor=entry.actor_name,
        behalf_id=entry.behalf_id,
        on_behalf_of=entry.behalf_name,
        address=entry.address,
        token=entry.token,
        object_kind=entry.object_kind,
        object_id=entry.object_id,
        object_name=entry.object_name,
        before=changes.get("before", {}),
        after=changes.get("after", {}),
        previous_hash=entry.previous_hash,
        hash=entry.hash,
    )
