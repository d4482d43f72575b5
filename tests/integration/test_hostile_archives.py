"""Archives, tables and addresses as strangers make them, through the whole import: a sentence, and nothing left."""

import io
import json
import socket
import struct
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlmodel import select

from jobs.fetch import guard
from orchestrator.domain.datasets import Clip, DatasetStatus
from orchestrator.domain.errors import Invalid
from orchestrator.domain.tasks import Task
from orchestrator.domain.users import Actor
from orchestrator.services.datasets.files import dataset_folder
from orchestrator.services.datasets.ingest import tar_archives, zip_archives
from orchestrator.services.db import session_scope
from orchestrator.services.models.inspect import inspect_model
from orchestrator.settings import get_settings
from tests.fakes.uploads import uploaded_dataset, zipped
from tests.fakes.videos import draw_clip
from tests.ingest import import_now
from tests.integration.test_fetch import dataset_of, dataset_to_fetch, no_uploads_left, run

MANY = 100_000


def many_in_a_zip() -> bytes:
    """One name more than is allowed, by an index alone: the names point at one and the same bytes."""
    body = zipped({"a/0.mp4": b"x"})
    entry = body[body.index(b"PK\x01\x02") : body.index(b"PK\x05\x06")]
    start = body.index(b"PK\x01\x02")
    index = b"".join(entry.replace(b"a/0.mp4", f"{i:07d}".encode()) for i in range(MANY + 1))
    size = MANY + 1
    tail = struct.pack("<4sQHHIIQQQQ", b"PK\x06\x06", 44, 45, 45, 0, 0, size, size, len(index), start)
    tail += struct.pack("<4sIQI", b"PK\x06\x07", 0, start + len(index), 1)
    tail += struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0)
    return body[:start] + index + tail


def many_in_a_tar() -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        head = tarfile.TarInfo("0000000.mp4").tobuf(tarfile.USTAR_FORMAT)
        for i in range(MANY + 1):
            name = f"{i:07d}.mp4".encode().ljust(100, b"\0")
            fresh = name + head[100:148] + b" " * 8 + head[156:]
            total = sum(fresh)
            archive.fileobj.write(fresh[:148] + f"{total:06o}\0 ".encode() + fresh[156:])  # type: ignore[union-attr]
    return buffer.getvalue()


def lying_size() -> bytes:
    """An index that says 10 bytes of what has 100,000."""
    data = bytearray(zipped({"a/0.mp4": bytes(range(256)) * 400}))
    at = data.index(b"PK\x01\x02") + 24
    data[at : at + 4] = struct.pack("<I", 10)
    return bytes(data)


ARCHIVES: dict[str, tuple[Callable[[], bytes], str]] = {
    "many.zip": (many_in_a_zip, "holds 100,001 files; an archive may have 100,000"),
    "many.tar": (many_in_a_tar, "holds more than 100,000 files"),
    "lying.zip": (lying_size, "is damaged and cannot be unpacked"),
    "drive.zip": (lambda: zipped({"C:/Windows/a.mp4": b"x"}), "points outside"),
    "unc.zip": (lambda: zipped({"\\\\server\\share\\a.mp4": b"x"}), "points outside"),
    "long.zip": (lambda: zipped({f"a/{'x' * 300}.mp4": b"x"}), "cannot be written here"),
    "nested.zip": (lambda: zipped({"a/inner.zip": zipped({"b.mp4": b"x"})}), "None of the files can be used"),
    "bomb.zip": (lambda: zipped({"a/0.mp4": bytes(60_000_000)}), "far more than its own size"),
}


@pytest.mark.parametrize("name", ARCHIVES)
def test_an_archive_is_refused_and_leaves_nothing(ada: Actor, name: str) -> None:
    make, sentence = ARCHIVES[name]
    dataset_id = uploaded_dataset(ada, {name: make()})
    assert import_now(dataset_id) == "error"
    assert sentence in dataset_of(dataset_id).error
    assert [path for path in dataset_folder(dataset_id).rglob("*") if path.is_file()] == []
    with session_scope() as session:
        assert session.exec(select(Clip)).all() == []


def test_as_many_as_are_allowed_are_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zip_archives, "MAX_ENTRIES", 3)
    monkeypatch.setattr(tar_archives, "MAX_ENTRIES", 3)
    (tmp_path / "a.zip").write_bytes(zipped({f"{i}.mp4": b"x" for i in range(3)}))
    (tmp_path / "out").mkdir()
    assert zip_archives.unpack(tmp_path / "a.zip", tmp_path / "out", 10**6, "a.zip") == 3


def test_words_that_are_code_stay_words(ada: Actor, tmp_path: Path) -> None:
    """Scripts, formulas and marks that turn text round are kept as plain text or taken out, never run."""
    clips = {f"{i}.mp4": draw_clip(tmp_path / f"{i}.mp4", shade=20 * i).read_bytes() for i in range(3)}
    said = ["<script>alert(1)</script>", '=HYPERLINK("http://x")', "seen \u202e gnp.exe \u0000 end"]
    rows = [{"file_name": name, "caption": text} for name, text in zip(clips, said, strict=True)]
    dataset_id = uploaded_dataset(
        ada, clips | {"metadata.jsonl": "\n".join(map(json.dumps, rows)).encode()}, Task.CAPTIONING
    )
    assert import_now(dataset_id) == "ready"
    with session_scope() as session:
        captions = {clip.name: clip.caption for clip in session.exec(select(Clip))}
    assert captions == {"0.mp4": said[0], "1.mp4": said[1], "2.mp4": "seen  gnp.exe  end"}


HEADS: dict[str, bytes] = {
    "endless": struct.pack("<Q", 2**63) + b"{}",
    "longer than the file": struct.pack("<Q", 5_000) + b"{}",
    "no json": struct.pack("<Q", 8) + b"not json",
    "a list": struct.pack("<Q", 2) + b"[]",
    "nested": struct.pack("<Q", 50_000) + b"[" * 50_000,
    "overlapping": b"",
    "behind the end": b"",
}


def _head(tensors: dict[str, object], body: int = 64) -> bytes:
    raw = json.dumps(tensors).encode()
    return struct.pack("<Q", len(raw)) + raw + bytes(body)


HEADS["overlapping"] = _head(
    {name: {"dtype": "F32", "shape": [16], "data_offsets": [0, 64]} for name in ("a.weight", "b.weight")}
)
HEADS["behind the end"] = _head({"a.weight": {"dtype": "F32", "shape": [16], "data_offsets": [0, 10**12]}})


@pytest.mark.parametrize("name", HEADS)
def test_weights_whose_head_lies_are_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "videomae"}))
    (tmp_path / "model.safetensors").write_bytes(HEADS[name])
    with pytest.raises(Invalid) as refused:
        inspect_model(tmp_path)
    assert refused.value.message.endswith(".")


def test_a_name_that_changes_its_meaning_is_judged_when_it_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """DNS rebinding: public when it was checked, this machine when it is connected to. The connection is refused."""
    judges: list[Callable[[str, tuple[object, ...]], None]] = []
    monkeypatch.setattr(guard.sys, "addaudithook", judges.append)
    guard.only_public()
    judge = judges[0]
    judge("socket.getaddrinfo", ("rebound.example.org", 443))
    judge("socket.connect", (None, ("93.184.216.34", 443)))
    for private in ("127.0.0.1", "169.254.169.254", "10.0.0.8", "::1", "fe80::1", "::ffff:192.168.0.1"):
        with pytest.raises(guard.Refused):
            judge("socket.connect", (None, (private, 80)))
    with pytest.raises(guard.Refused):
        judge("socket.connect", (None, "/var/run/docker.sock"))
    guard.REFUSED.clear()


def test_the_guard_refuses_connections_of_every_library(tmp_path: Path) -> None:
    """A name of this machine is refused in plain sockets, asyncio and httpx alike; tried in a process of its own."""
    import subprocess
    import sys

    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        program = f"""
import asyncio, socket, sys
from jobs.fetch.guard import only_public, REFUSED
import httpx
only_public()
def plain(): socket.create_connection(("localhost", {port}), 2)
def loop(): asyncio.run(asyncio.open_connection("localhost", {port}))
def client(): httpx.get("http://localhost:{port}/", trust_env=False, timeout=2)
for way in (plain, loop, client):
    before = len(REFUSED)
    try: way()
    except Exception: pass
    assert len(REFUSED) > before, way
"""
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        server.settimeout(0.2)
        with pytest.raises(TimeoutError):
            server.accept()


@pytest.mark.parametrize("url", ["http://169.254.169.254/latest/meta-data/", "http://10.255.255.1/x", "http://[::1]/x"])
def test_a_redirect_into_a_private_network_is_not_followed(
    ada: Actor, url: str, monkeypatch: pytest.MonkeyPatch, home: Path
) -> None:
    """The first server counts as public; the address that it redirects to is checked."""
    from jobs.fetch import web
    from jobs.fetch.report import Problem, Progress
    from tests.fakes.web_server import redirect, web_server

    with web_server() as server:
        server.routes["/x"] = redirect(url)
        with pytest.raises(Problem, match=r"It was redirected\..*private network"):
            web.fetch_url(f"{server.url}/x", home, Progress(10**6, 5), 5, allow_private=False)


def test_a_file_address_is_not_read(ada: Actor) -> None:
    """Even if the form accepted it: the worker fetches http and https only."""
    dataset_id = dataset_to_fetch(ada, {"type": "url", "url": "file:///etc/passwd"})
    assert run(dataset_id) == "error"
    dataset = dataset_of(dataset_id)
    assert dataset.status is DatasetStatus.ERROR
    assert "root:" not in dataset.error
    assert no_uploads_left()
    assert get_settings().data_dir.exists()
