"""A script's whole way by REST, on real processes: sign up, the demo appears, launch, watch, stop, resume, adapter."""

import io
import zipfile
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from orchestrator.domain.users import Actor, Role
from orchestrator.services.auth import limits
from orchestrator.services.db import session_scope
from orchestrator.services.milestones import first_steps
from tests.api_client import SITE
from tests.forked_processes import AnyProcess
from tests.openapi import shared_api
from tests.studio import RedisProcess, start_controller, start_process, until

HEAD = {"Origin": SITE}
PERSON = {"username": "ada", "email": "ada@example.org", "password": "a quiet lamp at dusk 7"}


def client_of(person: dict[str, str]) -> TestClient:
    client = TestClient(shared_api(), base_url=SITE, headers=HEAD)
    assert client.post("/api/v1/auth/signup", json=person).status_code == 201
    login = {"login": person["username"], "password": person["password"]}
    assert client.post("/api/v1/auth/login", json=login).status_code == 200
    return client


@pytest.mark.slow
def test_a_script_from_upload_to_adapter(home: Path, redis_server: RedisProcess, processes: list[AnyProcess]) -> None:
    limits.forget_clients()
    start_controller(processes, home)
    processes.append(start_process("-m", "jobs.worker", "--device", "cpu", log=home / "worker.log"))
    client = client_of(PERSON)

    def ready() -> list[dict[str, Any]]:
        return client.get("/api/v1/datasets?status=ready&task=classification").json()["items"]

    def bases() -> list[dict[str, Any]]:
        return client.get("/api/v1/models?model_type=video_classification").json()["items"]

    [dataset] = until(ready, 120, "the demo is ready", pause_s=0.5)
    [model] = until(bases, 20, "the base is registered")
    body = {
        "dataset_id": dataset["id"],
        "model_id": model["id"],
        "optim": {"epochs": 1, "batch_size": 32},
        "output_name": "motions",
    }
    assert client.post("/api/v1/jobs/preflight", json=body).json()["ok"]
    refused = client.post("/api/v1/jobs", json=body | {"qlora": {"r": -1}})
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["field"] == "qlora.r"
    made = [client.post("/api/v1/jobs", json=body, headers={"Idempotency-Key": "one"}).json() for _ in range(3)]
    assert len({job["id"] for job in made}) == 1
    job_id = made[0]["id"]

    def status() -> str:
        return client.get(f"/api/v1/jobs/{job_id}").json()["status"]

    until(lambda: status() in ("completed", "failed"), 240, "the job ends", pause_s=0.5)
    job = client.get(f"/api/v1/jobs/{job_id}").json()
    assert job["status"] == "completed", job["error"]
    assert client.get(f"/api/v1/jobs/{job_id}/metrics?series=loss").json()["series"]["loss"]
    assert client.get(f"/api/v1/jobs/{job_id}/logs").json()["lines"]
    answer = client.get(f"/api/v1/jobs/{job_id}/download")
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert "motions/adapter_model.safetensors" in archive.namelist()
    with session_scope() as session:
        steps = first_steps(session, Actor(1, "ada", PERSON["email"], Role.ADMIN))
        assert (steps.demo_trained, steps.downloaded, steps.playground) == (True, True, False)
    [worker] = client.get("/api/v1/workers").json()["items"]
    assert worker["alive"]

    eve = client_of({"username": "eve", "email": "eve@example.org", "password": "a quiet lamp at dusk 8"})
    for path in (f"/api/v1/jobs/{job_id}", f"/api/v1/jobs/{job_id}/metrics", f"/api/v1/jobs/{job_id}/download"):
        assert eve.get(path).status_code == 404
    assert eve.post(f"/api/v1/jobs/{job_id}/stop").status_code == 404
    assert client.post(f"/api/v1/jobs/{job_id}/stop").status_code == 409
