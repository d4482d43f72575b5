"""Expensive reads of one person wait for each other, too many get 429, and others are served meanwhile."""

import asyncio
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import Request

from orchestrator.api import person_slots as request_slots
from orchestrator.api.app import create_api
from orchestrator.domain.users import Actor
from orchestrator.services import person_slots
from orchestrator.services.training import compare as comparing
from orchestrator.states.shared import guards
from tests.api_client import PASSWORD, SITE, make_client, sign_in
from tests.tabs import tab


def test_expensive_reads_are_limited_by_person(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cookies = {name: sign_in(name).cookies["loreel_session"] for name in ("ada", "bob")}
    running, most, lock = 0, 0, threading.Lock()
    compared = comparing.compare_jobs

    def slow(session: Any, actor: Actor, *args: Any, **kwargs: Any) -> Any:
        nonlocal running, most
        if actor.username == "ada":
            with lock:
                running += 1
                most = max(most, running)
            time.sleep(0.2)
            with lock:
                running -= 1
        return compared(session, actor, *args, **kwargs)

    monkeypatch.setattr(comparing, "compare_jobs", slow)

    async def main() -> Counter[int]:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(create_api()), base_url=SITE) as client:

            async def ask(name: str, path: str = "/api/v1/compare?ids=1") -> httpx.Response:
                headers = {"cookie": f"loreel_session={cookies[name]}"}
                return await client.get(path, headers=headers, timeout=60)

            crowd = [asyncio.create_task(ask("ada")) for _ in range(30)]
            await asyncio.sleep(0.1)
            assert (await ask("bob")).status_code == 404
            assert (await ask("ada", "/api/v1/datasets")).status_code == 200
            answers = await asyncio.gather(*crowd)
            assert all(answer.headers["retry-after"] for answer in answers if answer.status_code == 429)
            return Counter(answer.status_code for answer in answers)

    statuses = asyncio.run(main())
    served = request_slots.EXPENSIVE_AT_ONCE + request_slots.EXPENSIVE_WAITING
    assert statuses == {404: served, 429: 30 - served}
    assert most == request_slots.EXPENSIVE_AT_ONCE
    assert person_slots._people == {}


def test_all_sessions_and_tokens_of_a_person_share_their_slots(home: Path) -> None:
    client = sign_in("ada")
    first = client.cookies["loreel_session"]
    assert client.post("/api/v1/auth/login", json={"login": "ada", "password": PASSWORD}).status_code == 200
    token = client.post("/api/v1/tokens", json={"name": "t"}).json()["token"]
    make_client(authorization=f"Bearer {token}").get("/api/v1/me")
    me = f"user {client.get('/api/v1/me').json()['id']}"
    cookies = [first, client.cookies["loreel_session"]]
    keys = [key_for(cookie=f"loreel_session={cookie}") for cookie in cookies]
    assert {*keys, key_for(authorization=f"Bearer {token}")} == {me}
    invented = {key_for(cookie=f"loreel_session={number}") for number in range(5)}
    assert invented == {"address 10.0.0.1"}


def key_for(**headers: str) -> str:
    pairs = [(name.encode(), value.encode()) for name, value in headers.items()]
    return request_slots.key_of(Request({"type": "http", "headers": pairs, "client": ("10.0.0.1", 1)}))


def test_many_tabs_of_one_person_use_a_few_threads(home: Path) -> None:
    cookie = sign_in("ada").cookies["loreel_session"]
    running, most, lock = 0, 0, threading.Lock()

    def slow(_session: Any, _actor: Actor) -> None:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        time.sleep(0.05)
        with lock:
            running -= 1

    async def main() -> None:
        await asyncio.gather(*(guards.run_as_user(tab(cookie, "/overview"), slow) for _ in range(20)))

    asyncio.run(main())
    assert most == guards.PAGES_AT_ONCE
    assert person_slots._people == {}
