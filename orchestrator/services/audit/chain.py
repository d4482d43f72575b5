"""The chain of the audit log: each entry holds the hash of the one before, so that a changed one shows itself."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, bindparam, insert, select, update
from sqlmodel import Session, SQLModel, col

from orchestrator.domain.audit import CHAIN_ID, AuditChain, AuditEntry
from orchestrator.domain.base import utcnow

_ENTRIES = SQLModel.metadata.tables["audit_entries"]
_CHAIN = SQLModel.metadata.tables["audit_chain"]
_CHUNK = 2_000
# Built once: building a statement takes longer than SQLite takes to run it.
_GROW = (
    update(_CHAIN)
    .where(_CHAIN.c.id == CHAIN_ID)
    .values(last_id=_CHAIN.c.last_id + bindparam("count"))
    .returning(_CHAIN.c.last_id, _CHAIN.c.last_hash)
)
_INSERT = insert(_ENTRIES)
_END = update(_CHAIN).where(_CHAIN.c.id == CHAIN_ID).values(last_hash=bindparam("newest"))


def canonical(values: Mapping[str, Any]) -> str:
    """The one JSON text of these values: sorted keys, no spaces, no escapes that JSON does not need."""
    return _ENCODER.encode(values)


def _plain(value: Any) -> str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    return str(value)


_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=_plain)


def hash_of(entry: Mapping[str, Any]) -> str:
    """The hash of an entry, over all its columns but the hash itself."""
    return hashlib.sha256(canonical({k: v for k, v in entry.items() if k != "hash"}).encode()).hexdigest()


def append(connection: Connection, entries: Sequence[dict[str, Any]]) -> None:
    """Adds entries to the end of the log, in the transaction of the connection.

    Must be the last thing that the transaction writes: it holds the chain's row locked until the commit.

    Args:
        entries: the columns that `AuditEntry` has, without id, at and the hashes.
    """
    last_id, previous = connection.execute(_GROW, {"count": len(entries)}).one()
    rows, now = [], utcnow()
    for number, entry in enumerate(entries, start=last_id - len(entries) + 1):
        row = {**entry, "id": number, "at": now, "previous_hash": previous}
        row["hash"] = previous = hash_of(row)
        rows.append(row)
    connection.execute(_INSERT, rows if len(rows) > 1 else rows[0])
    connection.execute(_END, {"newest": previous})


@dataclass(frozen=True, slots=True)
class Verification:
    """What `verify` found.

    Attributes:
        entries: how many were read and agree.
        last_id, last_hash: the newest entry. Written down elsewhere, they prove later that nothing was rewritten.
        entry_id: the entry that does not agree; None where all do.
        problem: a sentence about it; "" where all agree.
    """

    entries: int
    last_id: int
    last_hash: str
    entry_id: int | None = None
    problem: str = ""


def verify(session: Session, known_id: int = 0, known_hash: str = "") -> Verification:
    """Computes every hash again, from the oldest entry on.

    Args:
        known_id, known_hash: an entry as it was written down elsewhere, which must still be the same.
    """
    chain = session.get(AuditChain, CHAIN_ID, populate_existing=True)
    assert chain is not None
    checked, expected_id, previous = 0, chain.first_id, chain.anchor_hash

    def refused(entry_id: int, problem: str) -> Verification:
        return Verification(checked, chain.last_id, chain.last_hash, entry_id, problem)

    for entry in _entries(session, chain.first_id, chain.last_id):
        number = entry["id"]
        if number != expected_id:
            return refused(expected_id, f"Entry {expected_id} was deleted: the next one there is, is {number}.")
        if hash_of(entry) != entry["hash"]:
            return refused(number, f"Entry {number} was changed after it was written: its content has another hash.")
        if entry["previous_hash"] != previous:
            before = "the anchor" if number == chain.first_id else f"entry {number - 1}"
            return refused(number, f"Entry {number} does not continue {before}: one of the two was rewritten.")
        if number == known_id and entry["hash"] != known_hash.lower():
            return refused(number, f"Entry {number} has another hash than the one you gave: the log was rewritten.")
        checked, expected_id, previous = checked + 1, number + 1, entry["hash"]
    if expected_id != chain.last_id + 1:
        return refused(expected_id, f"Entry {expected_id} was deleted: the log had {chain.last_id:,} entries.")
    if previous != chain.last_hash:
        return refused(chain.last_id, f"Entry {chain.last_id} is not the one that was written last.")
    if known_id and not chain.first_id <= known_id <= chain.last_id:
        return refused(known_id, f"The log holds entries {chain.first_id} to {chain.last_id}; not entry {known_id}.")
    return Verification(checked, chain.last_id, chain.last_hash)


def _entries(session: Session, first_id: int, last_id: int) -> Iterator[dict[str, Any]]:
    """The entries in order, read a few thousand at a time."""
    after = first_id - 1
    while True:
        query = select(_ENTRIES).where(_ENTRIES.c.id > after, _ENTRIES.c.id <= last_id).order_by(_ENTRIES.c.id)
        rows = session.connection().execute(query.limit(_CHUNK)).mappings().all()
        yield from (dict(row) for row in rows)
        if len(rows) < _CHUNK:
            return
        after = rows[-1]["id"]


def shorten(session: Session, before: datetime) -> int:
    """Deletes the entries from before that time from the old end; the chain keeps the hash of the last of them.

    Returns:
        How many were deleted.
    """
    chain = session.get(AuditChain, CHAIN_ID, with_for_update=True, populate_existing=True)
    assert chain is not None
    # A clock that was set back may have written an older time behind a newer one: what is kept stays in one piece.
    kept = select(col(AuditEntry.id)).where(col(AuditEntry.at) >= before).order_by(col(AuditEntry.id)).limit(1)
    first_kept = session.scalar(kept) or chain.last_id + 1
    if first_kept <= chain.first_id:
        return 0
    last_deleted = session.get(AuditEntry, first_kept - 1)
    assert last_deleted is not None
    deleted = first_kept - chain.first_id
    chain.first_id, chain.anchor_hash = first_kept, last_deleted.hash
    session.add(chain)
    session.flush()
    session.expunge(last_deleted)
    session.connection().execute(_ENTRIES.delete().where(_ENTRIES.c.id < first_kept))
    return deleted
