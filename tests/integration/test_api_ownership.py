"""Two people never see each other's things: every route of the API, walked with a stranger's ids."""

import base64
import re
from typing import Any

import pytest
from fastapi.testclient import TestClient

from orchestrator.domain.adapters import Adapter, AdapterLine, ResultKind
from orchestrator.domain.credentials import Credential, CredentialKind
from orchestrator.domain.datasets import Clip, Dataset, DatasetEdit, DatasetStatus, Upload
from orchestrator.domain.models import ModelSource, ModelStatus, VideoModel
from orchestrator.domain.queueing import Sweep
from orchestrator.domain.rehearsals import Rehearsal
from orchestrator.domain.tasks import ModelType, Task
from orchestrator.domain.training_jobs import TrainingJob
from orchestrator.domain.users import Actor, Role
from orchestrator.services.auth import tokens
from orchestrator.services.auth.limits import forget_clients
from orchestrator.services.db import session_scope
from tests.api_client import make_client, refusal, sign_in
from tests.openapi import document

OPEN = {"/api/v1/health", *(f"/api/v1/auth/{word}" for word in ("signup", "login", "logout", "reset"))}
_WITH_BODY = ("/push", "/read", "/labels", "/conversions")
BODIES: dict[str, dict[str, Any]] = {
    "/api/v1/datasets/{dataset_id}/labels": {"clip_ids": [1], "label": "x"},
    "/api/v1/datasets/{dataset_id}/conversions": {"conversion": "first_label"},
    "/api/v1/credentials/{credential_id}": {"values": {}},
    "/api/v1/datasets/{dataset_id}": {"name": "mine now"},
    "/api/v1/models/{model_id}": {"name": "mine now"},
    "/api/v1/clips/{clip_id}": {"label": "mine"},
    "/api/v1/datasets/{dataset_id}/clips": {"label": "mine", "clip_ids": [1]},
    "/api/v1/datasets/{dataset_id}/read": {"layout": "folders"},
    "/api/v1/jobs/{job_id}": {"priority": "low"},
    "/api/v1/adapters/{adapter_id}/push": {"repo": "bob/mine", "token": "hf_x"},
}


def routes() -> list[tuple[str, str]]:
    """(verb, path) of every documented route."""
    paths = document()["paths"]
    return [(verb.upper(), path) for path, verbs in paths.items() for verb in verbs]


MARK = "theirs"
"""In the name of everything that belongs to another user."""
WITH_ID = [(verb, path) for verb, path in routes() if "{" in path and not path.startswith("/api/v1/people")]
"""Accounts are no one's own: only administrators reach them, which tests/integration/test_people.py walks."""


def things_of(user_id: int) -> dict[str, str]:
    """One of everything that belongs to a user."""
    with session_scope() as session:
        dataset = Dataset(owner_id=user_id, name=MARK, task=Task.CAPTIONING, status=DatasetStatus.READY)
        model = VideoModel(
            owner_id=user_id,
            name=MARK,
            model_type=ModelType.CLASSIFICATION,
            architecture="VideoMAE",
            source=ModelSource.PATH,
            status=ModelStatus.READY,
        )
        session.add_all([dataset, model])
        session.flush()
        clip = Clip(dataset_id=dataset.id or 0, name=f"{MARK}.mp4", path="a.mp4", label=MARK)
        upload = Upload(id="theirs", owner_id=user_id, dataset_id=dataset.id, filename="a.mp4", length=3)
        job = TrainingJob(owner_id=user_id, name=MARK, dataset_name=MARK, model_name=MARK, idempotency_key="k")
        sweep = Sweep(owner_id=user_id, name=MARK, idempotency_key="k")
        key = Credential(owner_id=user_id, kind=next(iter(CredentialKind)), name=MARK, sealed="-")
        line = AdapterLine(owner_id=user_id, name=MARK, last_version=1)
        session.add(clip)
        session.flush()
        changes = {str(clip.id): {"label": ["before", MARK]}}
        edit = DatasetEdit(dataset_id=dataset.id or 0, version=2, what=MARK, changes=changes)
        session.add_all([upload, job, sweep, key, edit, line])
        session.flush()
        adapter = Adapter(
            owner_id=user_id,
            line_id=line.id or 0,
            name=MARK,
            version=1,
            kind=ResultKind.ADAPTER,
            source_job=job.id or 0,
            job_id=job.id,
            dataset_name=MARK,
            model_name=MARK,
        )
        rehearsal = Rehearsal(owner_id=user_id, dataset_id=dataset.id or 0, model_id=model.id or 0, shape="s")
        session.add_all([adapter, rehearsal])
        session.flush()
        token = tokens.create_token(session, Actor(user_id, "ada", "", Role.ADMIN), MARK).row
        found = {"dataset_id": dataset.id, "model_id": model.id, "clip_id": clip.id, "job_id": job.id}
        found |= {
            "sweep_id": sweep.id,
            "credential_id": key.id,
            "edit_id": edit.id,
            "adapter_id": adapter.id,
            "rehearsal_id": rehearsal.id,
        }
        return {key: str(value) for key, value in found.items()} | {
            "upload_id": "theirs",
            "scratch_id": "a" * 24,
            "token_id": str(token.id),
            "name": "x.txt",
            "kind": "damaged",
            "action": "delete",
        }


@pytest.fixture
def pair(redis_server: object) -> tuple[TestClient, TestClient, dict[str, str]]:
    """The owner, a stranger, and the owner's things."""
    forget_clients()
    owner, stranger = sign_in("ada"), sign_in("bob")
    return owner, stranger, things_of(int(owner.get("/api/v1/me").json()["id"]))


def ask(client: TestClient, verb: str, path: str, ids: dict[str, str]) -> Any:
    address = re.sub(r"\{(\w+)\}", lambda found: ids[found[1]], path)
    headers = {"content-type": "application/offset+octet-stream", "upload-offset": "0"} if "uploads" in path else {}
    body = BODIES.get(path) if verb in ("PATCH", "PUT") or path.endswith(_WITH_BODY) else None
    query = {"model_id": ids.get("model_id", "1")} if "/seen" in path else None
    return client.request(verb, address, headers=headers, json=body, params=query)


def test_every_route_with_an_id_is_hidden_from_strangers(pair: tuple[TestClient, TestClient, dict[str, str]]):
    owner, stranger, ids = pair
    for verb, path in WITH_ID:
        answer = ask(stranger, verb, path, ids)
        assert answer.status_code == 404, f"{verb} {path}: {answer.status_code} {answer.text}"
    # They still stand, and an id too large for the database is only not found or malformed.
    assert owner.get(f"/api/v1/datasets/{ids['dataset_id']}").json()["name"] == "theirs"
    for verb, path in WITH_ID:
        huge = dict.fromkeys(ids, "9" * 25)
        assert ask(stranger, verb, path, huge).status_code in (404, 422), f"{verb} {path}"
    for asked in (
        "adapters?model_id",
        "adapters?dataset_id",
        "adapters?job_id",
        f"clips/{ids['clip_id']}/seen?model_id",
    ):
        assert owner.get(f"/api/v1/{asked}={'9' * 25}").status_code == 422, asked
    source = {"type": "hub", "repo": "a/b", "credential_id": 10**24}
    for noun, body in (
        ("hub/size", source),
        ("models", {"name": "m", "model_type": "video_retrieval", "source": source}),
        ("datasets", {"name": "d", "source": source}),
    ):
        assert owner.post(f"/api/v1/{noun}", json=body).status_code in (404, 422), noun


def test_a_strangers_dataset_takes_no_upload_and_trains_no_job(pair: tuple[TestClient, TestClient, dict[str, str]]):
    _, stranger, ids = pair
    metadata = "filename YS5tcDQ=,dataset_id " + base64.b64encode(ids["dataset_id"].encode()).decode()
    refusal(stranger.post("/api/v1/uploads", headers={"upload-length": "3", "upload-metadata": metadata}), 404)
    body = {"dataset_id": ids["dataset_id"], "model_id": ids["model_id"]}
    assert stranger.post("/api/v1/jobs", json=body).status_code in (404, 422)
    assert stranger.get("/api/v1/jobs").json()["total"] == 0


def test_lists_hold_only_ones_own(pair: tuple[TestClient, TestClient, dict[str, str]]):
    _, stranger, _ = pair
    for noun in ("datasets", "models", "jobs", "adapters", "tokens"):
        names = [item["name"] for item in stranger.get(f"/api/v1/{noun}").json()["items"]]
        assert MARK not in names, noun


@pytest.mark.parametrize(("verb", "path"), [r for r in routes() if r[1] not in OPEN], ids=" ".join)
def test_nothing_answers_without_a_session(home: object, verb: str, path: str):
    if path == "/api/v1/uploads" and verb == "OPTIONS":
        pytest.skip("tus clients may ask what is spoken")
    ids: dict[str, str] = dict.fromkeys(re.findall(r"\{(\w+)\}", path), "1")
    assert ask(make_client(), verb, path, ids).status_code in (401, 422)
