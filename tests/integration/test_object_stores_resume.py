"""Fetches from buckets and from the Hub over breaking connections: what arrived stays, only the rest is requested."""

import os
import random
import re
import struct
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlmodel import select

from jobs.controller.housekeeping import delete_abandoned_uploads
from jobs.fetch import dataset_source
from jobs.fetch.child import fetch_messages
from jobs.fetch.dataset_source import STOPPED
from orchestrator.domain import formatting
from orchestrator.domain.datasets import Clip
from orchestrator.domain.users import Actor
from orchestrator.services.datasets.catalog import delete_dataset
from orchestrator.services.datasets.files import fetch_folders, partial_bytes
from orchestrator.services.datasets.ingest.sources import cancel_import, request_fetch
from orchestrator.services.db import session_scope
from orchestrator.services.fetching import fetch_request
from orchestrator.services.sandbox import Tool, environment
from orchestrator.settings import ROOT, get_settings
from tests.fakes.azure_server import ACCOUNT, KEY, azure_server
from tests.fakes.breaking_proxy import BreakingProxy, breaking_proxy
from tests.fakes.hub_server import hub_server
from tests.fakes.videos import draw_clip
from tests.fakes.web_server import web_server
from tests.integration.test_fetch import dataset_of, dataset_to_fetch, run
from tests.studio import RedisProcess

SMALL, LARGE, LATER = "left/a.mp4", "left/b.mp4", "right/c.mp4"
SECRET = "canary-s3cret"


@dataclass
class StoreUnderTest:
    """A store with four clips behind a breaking proxy; `put` replaces one of them."""

    proxy: BreakingProxy
    source: dict[str, Any]
    put: Callable[[str, bytes], object]

    def requested(self, name: str) -> list[int]:
        """The first byte of each request for a clip."""
        return [start for path, start in self.proxy.requested if path.endswith(name)]


def padded(tmp_path: Path, seed: int) -> bytes:
    """A clip padded with an MP4 atom that players skip, always to the same size: only the version tells two apart."""
    clip = draw_clip(tmp_path / f"{seed}.mp4", shade=seed).read_bytes()
    padding = 3_000_000 - len(clip)
    return clip + struct.pack(">I4s", padding, b"free") + random.Random(seed).randbytes(padding - 8)


@contextmanager
def s3(clips: dict[str, bytes], lend: Callable[[dict[str, str]], None]) -> Iterator[StoreUnderTest]:
    import boto3
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    # moto keeps its buckets for the next server of the same process.
    httpx.post(f"http://{host}:{port}/moto-api/reset").raise_for_status()
    keys = {"aws_access_key_id": "AKIAEXAMPLE12", "aws_secret_access_key": SECRET, "region_name": "us-east-1"}
    client = boto3.client("s3", endpoint_url=f"http://{host}:{port}", **keys)
    client.create_bucket(Bucket="films")

    def put(name: str, data: bytes) -> None:
        client.put_object(Bucket="films", Key=f"set/{name}", Body=data)

    for name, data in clips.items():
        put(name, data)
    try:
        with breaking_proxy(port) as proxy:
            lend({"access_key": "AKIAEXAMPLE12", "secret_key": SECRET, "endpoint": proxy.url, "region": "us-east-1"})
            yield StoreUnderTest(proxy, {"type": "cloud", "uri": "s3://films/set", "credential_id": 1}, put)
    finally:
        server.stop()


@contextmanager
def gs(clips: dict[str, bytes], lend: Callable[[dict[str, str]], None]) -> Iterator[StoreUnderTest]:
    with web_server() as server, breaking_proxy(server.server_port) as proxy:
        server.objects = {f"set/{name}": data for name, data in clips.items()}
        lend({"endpoint": proxy.url})
        source = {"type": "cloud", "uri": "gs://films/set", "credential_id": 1}
        yield StoreUnderTest(proxy, source, lambda name, data: server.objects.__setitem__(f"set/{name}", data))


@contextmanager
def az(clips: dict[str, bytes], lend: Callable[[dict[str, str]], None]) -> Iterator[StoreUnderTest]:
    with azure_server() as server, breaking_proxy(server.server_port) as proxy:
        films = server.containers["films"] = {f"set/{name}": data for name, data in clips.items()}
        lend({"account": ACCOUNT, "account_key": KEY, "endpoint": f"{proxy.url}/{ACCOUNT}"})
        source = {"type": "cloud", "uri": "az://films/set", "credential_id": 1}
        yield StoreUnderTest(proxy, source, lambda name, data: films.__setitem__(f"set/{name}", data))


@contextmanager
def hub(clips: dict[str, bytes], lend: Callable[[dict[str, str]], None]) -> Iterator[StoreUnderTest]:
    with hub_server("ada/films", dict(clips), kind="dataset") as server, breaking_proxy(server.server_port) as proxy:
        os.environ["HF_ENDPOINT"] = proxy.url
        get_settings.cache_clear()
        lend({"token": SECRET})

        def put(name: str, data: bytes) -> None:
            server.files[name] = data
            server.sha = f"{int(server.sha, 16) + 1:040x}"

        yield StoreUnderTest(proxy, {"type": "hub", "kind": "dataset", "repo": "ada/films", "credential_id": 1}, put)


@pytest.fixture(params=[s3, gs, az, hub], ids=lambda make: make.__name__)
def store(request: Any, tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[StoreUnderTest]:
    monkeypatch.setenv("LOREEL_ALLOW_PRIVATE_URLS", "true")
    monkeypatch.setenv("HF_ENDPOINT", "")
    get_settings.cache_clear()
    clips = {
        SMALL: draw_clip(tmp_path / "a.mp4", shade=90).read_bytes(),
        LARGE: padded(tmp_path, 10),
        LATER: draw_clip(tmp_path / "c.mp4", shade=50, dx=1).read_bytes(),
        "right/d.mp4": draw_clip(tmp_path / "d.mp4", shade=70, dx=1).read_bytes(),
    }
    with request.param(
        clips, lambda keys: monkeypatch.setattr("jobs.fetch.dataset_source.credential_secret", lambda *_: keys)
    ) as made:
        yield made


only_the_hub = pytest.mark.parametrize("store", [hub], indirect=True, ids=["hub"])
"""For what does not depend on the store: the Hub's library is the quickest to start."""


def fetch_again(ada: Actor, dataset_id: int) -> str:
    with session_scope() as session:
        request_fetch(session, ada, dataset_id)
    return run(dataset_id)


def stored(dataset_id: int) -> set[bytes]:
    """The bytes of its clips."""
    with session_scope() as session:
        paths = session.exec(select(Clip.path).where(Clip.dataset_id == dataset_id)).all()
    return {(get_settings().storage_dir / path).read_bytes() for path in paths}


def interrupted(ada: Actor, store: StoreUnderTest, dataset_id: int = 0) -> int:
    """A dataset whose fetch failed in the middle of the large clip."""
    store.proxy.bytes_left = 1_500_000
    with pytest.MonkeyPatch.context() as settings:
        settings.setenv("LOREEL_FETCH_PATIENCE_S", "0.5")
        get_settings.cache_clear()
        if dataset_id:
            assert fetch_again(ada, dataset_id) == "error"
        else:
            dataset_id = dataset_to_fetch(ada, store.source)
            assert run(dataset_id) == "error"
    get_settings.cache_clear()
    return dataset_id


def no_uploads_left() -> bool:
    return not list((get_settings().data_dir / "uploads").iterdir())


def test_a_broken_connection_is_continued(
    redis_server: RedisProcess, ada: Actor, store: StoreUnderTest, tmp_path: Path
) -> None:
    """It breaks before the list has arrived, then in the middle of a file."""
    store.proxy.refused_connections, store.proxy.bytes_per_connection = 1, 1_000_000
    dataset_id = dataset_to_fetch(ada, store.source)
    assert run(dataset_id) == "ready", dataset_of(dataset_id).error
    starts = store.requested(LARGE)
    assert starts == sorted(starts)
    assert starts.count(0) == 1
    assert len(set(starts)) >= 3
    assert padded(tmp_path, 10) in stored(dataset_id)
    assert len(stored(dataset_id)) == 4
    assert no_uploads_left()


def test_what_arrived_stays_for_the_next_attempt_without_a_secret(
    redis_server: RedisProcess, ada: Actor, store: StoreUnderTest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    messages: list[str] = []

    def recorded(*args: Any) -> Iterator[dict[str, Any]]:
        for line in fetch_messages(*args):
            messages.append(str(line))
            yield line

    monkeypatch.setattr("jobs.fetch.dataset_source.fetch_messages", recorded)
    dataset_id = interrupted(ada, store)
    [folder] = fetch_folders(dataset_id)
    partial = partial_bytes(folder)
    error = dataset_of(dataset_id).error
    assert f"{formatting.size(partial)} are stored; fetching it again within two days continues from there." in error
    arrived = partial - len(draw_clip(tmp_path / "a.mp4", shade=90).read_bytes())
    assert arrived > 400_000
    left = [str(path) for path in folder.rglob("*")] + [
        path.read_bytes().decode(errors="replace") for path in folder.rglob("*") if path.is_file()
    ]
    store.proxy.repair()
    assert fetch_again(ada, dataset_id) == "ready", dataset_of(dataset_id).error
    assert store.requested(SMALL) == []
    assert store.requested(LARGE)[0] == arrived
    assert len(store.requested(LATER)) == 1
    assert padded(tmp_path, 10) in stored(dataset_id)
    assert no_uploads_left()
    everything = "\n".join([*messages, *left, error, str(dataset_of(dataset_id))])
    assert len(messages) > 2
    assert SECRET not in everything
    assert KEY not in everything


def test_a_changed_object_is_fetched_from_its_start(
    redis_server: RedisProcess, ada: Actor, store: StoreUnderTest, tmp_path: Path
) -> None:
    """It changes between two attempts, or within one in a store without commits; the versions are never mixed."""
    changed, other = padded(tmp_path, 11), draw_clip(tmp_path / "other.mp4", shade=33).read_bytes()
    if store.source["type"] == "hub":
        dataset_id = interrupted(ada, store)
        store.put(LARGE, changed)
    else:
        store.proxy.bytes_per_connection, store.proxy.on_break = 1_000_000, lambda: store.put(LARGE, changed)
        dataset_id = dataset_to_fetch(ada, store.source)
        assert run(dataset_id) == "error"
        assert "left/b.mp4 was changed or deleted while it was fetched" in dataset_of(dataset_id).error
    store.put(SMALL, other)
    store.proxy.repair()
    assert fetch_again(ada, dataset_id) == "ready", dataset_of(dataset_id).error
    assert (store.requested(SMALL)[0], store.requested(LARGE)[0]) == (0, 0)
    assert {other, changed} < stored(dataset_id)
    assert len(stored(dataset_id)) == 4
    assert dataset_of(dataset_id).source.get("fetched_revision", "-")[-1] in "-9"  # the Hub's newest commit
    assert no_uploads_left()


@only_the_hub
@pytest.mark.parametrize("name", [SMALL, LARGE], ids=["complete", "partial"])
def test_only_the_changed_object_is_fetched_again(
    redis_server: RedisProcess, ada: Actor, store: StoreUnderTest, tmp_path: Path, name: str
) -> None:
    dataset_id = interrupted(ada, store)
    changed = draw_clip(tmp_path / "other.mp4", shade=33).read_bytes() if name == SMALL else padded(tmp_path, 11)
    store.put(name, changed)
    store.proxy.repair()
    assert fetch_again(ada, dataset_id) == "ready", dataset_of(dataset_id).error
    assert changed in stored(dataset_id)
    assert store.requested(name)[0] == 0
    if name == SMALL:
        assert store.requested(LARGE)[0] > 0
    else:
        assert store.requested(SMALL) == []


@only_the_hub
def test_what_arrived_is_deleted_with_the_dataset_or_when_the_fetch_is_cancelled(
    redis_server: RedisProcess, ada: Actor, store: StoreUnderTest
) -> None:
    dataset_id = interrupted(ada, store)
    with session_scope() as session:
        request_fetch(session, ada, dataset_id)
    assert run(dataset_id, lambda: False) == STOPPED
    assert no_uploads_left()
    with session_scope() as session:
        cancel_import(session, ada, dataset_id)
    interrupted(ada, store, dataset_id)
    delete_abandoned_uploads()
    [folder] = fetch_folders(dataset_id)
    old = folder.stat().st_mtime - 3 * 86_400
    os.utime(folder, (old, old))
    delete_abandoned_uploads()
    assert no_uploads_left()
    interrupted(ada, store, dataset_id)
    assert fetch_folders(dataset_id)
    with session_scope() as session:
        delete_dataset(session, ada, dataset_id)
    assert no_uploads_left()


@only_the_hub
def test_the_size_limit_counts_what_has_arrived(
    redis_server: RedisProcess, ada: Actor, store: StoreUnderTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset_id = interrupted(ada, store)
    monkeypatch.setenv("LOREEL_MAX_UPLOAD_BYTES", "2000000")
    get_settings.cache_clear()
    store.proxy.repair()
    assert fetch_again(ada, dataset_id) == "error"
    assert "at most 2.00\u00a0MB are accepted here" in dataset_of(dataset_id).error
    assert store.requested(LARGE) == []
    assert no_uploads_left()


def test_a_large_object_is_never_complete_in_memory(
    store: StoreUnderTest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The fetching process needs about 100 MB for its libraries, and no more for a file of 120 MB."""
    store.put(LARGE, bytes(120_000_000))
    credentials = dataset_source.credential_secret(None, 0, 0)  # pyright: ignore[reportArgumentType]
    request = fetch_request(store.source, credentials, tmp_path / "fetched", 2**30)
    (tmp_path / "fetched").mkdir()
    code = "from jobs.fetch.__main__ import main; main(); print(open('/proc/self/status').read())"
    done = subprocess.run(
        [sys.executable, "-c", code],
        input=request.pack(),
        capture_output=True,
        env=environment(Tool.FETCH, tmp_path),
        cwd=ROOT,
        check=True,
    )
    assert b'"files"' in done.stdout
    peak = int(re.findall(rb"VmHWM:\s*(\d+) kB", done.stdout)[0])
    assert peak < 180_000
