"""A long act of one person lets others write, reading writes nothing, and a locked database is a sentence."""

import asyncio
import sqlite3
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import event

from orchestrator.api import authentication
from orchestrator.api.app import create_api
from orchestrator.domain.users import Actor
from orchestrator.services import db, person_slots
from orchestrator.services.auth import last_use
from orchestrator.services.datasets import catalog
from orchestrator.services.db import session_scope
from orchestrator.services.person_slots import AT_ONCE, MOST_WAITING
from orchestrator.services.training import sweeps
from tests.api_client import SITE, make_client, refusal, sign_in
from tests.studio import RedisProcess, make_things

JOBS = 60


@pytest.fixture
def written() -> Iterator[list[int]]:
    """How many statements wrote something in each transaction, of those that wrote."""
    finished: list[int] = []
    writes = Counter[Any]()

    def before(connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if statement.lstrip()[:6].upper() in ("INSERT", "UPDATE", "DELETE"):
            writes[connection.connection.dbapi_connection] += 1

    def committed(connection: Any) -> None:
        if count := writes.pop(connection.connection.dbapi_connection, 0):
            finished.append(count)

    engine = db.engine()
    event.listen(engine, "before_cursor_execute", before)
    event.listen(engine, "commit", committed)
    yield finished
    event.remove(engine, "before_cursor_execute", before)
    event.remove(engine, "commit", committed)


def test_stopping_a_sweep_lets_others_write(
    redis_server: RedisProcess, ada: Actor, written: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert db.LOCK_S < 0.1
    monkeypatch.setattr(db, "LOCK_S", 0.0)  # the time of a transaction is over with its first job
    things = make_things(ada)
    with session_scope() as session:
        grid = {"optim.seed": list(range(JOBS))}
        sweep = sweeps.launch_sweep(session, ada, *things, {"output_name": "many"}, grid, "k")
    written.clear()
    assert sweeps.stop_sweep(ada, sweep.id) == JOBS
    assert len(written) >= JOBS
    assert max(written) < 20, "statements of one job"
    with session_scope() as session:
        assert sweeps.get_sweep(session, ada, sweep.id).counts == {"stopped": JOBS}


@pytest.fixture
def locked(home: Path) -> Iterator[threading.Event]:
    """Another connection holds the write lock of the database until the event is set."""
    over, held = threading.Event(), threading.Event()

    def hold() -> None:
        connection = sqlite3.connect(home / "loreel.db", isolation_level=None)
        connection.execute("BEGIN IMMEDIATE")
        held.set()
        over.wait(60)
        connection.execute("ROLLBACK")
        connection.close()

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait(10)
    yield over
    over.set()
    thread.join()


def test_reading_needs_no_write_lock(home: Path, request: pytest.FixtureRequest) -> None:
    browser = sign_in("ada")
    token = browser.post("/api/v1/tokens", json={"name": "script"}).json()["token"]
    script = make_client(authorization=f"Bearer {token}")
    last_use.forget_notes()
    request.getfixturevalue("locked")
    written: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        reads = statement.lstrip().upper().startswith(("SELECT", "PRAGMA"))
        if not reads and not threading.current_thread().name.startswith("last-use"):
            written.append(statement)

    event.listen(db.engine(), "before_cursor_execute", note)
    for client in (browser, script):
        assert client.get("/api/v1/me").status_code == 200
        assert client.get("/api/v1/datasets").status_code == 200
    event.remove(db.engine(), "before_cursor_execute", note)
    assert written == []


def test_a_write_to_a_locked_database_is_refused_with_a_sentence(home: Path, request: pytest.FixtureRequest) -> None:
    client = sign_in("ada")
    request.getfixturevalue("locked")
    answer = client.post("/api/v1/datasets", json={"name": "Late"})
    assert refusal(answer, 503)["detail"] == "The database is busy. Try again in a moment."
    assert answer.headers["retry-after"] == "5"


def test_the_use_of_a_token_is_noted_behind_the_request(home: Path) -> None:
    browser = sign_in("ada")
    token = browser.post("/api/v1/tokens", json={"name": "script"}).json()["token"]
    last_use.forget_notes()
    assert make_client(authorization=f"Bearer {token}").get("/api/v1/me").status_code == 200
    last_use._writer.submit(lambda: None).result(10)
    [row] = browser.get("/api/v1/tokens").json()["items"]
    assert row["last_used_at"]


@pytest.mark.parametrize(
    "path", ["/api/v1/clips/1/seen.png?model_id=1", "/api/v1/jobs/1/events", "/api/v1/playground/clips/a/preview"]
)
def test_routes_that_wait_without_a_thread_leave_threads_for_others(
    home: Path, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    """Their logins, and what they look up before they wait, take a few threads of one person."""
    cookies = {name: sign_in(name).cookies["loreel_session"] for name in ("ada", "bob")}
    actor_from_token = authentication.actor_from_token
    begun, answered = list[str](), threading.Event()

    def slow(session: Any, token: str) -> Any:
        if token == cookies["ada"]:
            begun.append(token)
            assert answered.wait(60)
        return actor_from_token(session, token)

    monkeypatch.setattr(authentication, "actor_from_token", slow)

    async def main() -> Counter[int]:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(create_api()), base_url=SITE) as client:

            async def ask(name: str, address: str) -> int:
                headers = {"cookie": f"loreel_session={cookies[name]}"}
                return (await client.get(address, headers=headers, timeout=60)).status_code

            crowd = [asyncio.create_task(ask("ada", path)) for _ in range(150)]
            try:
                await asyncio.sleep(0.5)
                assert await asyncio.wait_for(ask("bob", "/api/v1/datasets"), 30) == 200
                assert len(begun) == AT_ONCE
            finally:
                answered.set()
            return Counter(await asyncio.gather(*crowd))

    statuses = asyncio.run(main())
    assert set(statuses) == {404, 429}
    assert person_slots._people == {}


def test_many_requests_of_one_person_leave_connections_for_others(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two hundred slow reads of one member: another one is served meanwhile, and no user gets a server error."""
    cookies = {name: sign_in(name).cookies["loreel_session"] for name in ("ada", "bob")}
    list_datasets = catalog.list_datasets
    reading, answered = threading.Semaphore(0), threading.Event()

    def slow(session: Any, actor: Actor, *args: Any) -> Any:
        if actor.username == "ada":
            reading.release()
            assert answered.wait(60)
        return list_datasets(session, actor, *args)

    monkeypatch.setattr(catalog, "list_datasets", slow)

    async def main() -> Counter[int]:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(create_api()), base_url=SITE) as client:

            async def ask(name: str) -> int:
                headers = {"cookie": f"loreel_session={cookies[name]}"}
                return (await client.get("/api/v1/datasets", headers=headers, timeout=60)).status_code

            crowd = [asyncio.create_task(ask("ada")) for _ in range(200)]
            try:
                for _ in range(AT_ONCE):
                    assert await asyncio.to_thread(reading.acquire, timeout=60)
                assert await asyncio.wait_for(ask("bob"), 30) == 200
            finally:
                answered.set()
            return Counter(await asyncio.gather(*crowd))

    statuses = asyncio.run(main())
    assert set(statuses) == {200, 429}
    assert statuses[200] == AT_ONCE + MOST_WAITING
    assert person_slots._people == {}
