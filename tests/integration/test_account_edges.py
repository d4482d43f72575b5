"""A closed session ends at once, announced uploads take their space, the database is private, foreign hosts end."""

import asyncio
import base64
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from orchestrator.services.uploads import uploads
from orchestrator.states.shared import identity
from tests.api_client import make_client, refusal, sign_in
from tests.tabs import tab

GB = 2**30


def test_the_websocket_believes_no_cookie_after_logout(home: Path) -> None:
    client = sign_in("ada")
    state = tab(client.cookies["loreel_session"], "/overview")
    assert asyncio.run(identity.find_actor(state)) is not None
    assert asyncio.run(identity.find_actor(state)) is not None  # from the cache
    assert client.post("/api/v1/auth/logout").status_code == 204
    assert asyncio.run(identity.find_actor(state)) is None  # it was believed for two more seconds


def test_announced_uploads_take_their_space(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    client = sign_in("ada")
    dataset = client.post("/api/v1/datasets", json={"name": "Motions"}).json()["id"]
    usage = shutil.disk_usage(home)
    free = SimpleNamespace(total=usage.total, used=0, free=65 * GB)
    monkeypatch.setattr(uploads.shutil, "disk_usage", lambda _: free)

    def announce(name: str) -> Any:
        pairs = {"filename": name, "dataset_id": dataset}
        metadata = ",".join(f"{key} {base64.b64encode(value.encode()).decode()}" for key, value in pairs.items())
        return client.post("/api/v1/uploads", headers={"upload-length": str(40 * GB), "upload-metadata": metadata})

    assert announce("a.mp4").status_code == 201
    refusal(announce("b.mp4"), 507)  # sixty of them were announced with 65 GB free


def test_the_database_is_readable_for_its_owner_only(home: Path) -> None:
    sign_in("ada")
    for path in home.glob("loreel.db*"):
        assert path.stat().st_mode & 0o077 == 0, path.name


def test_the_api_refuses_a_foreign_host(home: Path) -> None:
    body = {"username": "eve", "email": "eve@example.org", "password": "four-plain-words-here"}
    headers = {"host": "evil.example:3000", "origin": "http://evil.example:3000"}
    assert make_client().post("/api/v1/auth/signup", json=body, headers=headers).status_code == 421
