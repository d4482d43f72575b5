"""Uploads by tus 1.0: on to disk, on from where they broke off, refused with a sentence, cleaned up."""

import base64
import errno
import os
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from orchestrator.services.uploads import part_file
from orchestrator.settings import get_settings
from tests.api_client import refusal, sign_in

Header = dict[str, str]


def _b64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


@pytest.fixture
def dataset(ada_client: TestClient) -> str:
    return ada_client.post("/api/v1/datasets", json={"name": "mine"}).json()["id"]


def begin(client: TestClient, dataset: str, length: int, filename: str = "cats/a.mp4"):
    metadata = f"filename {_b64(filename)},dataset_id {_b64(dataset)}"
    headers = {"Tus-Resumable": "1.0.0", "Upload-Length": str(length), "Upload-Metadata": metadata}
    return client.post("/api/v1/uploads", headers=headers)


def send(client: TestClient, address: str, offset: int, data: bytes):
    headers = {"Upload-Offset": str(offset), "Content-Type": "application/offset+octet-stream"}
    return client.patch(address, headers=headers | {"Tus-Resumable": "1.0.0"}, content=data)


def parts() -> list[Path]:
    return list((get_settings().data_dir / "uploads").glob("*.part"))


def test_a_broken_upload_goes_on_where_it_broke_off(ada_client: TestClient, dataset: str):
    data = os.urandom(3 * 2**20 + 5)
    made = begin(ada_client, dataset, len(data))
    assert made.status_code == 201
    address = made.headers["location"]
    assert send(ada_client, address, 0, data[:2_000_000]).headers["upload-offset"] == "2000000"
    refusal(send(ada_client, address, 0, data), 409)
    refusal(ada_client.post(f"/api/v1/datasets/{dataset}/ingest"), 409)
    asked = ada_client.head(address)
    assert asked.headers["upload-offset"] == "2000000"
    assert asked.headers["upload-length"] == str(len(data))
    listed = ada_client.get("/api/v1/uploads", params={"dataset_id": dataset}).json()
    known = {"id": address.rpartition("/")[2], "dataset_id": dataset, "filename": "cats/a.mp4"}
    assert listed["items"] == [known | {"length": len(data), "offset": 2_000_000, "complete": False}]
    assert sign_in("bob").get("/api/v1/uploads", params={"dataset_id": dataset}).json()["items"] == []
    refusal(ada_client.get("/api/v1/uploads"), 422)
    assert send(ada_client, address, 2_000_000, data[2_000_000:]).status_code == 204
    assert parts()[0].read_bytes() == data
    first = ada_client.post(f"/api/v1/datasets/{dataset}/ingest")
    assert first.status_code == 202
    assert first.json()["status"] == "processing"
    assert ada_client.post(f"/api/v1/datasets/{dataset}/ingest").status_code == 202


def test_never_more_bytes_than_announced(ada_client: TestClient, dataset: str):
    address = begin(ada_client, dataset, 10).headers["location"]
    refusal(send(ada_client, address, 0, b"x" * 11), 413)
    headers = {"Upload-Offset": "0", "Content-Type": "application/offset+octet-stream"}
    unsaid = ada_client.patch(address, headers=headers, content=(b"x" * 6 for _ in range(3)))
    refusal(unsaid, 413)
    assert parts()[0].stat().st_size <= 10


def test_cancel_leaves_nothing(ada_client: TestClient, dataset: str):
    address = begin(ada_client, dataset, 10).headers["location"]
    send(ada_client, address, 0, b"12345")
    assert ada_client.delete(address).status_code == 204
    assert parts() == []
    refusal(send(ada_client, address, 5, b"67890"), 404)
    assert ada_client.head(address).status_code == 404


def test_a_full_disk_is_a_sentence_and_leaves_nothing(
    ada_client: TestClient, dataset: str, monkeypatch: pytest.MonkeyPatch
):
    address = begin(ada_client, dataset, 10).headers["location"]

    def full(_self: object, _block: bytes) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(part_file.PartFile, "write", full)
    assert "disk" in refusal(send(ada_client, address, 0, b"1234567890"), 507)["detail"]
    assert parts() == []


def test_a_full_disk_is_reported_before_the_first_byte(
    ada_client: TestClient, dataset: str, monkeypatch: pytest.MonkeyPatch
):
    from orchestrator.services.uploads import uploads

    monkeypatch.setattr(uploads.shutil, "disk_usage", lambda _path: type("U", (), {"free": 100})())
    refusal(begin(ada_client, dataset, 1_000), 507)
    assert parts() == []


def test_too_large_empty_and_nonsense_are_refused(
    ada_client: TestClient, dataset: str, monkeypatch: pytest.MonkeyPatch
):
    refusal(begin(ada_client, dataset, 2**50), 413)
    refusal(begin(ada_client, dataset, 0), 422)
    refusal(begin(ada_client, "99999", 10), 404)
    refusal(begin(ada_client, "abc", 10), 422)
    refusal(begin(ada_client, dataset, 10, filename="../.."), 422)
    refusal(ada_client.post("/api/v1/uploads", headers={"Upload-Length": "-4"}), 422)
    bad = {"Upload-Length": "4", "Upload-Metadata": "filename !!!"}
    refusal(ada_client.post("/api/v1/uploads", headers=bad), 422)
    refusal(ada_client.post("/api/v1/uploads", headers={"Tus-Resumable": "0.2.2"}), 412)
    assert parts() == []


def test_names_never_decide_where_bytes_go(ada_client: TestClient, dataset: str):
    made = begin(ada_client, dataset, 4, filename="/../../etc/cron.d/x.mp4")
    assert send(ada_client, made.headers["location"], 0, b"1234").status_code == 204
    assert [path.parent for path in parts()] == [get_settings().data_dir / "uploads"]


def test_two_senders_of_one_upload_do_not_mix(ada_client: TestClient, dataset: str):
    address = begin(ada_client, dataset, 10).headers["location"]
    with part_file.PartFile(parts()[0], 0, 10):
        refusal(send(ada_client, address, 0, b"12345"), 423)
    assert send(ada_client, address, 0, b"12345").status_code == 204
