"""A job's files by REST: what a cut-off run appends after its end is not sent, nor what is appended meanwhile."""

import os
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from orchestrator.api.file_ranges import cut_at
from orchestrator.api.routes import jobs
from orchestrator.domain.training_jobs import JobStatus
from orchestrator.domain.users import Actor, Role
from orchestrator.services.db import session_scope
from orchestrator.services.training import artifacts
from tests.api_client import refusal, sign_in
from tests.unit.services.attempts.test_checkpoints import claim, lose, new_job

OWN, LATE = b'{"seq": 1}\n' * 9_000, b'{"seq": 2}\n' * 40_000


@pytest.fixture
def browser(home: Path) -> TestClient:
    return sign_in("ada")


@pytest.fixture
def me(browser: TestClient) -> Actor:
    row = browser.get("/api/v1/me").json()
    return Actor(int(row["id"]), row["username"], row["email"], Role(row["role"]))


def started(actor: Actor) -> tuple[int, Path]:
    job_id = new_job(actor, JobStatus.QUEUED, attempt=0)
    folder = claim(job_id, 1)
    (folder / "metrics.jsonl").write_bytes(OWN)
    return job_id, folder


def append(path: Path, more: bytes) -> None:
    with path.open("ab") as file:
        file.write(more)


def test_what_a_run_appends_after_its_end_is_not_sent(browser: TestClient, me: Actor) -> None:
    job_id, folder = started(me)
    lose(job_id, 1)
    append(folder / "metrics.jsonl", LATE)
    base = f"/api/v1/jobs/{job_id}/artifacts"
    [row] = browser.get(base).json()["items"]
    assert row["size_bytes"] == len(OWN)
    whole = browser.get(f"{base}/metrics.jsonl")
    assert whole.content == OWN
    assert whole.headers["content-length"] == str(len(OWN))
    part = browser.get(f"{base}/metrics.jsonl", headers={"Range": "bytes=-11"})
    assert (part.status_code, part.content) == (206, OWN[-11:])
    beyond = browser.get(f"{base}/metrics.jsonl", headers={"Range": f"bytes={len(OWN)}-"})
    assert refusal(beyond, 416)["detail"] == "The file ends before the range that was asked for."
    assert beyond.headers["content-range"] == f"bytes */{len(OWN)}"


@pytest.mark.parametrize("headers", [{}, {"Range": "bytes=0-9"}])
def test_a_file_that_is_deleted_before_it_is_sent_is_not_found(
    browser: TestClient, me: Actor, monkeypatch: pytest.MonkeyPatch, headers: dict[str, str]
) -> None:
    job_id, _ = started(me)

    def cut_and_delete(path: Path, size: int) -> os.stat_result:
        facts = cut_at(path, size)
        path.unlink()
        return facts

    monkeypatch.setattr(jobs, "cut_at", cut_and_delete)
    answer = browser.get(f"/api/v1/jobs/{job_id}/artifacts/metrics.jsonl", headers=headers)
    assert refusal(answer, 404)["detail"] == "This file was deleted a moment ago."


def test_a_file_that_grows_while_it_is_sent_has_the_announced_length(
    browser: TestClient, me: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    job_id, folder = started(me)
    find = artifacts.find_artifact

    def find_and_append(*args: Any) -> tuple[Path, int]:
        found = find(*args)
        append(folder / "metrics.jsonl", LATE)
        return found

    monkeypatch.setattr(artifacts, "find_artifact", find_and_append)
    assert browser.get(f"/api/v1/jobs/{job_id}/artifacts/metrics.jsonl").content == OWN


@pytest.mark.parametrize("size", [0, 1, 64 * 1024, 64 * 1024 + 1, 3 * 64 * 1024])
def test_files_of_every_length_are_sent_completely(browser: TestClient, me: Actor, size: int) -> None:
    job_id, folder = started(me)
    (folder / "metrics.jsonl").write_bytes(b"x" * size)
    answer = browser.get(f"/api/v1/jobs/{job_id}/artifacts/metrics.jsonl")
    assert (answer.status_code, answer.content) == (200, b"x" * size)
    with session_scope() as session:
        assert artifacts.find_artifact(session, me, job_id, "metrics.jsonl")[1] == size
