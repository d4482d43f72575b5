"""A long act over many rows waits for another writer, repeats what was rolled back, and counts nothing twice."""

import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import event, text
from sqlalchemy.exc import OperationalError
from sqlmodel import Session

from orchestrator.domain.users import Actor
from orchestrator.services import db
from orchestrator.services.db import in_small_transactions, session_scope
from orchestrator.services.training import sweeps
from tests.outages import ERRORS
from tests.studio import RedisProcess, make_person, make_things

PEOPLE = 6


@pytest.fixture
def impatient(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """SQLite waits 50 ms for a lock, not 5 s, and an act is repeated as soon."""
    db.engine().dispose()

    def shorten(connection: sqlite3.Connection, _record: object) -> None:
        connection.execute("PRAGMA busy_timeout=50")

    event.listen(db.engine(), "connect", shorten)
    monkeypatch.setattr(db, "_RETRY_S", 0.05)
    yield
    event.remove(db.engine(), "connect", shorten)


@contextmanager
def another_writer(home: Path, holds_s: float) -> Iterator[None]:
    """Another connection has the write lock for a while."""
    held = threading.Event()

    def hold() -> None:
        connection = sqlite3.connect(home / "loreel.db", isolation_level=None)
        connection.execute("BEGIN IMMEDIATE")
        held.set()
        time.sleep(holds_s)
        connection.execute("ROLLBACK")
        connection.close()

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait(10)
    yield
    thread.join()


def count_up(session: Session, user_id: int) -> int:
    session.connection().execute(text("UPDATE users SET email = email || '+' WHERE id = :id"), {"id": user_id})
    return user_id


def marks() -> list[int]:
    with session_scope() as session:
        return [str(row[0]).count("+") for row in session.connection().execute(text("SELECT email FROM users"))]


def test_a_lock_is_waited_for_and_each_item_is_done_once(home: Path, impatient: None) -> None:
    people = [make_person(f"p{number}").user_id for number in range(PEOPLE)]
    with another_writer(home, 0.6):
        assert in_small_transactions(people, count_up) == people
    assert marks() == [1] * PEOPLE


def test_what_was_rolled_back_is_done_again_and_counted_once(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The lock is met in the middle of a transaction: what the same one had done before is gone, and comes again."""
    monkeypatch.setattr(db, "_RETRY_S", 0.01)
    monkeypatch.setattr(db, "LOCK_S", 0.4)  # one transaction
    people = [make_person(f"p{number}").user_id for number in range(PEOPLE)]
    met = iter((3, 5))
    meets = [next(met)]

    def act(session: Session, user_id: int) -> int:
        count_up(session, user_id)
        if meets and user_id == people[meets[0]]:
            meets[:] = list(met)[:1]
            raise OperationalError("UPDATE", {}, sqlite3.OperationalError("database is locked"))
        return user_id

    assert in_small_transactions(people, act) == people
    assert marks() == [1] * PEOPLE


def test_an_absent_database_is_not_waited_for(home: Path) -> None:
    """A person waits for the answer, and several minutes of outage are none of a moment."""
    done: list[int] = []

    def act(_session: Session, item: int) -> None:
        done.append(item)
        raise ERRORS[0]

    with pytest.raises(type(ERRORS[0])):
        in_small_transactions([1, 2], act)
    assert done == [1]


def test_a_lock_that_stays_is_refused_in_the_end(home: Path, impatient: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(db, "BUSY_LIMIT_S", 0.2)
    people = [make_person("p").user_id]
    with another_writer(home, 1.5), pytest.raises(OperationalError, match="locked"):
        in_small_transactions(people, count_up)
    assert marks() == [0]


def test_stopping_a_sweep_waits_for_another_writer(
    home: Path, redis_server: RedisProcess, ada: Actor, impatient: None
) -> None:
    things = make_things(ada)
    with session_scope() as session:
        grid = {"optim.seed": list(range(40))}
        sweep = sweeps.launch_sweep(session, ada, *things, {"output_name": "many"}, grid, "k")
    with another_writer(home, 0.6):
        assert sweeps.stop_sweep(ada, sweep.id) == 40
    with session_scope() as session:
        assert sweeps.get_sweep(session, ada, sweep.id).counts == {"stopped": 40}
