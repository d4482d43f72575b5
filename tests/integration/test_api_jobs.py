"""Training jobs by REST: launched once, refused with a sentence, followed live over server-sent events."""

import json
import socket
from typing import Any

import httpx
import pytest
from fastapi.testclient import TestClient
from sqlmodel import select

from orchestrator.domain.datasets import Clip
from orchestrator.domain.live_records import pack
from orchestrator.domain.redis_keys import LIVE_STREAM
from orchestrator.domain.users import Actor, Role
from orchestrator.services.attempts.checkpoints import take_in_checkpoints
from orchestrator.services.db import session_scope
from orchestrator.services.training.lifecycle import request_stop
from tests import records
from tests.api_client import PASSWORD, refusal, sign_in
from tests.fakes.checkpoints import save_checkpoint
from tests.forked_processes import AnyProcess
from tests.studio import RedisProcess, make_things, start_process, until

Processes = list[AnyProcess]


@pytest.fixture
def body(ada_client: TestClient) -> dict[str, Any]:
    me = ada_client.get("/api/v1/me").json()
    dataset_id, model_id = make_things(Actor(int(me["id"]), "ada", "", Role.ADMIN))
    return {"dataset_id": str(dataset_id), "model_id": str(model_id), "output_name": "night-run"}


def test_the_same_key_launches_once(ada_client: TestClient, body: dict[str, Any]):
    headers = {"Idempotency-Key": "once"}
    first, second = (ada_client.post("/api/v1/jobs", json=body, headers=headers) for _ in range(2))
    assert first.status_code == 201
    assert first.json()["id"] == second.json()["id"]
    assert isinstance(first.json()["id"], str)
    assert ada_client.get("/api/v1/jobs").json()["total"] == 1
    job = f"/api/v1/jobs/{first.json()['id']}"
    assert ada_client.get(f"{job}/metrics").json()["series"] is not None
    assert ada_client.get(f"{job}/logs").status_code == 200
    assert ada_client.get(f"{job}/timeline").json()["items"][0]["kind"] == "queued"
    clone = ada_client.post(f"{job}/clone").json()
    assert clone["dataset_id"] == body["dataset_id"]
    assert ada_client.get(f"{job}/download").status_code in (404, 409)
    refusal(ada_client.delete(job), 409)
    assert ada_client.post(f"{job}/stop").status_code == 202
    assert until(lambda: ada_client.get(job).json()["status"]) in ("stopped", "stopping")


def test_a_clone_says_which_version_it_takes_and_what_was_deleted(ada_client: TestClient, body: dict[str, Any]):
    job = ada_client.post("/api/v1/jobs", json=body).json()["id"]
    clone = ada_client.post(f"/api/v1/jobs/{job}/clone").json()
    assert (clone["dataset_version"], clone["notes"], clone["output_name"]) == (1, [], "night-run-2")
    again = ada_client.post("/api/v1/jobs", json=clone)
    assert (again.status_code, again.json()["dataset_version"]) == (201, 1)
    refused = refusal(ada_client.post("/api/v1/jobs", json=body | {"dataset_version": 2}), 422)
    assert [error["field"] for error in refused["errors"]] == ["dataset_version"]
    for active in (job, again.json()["id"]):
        ada_client.post(f"/api/v1/jobs/{active}/stop")
    assert ada_client.delete(f"/api/v1/datasets/{body['dataset_id']}").status_code == 204
    gone = refusal(ada_client.post(f"/api/v1/jobs/{job}/clone"), 409)
    assert gone["detail"].startswith("The dataset Motions of this job was deleted.")
    other, _ = make_things(Actor(int(ada_client.get("/api/v1/me").json()["id"]), "ada", "", Role.ADMIN))
    assert ada_client.post(f"/api/v1/jobs/{job}/clone?dataset={other}").json()["dataset_id"] == str(other)


@pytest.mark.parametrize("route", ["jobs", "sweeps"])
def test_the_same_key_with_another_body_is_refused(ada_client: TestClient, body: dict[str, Any], route: str):
    first = body | ({"sweep": {"qlora.r": [8, 16]}} if route == "sweeps" else {})
    headers = {"Idempotency-Key": "key"}
    assert ada_client.post(f"/api/v1/{route}", json=first, headers=headers).status_code == 201
    other = first | {"output_name": "key-two", "optim": {"learning_rate": 5e-3}}
    refused = refusal(ada_client.post(f"/api/v1/{route}", json=other, headers=headers), 409)
    assert "night-run" in refused["detail"]
    assert "a new key to launch this too" in refused["detail"]
    assert ada_client.post(f"/api/v1/{route}", json=other, headers={"Idempotency-Key": "new"}).status_code == 201


@pytest.mark.parametrize(
    ("part", "values", "field"),
    [
        ("qlora", {"r": -1}, "qlora.r"),
        ("optim", {"learning_rate": "abc"}, "optim.learning_rate"),
        ("optim", {"epochs": 0}, "optim.epochs"),
        ("data", {"frames": 10_000}, "data.frames"),
        ("qlora", {"target_modules": ["nowhere"], "r": 0}, "qlora.r"),
        ("qlora", {"target_modules": "(q_proj"}, "qlora.target_pattern"),
        ("qlora", {"target_modules": "a" * 201}, "qlora.target_pattern"),
        ("qlora", {"rank_pattern": {"query": 0}}, "qlora.rank_pattern"),
        ("qlora", {"rank_pattern": {"query": "many"}}, "qlora.rank_pattern"),
        ("qlora", {"alpha_pattern": {"(que|ry)+": 8}}, "qlora.alpha_pattern"),
        ("qlora", {"init_lora_weights": "pissa"}, "qlora.init_lora_weights"),
    ],
)
def test_bad_values_get_their_sentence(
    ada_client: TestClient, body: dict[str, Any], part: str, values: dict[str, Any], field: str
):
    bad = body | {part: values}
    errors = refusal(ada_client.post("/api/v1/jobs", json=bad), 422)["errors"]
    assert field in [error["field"] for error in errors]
    before = ada_client.post("/api/v1/jobs/preflight", json=bad).json()
    assert before["ok"] is False
    assert field in [problem["field"] for problem in before["problems"]]
    assert ada_client.get("/api/v1/jobs").json()["total"] == 0


def test_the_preflight_lists_the_clips_by_size(ada_client: TestClient, body: dict[str, Any]):
    with session_scope() as session:
        clips = session.exec(select(Clip).where(Clip.dataset_id == int(body["dataset_id"]))).all()
        for place, clip in enumerate(clips):
            clip.width, clip.height = (180, 320) if place == 0 else (320, 180)
    answer = ada_client.post("/api/v1/jobs/preflight", json=body | {"data": {"group_by_length": True}}).json()
    assert answer["problems"] == [
        {
            "field": "data.group_by_length",
            "message": "Only clips of a video language model take different numbers of tokens. Switch this off for "
            "this base.",
        }
    ]
    wide, high = answer["shapes"]
    assert (wide["width"], wide["height"], wide["clips"]) == (320, 180, len(clips) - 1)
    assert (high["width"], high["height"], high["clips"]) == (180, 320, 1)
    assert wide["least_frames"] == wide["most_frames"] > 0
    assert answer["over_context"] == 0


def test_an_adapter_to_continue_from_must_be_there(ada_client: TestClient, body: dict[str, Any]):
    [error] = refusal(ada_client.post("/api/v1/jobs", json=body | {"adapter": 99}), 422)["errors"]
    assert error == {
        "field": "adapter",
        "message": "This adapter does not exist any more. Choose another one, or none.",
    }


def test_checkpoints_are_listed_and_deleted_by_their_owner(ada_client: TestClient, body: dict[str, Any]):
    job_id = ada_client.post("/api/v1/jobs", json=body).json()["id"]
    path = f"/api/v1/jobs/{job_id}/checkpoints"
    assert ada_client.get(path).json()["items"] == []
    assert "needs its checkpoints" in refusal(ada_client.delete(path), 409)["detail"]
    ada_client.post(f"/api/v1/jobs/{job_id}/stop")
    saved = save_checkpoint(job_id, 1, 8, "x" * 100)
    with session_scope() as session:
        take_in_checkpoints(session, job_id, 1)
    [row] = ada_client.get(path).json()["items"]
    assert (row["step"], row["attempt"], row["size_bytes"]) == (8, 1, 100)
    assert "can still be resumed from step 8" in refusal(ada_client.delete(path), 409)["detail"]
    bob = sign_in("bob")
    for answer in (bob.get(path), bob.delete(path, params={"give_up_resume": True})):
        assert answer.status_code == 404
    assert ada_client.delete(path, params={"give_up_resume": True}).status_code == 204
    assert not saved.exists()
    assert ada_client.get(path).json()["items"] == []


def test_a_job_on_a_deleted_dataset_is_refused(ada_client: TestClient, body: dict[str, Any]):
    assert ada_client.delete(f"/api/v1/datasets/{body['dataset_id']}").status_code == 204
    found = refusal(ada_client.post("/api/v1/jobs", json=body), 422)
    assert found["errors"][0]["field"] == "dataset_id"
    assert ada_client.get("/api/v1/jobs").json()["total"] == 0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def test_events_come_live_and_a_reader_goes_on_where_it_was(
    ada_client: TestClient, body: dict[str, Any], processes: Processes, redis_server: RedisProcess
):
    job = ada_client.post("/api/v1/jobs", json=body).json()["id"]
    port = free_port()
    target = ["--interface", "asgi", "--factory", "tests.fakes.quick_hashes:create_api", "--port", str(port)]
    processes.append(start_process("-m", "granian", *target))
    site = f"http://127.0.0.1:{port}"
    until(lambda: _answers(site), 60.0)
    with httpx.Client(base_url=site, timeout=20.0, headers={"origin": site}) as browser:
        browser.post("/api/v1/auth/login", json={"login": "ada", "password": PASSWORD})
        with browser.stream("GET", f"/api/v1/jobs/{job}/events", headers={"Last-Event-ID": "3"}) as answer:
            assert answer.headers["content-type"].startswith("text/event-stream")
            lines = answer.iter_lines()
            assert _next(lines)["kind"] == "history"
            record = records.metric(int(job), seq=4, loss=0.5)
            client = redis_server.client()
            client.xadd(LIVE_STREAM, {"d": pack(record)})
            found = _next(lines)
            assert (found["kind"], found["values"]) == ("metric", {"loss": 0.5})
            with session_scope() as session:
                me = ada_client.get("/api/v1/me").json()
                request_stop(session, Actor(int(me["id"]), "ada", "", Role.ADMIN), int(job))
            while (found := _next(lines))["kind"] != "status":
                pass
            assert found["status"] in ("stopped", "stopping")


def _answers(site: str) -> bool:
    try:
        return httpx.get(f"{site}/api/openapi.json").status_code == 200
    except httpx.HTTPError:
        return False


def _next(lines: Any) -> dict[str, Any]:
    return json.loads(next(line for line in lines if line.startswith("data: ")).removeprefix("data: "))
