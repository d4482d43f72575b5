"""Streams of events: so many a person, and each ends with the token or the session that opened it."""

import asyncio
from typing import Any

import httpx
import pytest

from orchestrator.api import event_streams
from orchestrator.api.app import create_api
from orchestrator.domain.users import Actor
from tests.api_client import PASSWORD, SITE, make_client, refusal, sign_in
from tests.studio import RedisProcess, launch, make_things


class Stream:
    """One request of the ASGI app whose pieces are read as they are sent."""

    def __init__(self, app: Any, path: str, headers: dict[str, str]) -> None:
        pairs = [(name.encode(), value.encode()) for name, value in {"host": "localhost:3000", **headers}.items()]
        self._scope = {
            "type": "http", "method": "GET", "path": path, "raw_path": path.encode(), "query_string": b"",
            "headers": pairs, "scheme": "http", "http_version": "1.1", "server": ("localhost", 3000),
            "client": ("127.0.0.1", 1), "root_path": "", "asgi": {"version": "3.0"},
        }  # fmt: skip
        self.messages: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._leave = asyncio.Event()
        self._asked = False
        self.task = asyncio.create_task(app(self._scope, self._receive, self.messages.put))

    async def _receive(self) -> dict[str, Any]:
        if not self._asked:
            self._asked = True
            return {"type": "http.request", "body": b"", "more_body": False}
        await self._leave.wait()
        return {"type": "http.disconnect"}

    async def began(self) -> int:
        return (await asyncio.wait_for(self.messages.get(), 10))["status"]

    async def leave(self) -> None:
        self._leave.set()
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)


@pytest.fixture
def job(redis_server: RedisProcess) -> tuple[Any, str, int]:
    """(a signed-in browser, a token of the same person, a job of theirs)"""
    browser = sign_in("ada")
    token = browser.post("/api/v1/tokens", json={"name": "script"}).json()["token"]
    me = browser.get("/api/v1/me").json()
    actor = Actor(int(me["id"]), "ada", me["email"], me["role"])
    return browser, token, launch(actor, make_things(actor))


@pytest.mark.parametrize("by", ["token", "cookie", "password"])
def test_a_stream_ends_with_its_token_or_session(
    job: tuple[Any, str, int], monkeypatch: pytest.MonkeyPatch, by: str
) -> None:
    browser, token, job_id = job
    monkeypatch.setattr(event_streams, "ASK_AGAIN_S", 0.2)
    monkeypatch.setattr("orchestrator.api.routes.jobs.ASK_AGAIN_S", 0.2)
    headers = {"authorization": f"Bearer {token}"}
    if by != "token":
        headers = {"cookie": f"loreel_session={browser.cookies['loreel_session']}"}

    async def main() -> None:
        stream = Stream(create_api(), f"/api/v1/jobs/{job_id}/events", headers)
        assert await stream.began() == 200
        await asyncio.sleep(0.6)
        assert not stream.task.done()
        if by == "token":
            number = (await asyncio.to_thread(browser.get, "/api/v1/tokens")).json()["items"][0]["id"]
            await asyncio.to_thread(browser.delete, f"/api/v1/tokens/{number}")
        elif by == "password":
            await asyncio.to_thread(_change_password_elsewhere)
        else:
            await asyncio.to_thread(browser.post, "/api/v1/auth/logout")
        await asyncio.wait_for(stream.task, 5)

    asyncio.run(main())


def _change_password_elsewhere() -> None:
    """In another browser of the same person, which ends all other sessions."""
    other = make_client(origin=SITE)
    assert other.post("/api/v1/auth/login", json={"login": "ada", "password": PASSWORD}).status_code == 200
    new = {"current": PASSWORD, "new": "granite otter 71 lantern"}
    assert other.post("/api/v1/me/password", json=new).status_code < 300


def test_a_person_holds_so_many_streams_and_dropped_ones_count_for_nothing(
    job: tuple[Any, str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    _, token, job_id = job
    monkeypatch.setattr(event_streams, "MOST_PER_PERSON", 3)
    headers, path = {"authorization": f"Bearer {token}"}, f"/api/v1/jobs/{job_id}/events"

    async def main() -> None:
        app = create_api()
        streams = [Stream(app, path, headers) for _ in range(3)]
        for stream in streams:
            assert await stream.began() == 200
            await stream.messages.get()
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=SITE) as client:
            refusal(await client.get(path, headers=headers), 429)
        await asyncio.gather(*(stream.leave() for stream in streams))
        again = Stream(app, path, headers)
        assert await again.began() == 200
        await again.leave()

    asyncio.run(main())
    assert not event_streams._open
