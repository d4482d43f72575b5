"""Records acts in the audit log, in the transaction of the act: it is written if and only if the act is.

The entries of a transaction wait in the session and are added to the chain right before the commit, when all other rows
are written and locked: the chain's row, which all writers share, is locked for the last statements only, and as the
last lock of every transaction, so that no two can wait for each other.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import structlog
from sqlalchemy import event
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import SessionTransaction
from sqlmodel import Session

from orchestrator.domain.audit import Act, Outcome
from orchestrator.domain.users import Actor
from orchestrator.services.audit.chain import append, canonical
from orchestrator.services.audit.origin import current_origin
from orchestrator.services.db import session_scope

log = structlog.get_logger(__name__)
STUDIO = "the studio"
"""Who acted where no account did: the controller and the workers."""
_MAX_VALUE, _MAX_NAME, _MAX_LISTED = 200, 200, 20
_SECRET = re.compile(r"password|secret|token|sealed|credential_values|api_key|private", re.IGNORECASE)
_HIDDEN = "(not recorded)"
_WAITING = "audit_waiting"


@dataclass(frozen=True, slots=True)
class Person:
    """Who acts, or on whose behalf, where there is no `Actor`.

    Attributes:
        user_id: None where there is no account, or where the name is of a program.
    """

    user_id: int | None
    username: str


@dataclass(frozen=True, slots=True)
class _Waiting:
    """An entry that is added at the commit; `savepoints`: those that it goes with, if one is rolled back."""

    entry: dict[str, Any]
    savepoints: tuple[SessionTransaction, ...]


def record(
    session: Session,
    actor: Actor | Person | None,
    act: Act,
    object_id: int | str | None = "",
    object_name: str = "",
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    on_behalf_of: Actor | Person | None = None,
) -> None:
    """Adds an entry to the audit log when this session commits; none when it rolls back.

    Args:
        actor: who acts; None for the studio itself.
        object_id, object_name: what it is done to; its kind is the noun of the act.
        before, after: short values that changed. Where both are given, values that stayed the same are left out.
            What has the name of a secret is not recorded.
        on_behalf_of: for whom, where that is another account than the actor's.
    """
    _wait(session, _entry(actor, act, Outcome.DONE, object_id, object_name, before, after, on_behalf_of))


def record_refusal(
    session: Session,
    actor: Actor | Person | None,
    act: Act,
    reason: str,
    object_id: int | str | None = "",
    object_name: str = "",
) -> None:
    """Adds an entry about an act that was refused, also when this session rolls back; then after the rollback.

    Args:
        reason: why, in short.
    """
    _wait(session, _entry(actor, act, Outcome.REFUSED, object_id, object_name, None, {"reason": reason}, None))


def _entry(
    actor: Actor | Person | None,
    act: Act,
    outcome: Outcome,
    object_id: int | str | None,
    object_name: str,
    before: Mapping[str, Any] | None,
    after: Mapping[str, Any] | None,
    on_behalf_of: Actor | Person | None,
) -> dict[str, Any]:
    person, behalf, origin = actor or Person(None, STUDIO), on_behalf_of or Person(None, ""), current_origin()
    return {
        "act": act.value,
        "outcome": outcome.value,
        "actor_id": person.user_id,
        "actor_name": _text(person.username, 80),
        "behalf_id": behalf.user_id,
        "behalf_name": _text(behalf.username, 80),
        "address": _text(origin.address, 64),
        "token": _text(origin.token, 80),
        "object_kind": act.noun,
        "object_id": "" if object_id is None else _text(str(object_id), 80),
        "object_name": _text(object_name, _MAX_NAME),
        "changes": canonical(_changes(before, after)),
    }


def _changes(before: Mapping[str, Any] | None, after: Mapping[str, Any] | None) -> dict[str, dict[str, Any]]:
    same = {key for key in (before or {}).keys() & (after or {}).keys() if (before or {})[key] == (after or {})[key]}
    sides = {"before": before, "after": after}
    return {
        side: {key: _recorded(key, value) for key, value in values.items() if key not in same}
        for side, values in sides.items()
        if values is not None
    }


def _recorded(key: str, value: Any) -> Any:
    return _HIDDEN if _SECRET.search(key) else _short(value)


def _short(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, list | tuple | set | frozenset):
        items = [str(item) for item in value]
        more = f" and {len(items) - _MAX_LISTED} more" if len(items) > _MAX_LISTED else ""
        return _text(", ".join(items[:_MAX_LISTED]), _MAX_VALUE) + more
    return _text(canonical(value) if isinstance(value, dict) else str(value), _MAX_VALUE)


def _text(value: str, limit: int) -> str:
    plain = value.replace("\x00", "").encode(errors="replace").decode()
    return plain if len(plain) <= limit else plain[: limit - 1] + "…"


def _wait(session: Session, entry: dict[str, Any]) -> None:
    savepoints, transaction = [], session.get_nested_transaction()
    while transaction is not None and transaction.nested:
        savepoints.append(transaction)
        transaction = transaction.parent
    session.info.setdefault(_WAITING, []).append(_Waiting(entry, tuple(savepoints)))


def _before_commit(session: Session) -> None:
    if not session.info.get(_WAITING) or session.in_nested_transaction():
        return
    session.flush()
    append(session.connection(), [waiting.entry for waiting in session.info.pop(_WAITING)])


def _after_rollback(session: Session, transaction: SessionTransaction) -> None:
    waiting: list[_Waiting] = session.info.get(_WAITING, [])
    if not waiting:
        return
    if transaction.nested:
        session.info[_WAITING] = [one for one in waiting if transaction not in one.savepoints or _is_refusal(one)]
        return
    del session.info[_WAITING]
    if refusals := [one.entry for one in waiting if _is_refusal(one)]:
        _write_refusals(refusals)


def _is_refusal(waiting: _Waiting) -> bool:
    return waiting.entry["outcome"] == Outcome.REFUSED


def _write_refusals(entries: list[dict[str, Any]]) -> None:
    try:
        with session_scope() as session:
            append(session.connection(), entries)
    except SQLAlchemyError as error:
        log.warning("audit.refusal_not_recorded", error=type(error).__name__, acts=[one["act"] for one in entries])


event.listen(Session, "before_commit", _before_commit)
event.listen(Session, "after_soft_rollback", _after_rollback)
