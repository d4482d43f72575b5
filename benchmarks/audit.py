"""The audit log with 100,000 entries: what recording adds to an act, how long verification and a page take."""

import statistics

from sqlmodel import Session

from benchmarks.ledger import ledger, milliseconds
from benchmarks.target import Target
from orchestrator.domain.audit import Act
from orchestrator.domain.base import utcnow
from orchestrator.domain.users import Actor
from orchestrator.domain.workers import Worker
from orchestrator.services.audit.chain import append, verify
from orchestrator.services.audit.entries import AuditFilter, list_entries
from orchestrator.services.audit.recording import record
from orchestrator.services.db import session_scope

TARGETS: dict[str, Target] = {
    "write_ms": {"max": 1.0},
    "verify_s": {"max": 5.0},
    "page_ms": {"max": 50.0},
}
ENTRIES = 100_000
ACTS = 500
_CHUNK = 1_000


def run() -> dict[str, float]:
    """Acts with and without an entry take turns; the difference of their medians is what recording costs."""
    with ledger() as actor:
        _fill(actor)
        plain, recorded = list[float](), list[float]()
        for _ in range(ACTS):
            plain += milliseconds(lambda: _act(actor, recorded=False))
            recorded += milliseconds(lambda: _act(actor, recorded=True))
        with session_scope() as session:
            (verified,) = milliseconds(lambda: _verified(session))
            pages = milliseconds(lambda: list_entries(session, actor), 10)
            searches = milliseconds(lambda: list_entries(session, actor, AuditFilter(acts="job", q="run 99")), 10)
        return {
            "act_ms": round(statistics.median(recorded), 2),
            "write_ms": round(statistics.median(recorded) - statistics.median(plain), 2),
            "verify_s": round(verified / 1000, 2),
            "page_ms": round(statistics.median(pages), 1),
            "search_ms": round(statistics.median(searches), 1),
        }


def _act(actor: Actor, recorded: bool) -> None:
    with session_scope() as session:
        worker = session.get_one(Worker, "w")
        worker.draining, worker.beat_at = not worker.draining, utcnow()
        session.add(worker)
        if recorded:
            change = {"draining": not worker.draining}, {"draining": worker.draining}
            record(session, actor, Act.WORKER_DRAINED, "w", "w", *change)


def _verified(session: Session) -> None:
    found = verify(session)
    assert not found.problem, found.problem
    assert found.entries >= ENTRIES


def _fill(actor: Actor) -> None:
    entry = {
        "act": Act.JOB_LAUNCHED.value,
        "outcome": "done",
        "actor_id": actor.user_id,
        "actor_name": actor.username,
        "behalf_id": None,
        "behalf_name": "",
        "address": "192.0.2.1",
        "token": "",
        "object_kind": "job",
        "object_id": "1",
        "changes": '{"after":{"dataset":"Motions","model":"VideoMAE","steps":120}}',
    }
    with session_scope() as session:
        session.add(Worker(name="w", host="h"))
    for first in range(0, ENTRIES, _CHUNK):
        with session_scope() as session:
            chunk = [entry | {"object_name": f"run {number}"} for number in range(first, first + _CHUNK)]
            append(session.connection(), chunk)
