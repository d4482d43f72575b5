"""Fetches from buckets and from the Hub over a line that breaks: what arrived stays, and only the rest is asked for."""

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
from tests.fakes.hub_server import hub_server
from tests.fakes.slow_link import ThinLine, thin_line
from tests.fakes.videos import draw_clip
from tests.fakes.web_server import web_server
from tests.integration.test_fetch import dataset_of, run, wish
from tests.studio import RedisProcess

SMALL, LARGE, LATER = "left/a.mp4", "left/b.mp4", "right/c.mp4"
HUSH = "d0-n0t-t3ll"


@dataclass
class Shelf:
    """A store with four clips behind a line; `put` lays another one in the place of one of them."""

    line: ThinLine
    source: dict[str, Any]
    put: Callable[[str, bytes], object]

    def asked(self, name: str) -> list[int]:
        """The first bytes from which a clip was asked for."""
        return [start for path, start in self.line.asked if path.endswith(name)]


def padded(tmp_path: Path, seed: int) -> bytes:
    """A clip with a box behind it that players skip; always of one size, so that only the version tells two apart."""
    clip = draw_clip(tmp_path / f"{seed}.mp4", shade=seed).read_bytes()
    box = 3_000_000 - len(clip)
    return clip + struct.pack(">I4s", box, b"free") + random.Random(seed).randbytes(box - 8)


@contextmanager
def s3(clips: dict[str, bytes], lend: Callable[[dict[str, str]], None]) -> Iterator[Shelf]:
    import boto3
    from moto.server import ThreadedMotoServer

    store = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    store.start()
    host, port = store.get_host_and_port()
    keys = {"aws_access_key_id": "AKIAEXAMPLE12", "aws_secret_access_key": HUSH, "region_name": "us-east-1"}
    client = boto3.client("s3", endpoint_url=f"http://{host}:{port}", **keys)
    client.create_bucket(Bucket="films")

    def put(name: str, data: bytes) -> None:
        client.put_object(Bucket="films", Key=f"set/{name}", Body=data)

    for name, data in clips.items():
        put(name, data)
    try:
        with thin_line(port) as line:
            lend({"access_key": "AKIAEXAMPLE12", "secret_key": HUSH, "endpoint": line.url, "region": "us-east-1"})
            yield Shelf(line, {"type": "cloud", "uri": "s3://films/set", "credential_id": 1}, put)
    finally:
        for name in clips:
            client.delete_object(Bucket="films", Key=f"set/{name}")
        client.delete_bucket(Bucket="films")  # moto keeps its buckets for the next server of this process
        store.stop()


@contextmanager
def gs(clips: dict[str, bytes], lend: Callable[[dict[str, str]], None]) -> Iterator[Shelf]:
    with web_server() as store, thin_line(store.server_port) as line:
        store.objects = {f"set/{name}": data for name, data in clips.items()}
        lend({"endpoint": line.url})
        source = {"type": "cloud", "uri": "gs://films/set", "credential_id": 1}
        yield Shelf(line, source, lambda name, data: store.objects.__setitem__(f"set/{name}", data))


@contextmanager
def az(clips: dict[str, bytes], lend: Callable[[dict[str, str]], None]) -> Iterator[Shelf]:
    with azure_server() as store, thin_line(store.server_port) as line:
        films = store.containers["films"] = {f"set/{name}": data for name, data in clips.items()}
        lend({"account": ACCOUNT, "account_key": KEY, "endpoint": f"{line.url}/{ACCOUNT}"})
        source = {"type": "cloud", "uri": "az://films/set", "credential_id": 1}
        yield Shelf(line, source, lambda name, data: films.__setitem__(f"set/{name}", data))


@contextmanager
def hub(clips: dict[str, bytes], lend: Callable[[dict[str, str]], None]) -> Iterator[Shelf]:
    with hub_server("ada/films", dict(clips), kind="dataset") as store, thin_line(store.server_port) as line:
        os.environ["HF_ENDPOINT"] = line.url
        get_settings.cache_clear()
        lend({"token": HUSH})

        def put(name: str, data: bytes) -> None:
            store.files[name] = data
            store.sha = f"{int(store.sha, 16) + 1:040x}"

        yield Shelf(line, {"type": "hub", "kind": "dataset", "repo": "ada/films", "credential_id": 1}, put)


@pytest.fixture(params=[s3, gs, az, hub], ids=lambda make: make.__name__)
def shelf(request: Any, tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shelf]:
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


only_the_hub = pytest.mark.parametrize("shelf", [hub], indirect=True, ids=["hub"])
"""For what is the same whichever store it is: its library is the quickest to begin."""


def again(ada: Actor, dataset_id: int) -> str:
    with session_scope() as session:
        request_fetch(session, ada, dataset_id)
    return run(dataset_id)


def stored(dataset_id: int) -> set[bytes]:
    """The bytes of its clips."""
    with session_scope() as session:
        paths = session.exec(select(Clip.path).where(Clip.dataset_id == dataset_id)).all()
    return {(get_settings().storage_dir / path).read_bytes() for path in paths}


def broken_off(ada: Actor, shelf: Shelf, dataset_id: int = 0) -> int:
    """A dataset whose line ended for good in the middle of the large clip."""
    shelf.line.left = 1_500_000
    with pytest.MonkeyPatch.context() as impatient:
        impatient.setenv("LOREEL_FETCH_PATIENCE_S", "0.5")
        get_settings.cache_clear()
        if dataset_id:
            assert again(ada, dataset_id) == "error"
        else:
            dataset_id = wish(ada, shelf.source)
            assert run(dataset_id) == "error"
    get_settings.cache_clear()
    return dataset_id


def nothing_lies_about() -> bool:
    return not list((get_settings().data_dir / "uploads").iterdir())


def test_a_broken_connection_is_resumed(redis_server: RedisProcess, ada: Actor, shelf: Shelf, tmp_path: Path) -> None:
    """It breaks before the list is here, then in the middle of a file."""
    shelf.line.lost, shelf.line.each = 1, 1_000_000
    dataset_id = wish(ada, shelf.source)
    assert run(dataset_id) == "ready", dataset_of(dataset_id).error
    starts = shelf.asked(LARGE)
    assert starts == sorted(starts)
    assert starts.count(0) == 1
    assert len(set(starts)) >= 3
    assert padded(tmp_path, 10) in stored(dataset_id)
    assert len(stored(dataset_id)) == 4
    assert nothing_lies_about()


def test_what_arrived_stays_for_the_next_try_and_no_key_with_it(
    redis_server: RedisProcess, ada: Actor, shelf: Shelf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []

    def overheard(*args: Any) -> Iterator[dict[str, Any]]:
        for line in fetch_messages(*args):
            told.append(str(line))
            yield line

    monkeypatch.setattr("jobs.fetch.dataset_source.fetch_messages", overheard)
    dataset_id = broken_off(ada, shelf)
    [folder] = fetch_folders(dataset_id)
    begun = partial_bytes(folder)
    error = dataset_of(dataset_id).error
    assert f"{formatting.size(begun)} are stored; fetching it again within two days continues from there." in error
    half = begun - len(draw_clip(tmp_path / "a.mp4", shade=90).read_bytes())
    assert half > 400_000
    lying = [str(path) for path in folder.rglob("*")] + [
        path.read_bytes().decode(errors="replace") for path in folder.rglob("*") if path.is_file()
    ]
    shelf.line.mend()
    assert again(ada, dataset_id) == "ready", dataset_of(dataset_id).error
    assert shelf.asked(SMALL) == []
    assert shelf.asked(LARGE)[0] == half
    assert len(shelf.asked(LATER)) == 1
    assert padded(tmp_path, 10) in stored(dataset_id)
    assert nothing_lies_about()
    everything = "\n".join([*told, *lying, error, str(dataset_of(dataset_id))])
    assert len(told) > 2
    assert HUSH not in everything
    assert KEY not in everything


def test_a_changed_object_is_fetched_again(
    redis_server: RedisProcess, ada: Actor, shelf: Shelf, tmp_path: Path
) -> None:
    """It changes between two tries; in a store without commits between two lines of one, and is never mixed."""
    changed, other = padded(tmp_path, 11), draw_clip(tmp_path / "other.mp4", shade=33).read_bytes()
    if shelf.source["type"] == "hub":
        dataset_id = broken_off(ada, shelf)
        shelf.put(LARGE, changed)
    else:
        shelf.line.each, shelf.line.broken = 1_000_000, lambda: shelf.put(LARGE, changed)
        dataset_id = wish(ada, shelf.source)
        assert run(dataset_id) == "error"
        assert "left/b.mp4 was changed or deleted while it was fetched" in dataset_of(dataset_id).error
    shelf.put(SMALL, other)
    shelf.line.mend()
    assert again(ada, dataset_id) == "ready", dataset_of(dataset_id).error
    assert (shelf.asked(SMALL)[0], shelf.asked(LARGE)[0]) == (0, 0)
    assert {other, changed} < stored(dataset_id)
    assert len(stored(dataset_id)) == 4
    assert dataset_of(dataset_id).source.get("fetched_revision", "-")[-1] in "-9"  # the Hub's newest commit
    assert nothing_lies_about()


@only_the_hub
@pytest.mark.parametrize("name", [SMALL, LARGE], ids=["a whole one", "a half"])
def test_only_changed_objects_are_fetched_again(
    redis_server: RedisProcess, ada: Actor, shelf: Shelf, tmp_path: Path, name: str
) -> None:
    dataset_id = broken_off(ada, shelf)
    changed = draw_clip(tmp_path / "other.mp4", shade=33).read_bytes() if name == SMALL else padded(tmp_path, 11)
    shelf.put(name, changed)
    shelf.line.mend()
    assert again(ada, dataset_id) == "ready", dataset_of(dataset_id).error
    assert changed in stored(dataset_id)
    assert shelf.asked(name)[0] == 0
    if name == SMALL:
        assert shelf.asked(LARGE)[0] > 0
    else:
        assert shelf.asked(SMALL) == []


@only_the_hub
def test_what_arrived_goes_with_the_dataset_or_when_it_is_called_off(
    redis_server: RedisProcess, ada: Actor, shelf: Shelf
) -> None:
    dataset_id = broken_off(ada, shelf)
    with session_scope() as session:
        request_fetch(session, ada, dataset_id)
    assert run(dataset_id, lambda: False) == STOPPED
    assert nothing_lies_about()
    with session_scope() as session:
        cancel_import(session, ada, dataset_id)
    broken_off(ada, shelf, dataset_id)
    delete_abandoned_uploads()
    [folder] = fetch_folders(dataset_id)
    old = folder.stat().st_mtime - 3 * 86_400
    os.utime(folder, (old, old))
    delete_abandoned_uploads()
    assert nothing_lies_about()
    broken_off(ada, shelf, dataset_id)
    assert fetch_folders(dataset_id)
    with session_scope() as session:
        delete_dataset(session, ada, dataset_id)
    assert nothing_lies_about()


@only_the_hub
def test_the_limit_counts_what_is_here(
    redis_server: RedisProcess, ada: Actor, shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset_id = broken_off(ada, shelf)
    monkeypatch.setenv("LOREEL_MAX_UPLOAD_BYTES", "2000000")
    get_settings.cache_clear()
    shelf.line.mend()
    assert again(ada, dataset_id) == "error"
    assert "at most 2.00\u00a0MB are accepted here" in dataset_of(dataset_id).error
    assert shelf.asked(LARGE) == []
    assert nothing_lies_about()


def test_a_large_object_is_never_buffered_in_memory(
    shelf: Shelf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process that fetches takes about 100 MB for its libraries, and no more for 120 MB in one file."""
    shelf.put(LARGE, bytes(120_000_000))
    credentials = dataset_source.credential_secret(None, 0, 0)  # pyright: ignore[reportArgumentType]
    request = fetch_request(shelf.source, credentials, tmp_path / "fetched", 2**30)
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
