"""The chain of the audit log: what is written agrees, and whatever is changed afterwards is named."""

import contextlib
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session, col, select

from orchestrator.domain.audit import Act, AuditChain, AuditEntry
from orchestrator.domain.base import utcnow
from orchestrator.domain.users import Actor, Role
from orchestrator.services import db
from orchestrator.services.audit.chain import hash_of, shorten, verify
from orchestrator.services.audit.origin import begin_origin, name_token
from orchestrator.services.audit.recording import Person, record, record_refusal
from tests.studio import forget_caches

ADA = Actor(7, "ada", "ada@example.org", Role.ADMIN)


@pytest.fixture(params=["sqlite", "postgres"])
def migrated(request: pytest.FixtureRequest, home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A database with everything that the migrations make, triggers too."""
    if request.param == "postgres":
        monkeypatch.setenv("LOREEL_DATABASE_URL", request.getfixturevalue("postgres_url"))
    else:
        (home / "loreel.db").unlink()
    forget_caches()
    db.run_migrations()
    yield request.param
    db.engine().dispose()


def write(count: int) -> None:
    values = {"name": "a", "n": 1}, {"name": "b", "n": 1}
    for number in range(count):
        with db.session_scope() as session:
            record(session, ADA, Act.DATASET_CHANGED, number, f"set {number}", *values)


def found(known_id: int = 0, known_hash: str = "") -> tuple[int | None, str]:
    with db.session_scope() as session:
        result = verify(session, known_id, known_hash)
    return result.entry_id, result.problem


def found_after(*statements: str) -> tuple[int | None, str]:
    """What verification finds in a transaction that has tampered with the log, and is rolled back."""
    with Session(db.engine()) as session:
        for statement in statements:
            session.connection().execute(text(statement))
        result = verify(session)
        session.rollback()
    return result.entry_id, result.problem


CHANGES = [
    ("UPDATE audit_entries SET actor_name = 'eve' WHERE id = 4", 4, "Entry 4 was changed after it was written"),
    ("UPDATE audit_entries SET at = '2020-01-01 00:00:00+00:00' WHERE id = 2", 2, "Entry 2 was changed"),
    ("UPDATE audit_entries SET changes = '{}' WHERE id = 9", 9, "Entry 9 was changed"),
    ("DELETE FROM audit_entries WHERE id = 5", 5, "Entry 5 was deleted"),
    ("DELETE FROM audit_entries WHERE id >= 8", 8, "Entry 8 was deleted: the log had 9 entries."),
    ("DELETE FROM audit_entries WHERE id = 1", 1, "Entry 1 was deleted"),
    ("UPDATE audit_chain SET last_id = 8", 8, "Entry 8 is not the one that was written last."),
    ("UPDATE audit_chain SET anchor_hash = 'x'", 1, "Entry 1 does not continue the anchor"),
]


def test_an_old_entry_that_was_changed_is_named(home: Path) -> None:
    write(9)
    assert found() == (None, "")
    for statement, entry_id, sentence in CHANGES:
        found_id, problem = found_after(statement)
        assert found_id == entry_id, statement
        assert problem.startswith(sentence), statement
    assert found() == (None, "")


def test_an_entry_that_was_rewritten_with_a_fitting_hash_breaks_the_next(home: Path) -> None:
    write(5)
    with db.session_scope() as session:
        newest = verify(session).last_hash
        entry, second = session.get_one(AuditEntry, 3).model_dump(), session.get_one(AuditEntry, 2).hash
    forged = hash_of(entry | {"actor_name": "eve"})
    rewrite = f"UPDATE audit_entries SET actor_name = 'eve', hash = '{forged}' WHERE id = 3"
    assert found_after(rewrite) == (4, "Entry 4 does not continue entry 3: one of the two was rewritten.")
    # A log that was rewritten to its end agrees with itself: what was written down outside gives it away.
    with db.session_scope() as session:
        session.connection().execute(text("DELETE FROM audit_entries WHERE id >= 3"))
        session.connection().execute(text(f"UPDATE audit_chain SET last_id = 2, last_hash = '{second}'"))
    assert found() == (None, "")
    assert found(5, newest) == (5, "The log holds entries 1 to 2; not entry 5.")
    write(3)
    assert found() == (None, "")
    assert found(5, newest) == (5, "Entry 5 has another hash than the one you gave: the log was rewritten.")


def test_the_database_refuses_changes_and_lets_old_entries_go(migrated: str) -> None:
    write(6)
    for statement in ("UPDATE audit_entries SET actor_name = 'eve'", "DELETE FROM audit_entries WHERE id = 3"):
        with pytest.raises(DBAPIError, match=r"never changed|old end"), db.session_scope() as session:
            session.connection().execute(text(statement))
    with db.session_scope() as session:
        assert shorten(session, session.get_one(AuditEntry, 4).at) == 3
    assert found() == (None, "")
    write(2)
    with db.session_scope() as session:
        result = verify(session)
        assert (result.entries, result.last_id) == (5, 8)
        assert shorten(session, utcnow() + timedelta(days=1)) == 5
        assert shorten(session, utcnow() + timedelta(days=1)) == 0
    assert found() == (None, "")
    write(1)
    assert found() == (None, "")


class Failure(Exception):
    """The act fails after it was recorded."""


def fail() -> None:
    raise Failure


def entries() -> list[AuditEntry]:
    with db.session_scope() as session:
        return list(session.exec(select(AuditEntry).order_by(col(AuditEntry.id))))


def test_an_entry_is_written_if_and_only_if_the_act_is(home: Path) -> None:
    with contextlib.suppress(Failure), db.session_scope() as session:
        record(session, ADA, Act.DATASET_DELETED, 1, "gone")
        fail()
    assert entries() == []
    with db.session_scope() as session:
        record(session, ADA, Act.DATASET_DELETED, 1, "kept")
        with contextlib.suppress(Failure), session.begin_nested():
            record(session, ADA, Act.DATASET_DELETED, 2, "rolled back with its savepoint")
            fail()
        with session.begin_nested():
            record(session, ADA, Act.DATASET_DELETED, 3, "released")
        assert session.scalar(select(AuditChain.last_id)) == 0  # no lock is held until the commit
    assert [entry.object_name for entry in entries()] == ["kept", "released"]


def test_a_refusal_stays_when_its_transaction_does_not(home: Path) -> None:
    with contextlib.suppress(Failure), db.session_scope() as session:
        session.scalar(select(AuditChain.last_id))
        record(session, ADA, Act.DATASET_DELETED, 1, "not done")
        record_refusal(session, ADA, Act.DATASET_DELETED, "a job trains on it", 1, "kept")
        fail()
    (entry,) = entries()
    assert (entry.outcome, entry.object_name, entry.changes) == (
        "refused",
        "kept",
        '{"after":{"reason":"a job trains on it"}}',
    )


def test_what_an_entry_holds(home: Path) -> None:
    begin_origin("192.0.2.7")
    name_token("nightly")
    before = {"name": "old", "kept": 1, "webhook_secret": "whs_1"}
    after = {
        "name": "n" * 500,
        "kept": 1,
        "webhook_secret": "whs_2",
        "labels": [str(n) for n in range(30)],
        "x": "a\x00\ud800",
    }
    with db.session_scope() as session:
        record(session, None, Act.DATASET_CHANGED, 5, "clips", before, after, on_behalf_of=Person(9, "bob"))
    begin_origin("")
    (entry,) = entries()
    assert (entry.actor_id, entry.actor_name, entry.behalf_id, entry.behalf_name) == (None, "the studio", 9, "bob")
    assert (entry.address, entry.token, entry.object_kind, entry.object_id) == ("192.0.2.7", "nightly", "dataset", "5")
    assert "whs_" not in entry.changes
    assert '"webhook_secret":"(not recorded)"' in entry.changes
    assert '"kept"' not in entry.changes
    assert "n" * 199 + "…" in entry.changes
    assert "18, 19 and 10 more" in entry.changes
    assert '"x":"a?"' in entry.changes
    assert found() == (None, "")
