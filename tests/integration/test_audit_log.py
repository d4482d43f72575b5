"""Each operation of the REST API that changes something leaves an entry in the audit log, or says why it needs none."""

import base64
import csv
import io
import json
import re
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlmodel import col, select

from orchestrator.domain.adapters import Adapter, AdapterLine, ResultKind
from orchestrator.domain.audit import Act, AuditEntry
from orchestrator.domain.datasets import Clip, ClipStatus, Dataset, DatasetStatus
from orchestrator.domain.models import ModelSource, ModelStatus, VideoModel
from orchestrator.domain.tasks import ModelType
from orchestrator.domain.training_jobs import JobStatus, TrainingJob
from orchestrator.domain.users import Actor, Role
from orchestrator.domain.workers import Worker
from orchestrator.services import db
from orchestrator.services.adapters.files import home_folder
from orchestrator.services.audit.chain import verify
from orchestrator.services.audit.recording import record
from orchestrator.services.auth.limits import forget_clients
from orchestrator.services.db import session_scope
from tests.api_client import PASSWORD, SITE, make_client, refusal, sign_in
from tests.openapi import operations
from tests.studio import forget_caches, make_things

MUTATING = ("POST", "PUT", "PATCH", "DELETE")
NEEDS_NONE = {
    "POST /jobs/preflight": "asks only",
    "POST /jobs/{job_id}/clone": "answers with the body of a new job, and stores nothing",
    "POST /hub/size": "asks only",
    "POST /recipes/parse": "asks only",
    "POST /rehearsals": "measures a recipe, and changes nothing that anyone sees",
    "POST /infer": "asks a model",
    "POST /chat/completions": "asks a model",
    "POST /playground/clips": "a clip that is deleted within the hour",
    "DELETE /playground/clips/{scratch_id}": "a clip that is deleted within the hour",
    "POST /uploads": "bytes that belong to nothing until their import is requested, which is recorded",
    "PATCH /uploads/{upload_id}": "bytes that belong to nothing until their import is requested",
    "DELETE /uploads/{upload_id}": "bytes that belong to nothing until their import is requested",
    "POST /notifications/read": "a mark on one's own list",
    "POST /notifications/test": "a message to oneself",
}
"""Operations without an entry, each with the reason."""

Step = tuple[str, dict[str, Any] | None, Act]
URL = {"type": "url", "url": "https://example.org/x?s3cret"}
HUB_KEY = {"kind": "hub", "name": "hub", "values": {"token": "hf_secretsecret"}}
PUSH = {"repo": "ada/x", "token": "hf_secretsecret"}
MODEL = {"name": "m", "model_type": "video_classification", "source": {"type": "upload"}}
JOB = {"dataset_id": "{dataset_id}", "model_id": "{model_id}"}
STEPS: list[Step] = [
    ("PATCH /me", {"username": "ada2", "current_password": PASSWORD}, Act.ACCOUNT_CHANGED),
    ("POST /me/confirm", {"password": PASSWORD}, Act.PASSWORD_CONFIRMED),
    ("POST /me/password", {"current": PASSWORD, "new": f"{PASSWORD}-too"}, Act.PASSWORD_CHANGED),
    ("POST /tokens", {"name": "nightly"}, Act.TOKEN_CREATED),
    ("DELETE /tokens/1", None, Act.TOKEN_DELETED),
    ("POST /credentials", HUB_KEY, Act.CREDENTIAL_STORED),
    ("PUT /credentials/1", {"values": {"token": "hf_othersecret1"}}, Act.CREDENTIAL_REPLACED),
    ("DELETE /credentials/1", None, Act.CREDENTIAL_DELETED),
    ("PUT /notifications/settings", {"webhook_url": "https://example.org/s3cret"}, Act.NOTIFICATIONS_CHANGED),
    ("POST /datasets", {"name": "clips", "source": URL}, Act.DATASET_CREATED),
    ("PATCH /datasets/{dataset_id}", {"name": "motions"}, Act.DATASET_CHANGED),
    ("PATCH /datasets/{dataset_id}/clips", {"clip_ids": ["{clip_id}"], "label": "right"}, Act.DATASET_EDITED),
    ("PATCH /clips/{clip_id}", {"caption": "a cat"}, Act.DATASET_EDITED),
    ("POST /datasets/{dataset_id}/labels", {"clip_ids": ["{clip_id}"], "label": "up"}, Act.DATASET_EDITED),
    ("POST /datasets/{dataset_id}/conversions", {"conversion": "labels_to_captions"}, Act.DATASET_EDITED),
    ("POST /datasets/{dataset_id}/splits", {}, Act.DATASET_EDITED),
    ("POST /datasets/{dataset_id}/edits/5/undo", None, Act.DATASET_EDITED),
    ("POST /datasets/{dataset_id}/findings/damaged/delete", None, Act.DATASET_EDITED),
    ("POST /jobs", JOB, Act.JOB_LAUNCHED),
    ("PATCH /jobs/{job_id}", {"priority": "high"}, Act.JOB_PRIORITY_CHANGED),
    ("POST /jobs/{job_id}/stop", None, Act.JOB_STOPPED),
    ("POST /jobs/{job_id}/resume", None, Act.JOB_RESUMED),
    ("POST /sweeps", JOB | {"sweep": {"optim.seed": [1, 2]}}, Act.SWEEP_LAUNCHED),
    ("POST /sweeps/1/stop", None, Act.SWEEP_STOPPED),
    ("DELETE /jobs/{done_id}/checkpoints", None, Act.CHECKPOINTS_DELETED),
    ("DELETE /jobs/{done_id}", None, Act.JOB_DELETED),
    ("POST /adapters/{adapter_id}/promote", None, Act.ADAPTER_PROMOTED),
    ("POST /adapters/{adapter_id}/demote", None, Act.ADAPTER_DEMOTED),
    ("POST /adapters/{adapter_id}/register", None, Act.MODEL_CREATED),
    ("POST /adapters/{merged_id}/merge", None, Act.ADAPTER_MERGE_REQUESTED),
    ("POST /adapters/{merged_id}/push", PUSH, Act.ADAPTER_PUSH_REQUESTED),
    ("DELETE /adapters/{adapter_id}", None, Act.ADAPTER_DELETED),
    ("POST /models", MODEL, Act.MODEL_CREATED),
    ("PATCH /models/{failed_model_id}", {"name": "renamed"}, Act.MODEL_CHANGED),
    ("POST /models/{failed_model_id}/check", None, Act.MODEL_IMPORT_REQUESTED),
    ("DELETE /models/{failed_model_id}", None, Act.MODEL_DELETED),
    ("PATCH /queue", {"per_user": 2}, Act.QUEUE_CHANGED),
    ("POST /workers/box/drain", None, Act.WORKER_DRAINED),
    ("POST /datasets/{draft_id}/ingest", None, Act.DATASET_IMPORT_REQUESTED),
    ("POST /datasets/{draft_id}/cancel", None, Act.DATASET_IMPORT_CANCELLED),
    ("POST /datasets/{review_id}/accept", None, Act.DATASET_IMPORT_REQUESTED),
    ("POST /datasets/{stored_id}/read", {"layout": ""}, Act.DATASET_IMPORT_REQUESTED),
    ("POST /datasets/{remote_id}/fetch", None, Act.DATASET_IMPORT_REQUESTED),
    ("DELETE /datasets/{remote_id}", None, Act.DATASET_DELETED),
    ("POST /auth/signup", {"username": "bob", "email": "b@example.org", "password": PASSWORD}, Act.ACCOUNT_CREATED),
    ("PATCH /people/2", {"role": "admin"}, Act.ACCOUNT_ROLE_CHANGED),
    ("PATCH /people/2", {"disabled": True}, Act.ACCOUNT_DISABLED),
    ("PATCH /people/2", {"disabled": False}, Act.ACCOUNT_ENABLED),
    ("POST /people/2/reset", None, Act.RESET_LINK_CREATED),
    ("POST /auth/reset", {"link": "{secret}", "password": f"{PASSWORD}-new"}, Act.PASSWORD_RESET),
    ("POST /auth/login", {"login": "bob", "password": f"{PASSWORD}-new"}, Act.SESSION_OPENED),
    ("POST /auth/logout", None, Act.SESSION_CLOSED),
    ("POST /auth/login", {"login": "bob", "password": f"{PASSWORD}-new"}, Act.SESSION_OPENED),
    ("POST /me/sign-out-everywhere", None, Act.SIGNED_OUT_EVERYWHERE),
]  # fmt: skip
"""One of each, in an order in which each succeeds, with the act that it leaves."""


def mutating() -> set[str]:
    return {f"{verb} {path.removeprefix('/api/v1')}" for verb, path, _ in operations() if verb in MUTATING}


def template_of(step: str) -> re.Pattern[str]:
    """What matches the path of this step in the document: each part may be a parameter there."""
    parts = step.split("/")
    return re.compile(
        "/".join(rf"(?:{re.escape(part)}|\{{\w+\}})" if i else re.escape(part) for i, part in enumerate(parts))
    )


def operation_of(step: str, known: set[str]) -> str:
    """The operation that a step asks: the one with the fewest parameters where several fit."""
    return min((one for one in known if template_of(step).fullmatch(one)), key=lambda one: one.count("{"))


def test_each_changing_operation_is_walked_or_needs_no_entry() -> None:
    known = mutating()
    walked = {operation_of(step, known) for step, _, _ in STEPS}
    assert walked | set(NEEDS_NONE) | {"POST /chat/completions"} == known | {"POST /chat/completions"}
    assert not walked & set(NEEDS_NONE)


@pytest.fixture
def things(ada_client: TestClient, home: Path) -> dict[str, str]:
    """What the steps are done to."""
    user_id = int(ada_client.get("/api/v1/me").json()["id"])
    actor = Actor(user_id, "ada", "ada@example.org", Role.ADMIN)
    dataset_id, model_id = make_things(actor)
    with session_scope() as session:
        kinds = {
            "draft": DatasetStatus.DRAFT,
            "review": DatasetStatus.PROCESSING,
            "stored": DatasetStatus.READY,
            "remote": DatasetStatus.ERROR,
        }
        datasets = {word: Dataset(owner_id=user_id, name=word, status=status) for word, status in kinds.items()}
        datasets["review"].stage = "review"
        datasets["remote"].source = {"type": "url", "url": "https://example.org/more?s3cret"}
        failed = VideoModel(
            owner_id=user_id, name="failed", model_type=ModelType.CLASSIFICATION, architecture="VideoMAE",
            source=ModelSource.HUB, source_ref="a/b", status=ModelStatus.ERROR,
        )  # fmt: skip
        done = TrainingJob(
            owner_id=user_id,
            name="done",
            dataset_name="d",
            model_name="m",
            idempotency_key="k",
            status=JobStatus.COMPLETED,
        )
        line = AdapterLine(owner_id=user_id, name="line", last_version=2)
        session.add_all([*datasets.values(), failed, done, line, Worker(name="box", host="box")])
        session.flush()
        clip = session.exec(select(Clip).where(Clip.dataset_id == dataset_id)).first()
        assert clip
        bad = Clip(dataset_id=dataset_id, name="bad.mp4", path="", status=ClipStatus.BAD, problem="damaged")
        bad.problem_kind = "damaged"  # type: ignore[assignment]
        session.add_all([bad, Clip(dataset_id=datasets["stored"].id or 0, name="a.mp4", path="a.mp4")])
        adapters = [
            Adapter(
                owner_id=user_id, line_id=line.id or 0, name="line", version=version, kind=kind, task="classification",
                source_job=900 + version, dataset_name="d", model_name="m",
            )
            for version, kind in ((1, ResultKind.MODEL), (2, ResultKind.ADAPTER))
        ]  # fmt: skip
        session.add_all(adapters)
        session.flush()
        for adapter in adapters:
            (home_folder(adapter.id or 0) / adapter.kind.value).mkdir(parents=True)
        found = {f"{word}_id": dataset.id for word, dataset in datasets.items()}
        found |= {"dataset_id": dataset_id, "model_id": model_id, "failed_model_id": failed.id, "done_id": done.id}
        found |= {"clip_id": clip.id, "adapter_id": adapters[0].id, "merged_id": adapters[1].id}
        return {name: str(number) for name, number in found.items()}


def entries(after: int = 0) -> list[AuditEntry]:
    with session_scope() as session:
        return list(session.exec(select(AuditEntry).where(col(AuditEntry.id) > after).order_by(col(AuditEntry.id))))


def filled(value: Any, ids: dict[str, str]) -> Any:
    """The value with the ids of the things in it."""
    text = re.sub(r"\{(\w+)\}", lambda match: ids.get(match[1], match[0]), json.dumps(value))
    return json.loads(text)


def upload_a_file(client: TestClient, dataset_id: str) -> None:
    metadata = "filename YS5tcDQ=,dataset_id " + base64.b64encode(dataset_id.encode()).decode()
    begun = client.post("/api/v1/uploads", headers={"upload-length": "3", "upload-metadata": metadata})
    headers = {"content-type": "application/offset+octet-stream", "upload-offset": "0"}
    assert client.patch(begun.headers["location"], headers=headers, content=b"abc").status_code == 204


def test_each_changing_operation_leaves_its_entry(ada_client: TestClient, things: dict[str, str]) -> None:
    upload_a_file(ada_client, things["draft_id"])
    for step, body, act in STEPS:
        last = entries()[-1].id or 0
        verb, _, path = filled(step, things).partition(" ")
        answer = ada_client.request(verb, f"/api/v1{path}", json=filled(body, things) if body is not None else None)
        assert answer.status_code < 300, f"{step}: {answer.status_code} {answer.text}"
        found = [entry.act for entry in entries(last)]
        assert act in found, f"{step} left {found}"
        if step == "POST /jobs":
            things["job_id"] = answer.json()["id"]
        if act is Act.RESET_LINK_CREATED:
            things["secret"] = answer.json()["link"].partition("link=")[2]
    written = entries()
    text = json.dumps([entry.model_dump(mode="json") for entry in written])
    assert not re.search(r"hf_|lrl_|s3cret|argon2|four-plain", text)
    assert {entry.address for entry in written if entry.actor_name == "ada2"} == {"testclient"}
    assert not {step_act for _, _, step_act in STEPS} - {entry.act for entry in written}
    with session_scope() as session:
        assert not verify(session).problem


def test_refused_logins_and_passwords_stand_there(ada_client: TestClient) -> None:
    last = entries()[-1].id or 0
    stranger = make_client(origin=SITE)
    refusal(stranger.post("/api/v1/auth/login", json={"login": "ada", "password": "my-other-password"}), 401)
    refusal(stranger.post("/api/v1/auth/login", json={"login": "my-password", "password": "x"}), 401)
    refusal(ada_client.post("/api/v1/me/confirm", json={"password": "my-other-password"}), 422)
    known, unknown, confirmation = entries(last)
    assert (known.act, known.outcome, known.actor_name) == (Act.SESSION_OPENED, "refused", "ada")
    assert (unknown.actor_name, unknown.changes) == ("", '{"after":{"reason":"no such account"}}')
    assert (confirmation.act, confirmation.outcome) == (Act.PASSWORD_CONFIRMED, "refused")
    assert "my-" not in json.dumps([entry.model_dump(mode="json") for entry in entries()])


def test_an_act_by_a_token_names_it(ada_client: TestClient) -> None:
    token = ada_client.post("/api/v1/tokens", json={"name": "nightly"}).json()["token"]
    script = make_client(authorization=f"Bearer {token}")
    assert script.post("/api/v1/datasets", json={"name": "made by a script"}).status_code == 201
    assert ada_client.post("/api/v1/datasets", json={"name": "made by hand"}).status_code == 201
    by_script, by_hand = entries()[-2:]
    assert (by_script.token, by_script.object_name, by_script.actor_name) == ("nightly", "made by a script", "ada")
    assert (by_hand.token, by_hand.object_name) == ("", "made by hand")


def test_only_administrators_read_it(ada_client: TestClient) -> None:
    bob = sign_in("bob")
    for path in ("audit", "audit/export", "audit/verify"):
        refusal(bob.get(f"/api/v1/{path}"), 403)
        assert ada_client.get(f"/api/v1/{path}").status_code == 200
    newest = ada_client.get("/api/v1/audit?limit=1").json()["items"][0]
    assert newest["act"] == "audit.exported"


def test_it_is_filtered_and_paged(ada_client: TestClient) -> None:
    for name in ("one", "two", "three"):
        ada_client.post("/api/v1/datasets", json={"name": name})

    def names(**query: str) -> list[str]:
        return [row["object_name"] for row in ada_client.get("/api/v1/audit", params=query).json()["items"]]

    assert names(acts="dataset") == ["three", "two", "one"]
    assert names(acts="dataset.created", q="TW") == ["two"]
    assert names(acts="dataset", who="bob") == []
    assert names(acts="dataset", until="2020-01-01T00:00:00Z") == []
    assert len(names(outcome="done", since="2020-01-01T00:00:00Z")) >= 5
    page = ada_client.get("/api/v1/audit?acts=dataset&limit=2").json()
    assert page["total"] == 3
    assert names(acts="dataset", limit="2", cursor=page["next"]) == ["one"]
    refusal(ada_client.get("/api/v1/audit?acts=nonsense"), 422)
    refusal(ada_client.get("/api/v1/audit?since=2020-01-01T00:00:00"), 422)
    refusal(ada_client.get("/api/v1/audit/export?format=pdf"), 422)


def test_exports_are_complete_and_no_cell_is_a_formula(ada_client: TestClient) -> None:
    ada_client.post("/api/v1/datasets", json={"name": "=cmd|' /C calc'!A0"})
    lines = ada_client.get("/api/v1/audit/export?format=csv").text
    rows = list(csv.DictReader(io.StringIO(lines)))
    assert [row["id"] for row in rows] == [str(number + 1) for number in range(len(rows))]
    made = next(row for row in rows if row["act"] == "dataset.created")
    assert made["object_name"] == "'=cmd|' /C calc'!A0"
    listed = [json.loads(line) for line in ada_client.get("/api/v1/audit/export?acts=dataset").text.splitlines()]
    assert [row["object_name"] for row in listed] == ["=cmd|' /C calc'!A0"]


@pytest.fixture(params=["sqlite", "postgres"])
def on_both(request: pytest.FixtureRequest, home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    if request.param == "postgres":
        monkeypatch.setenv("LOREEL_DATABASE_URL", request.getfixturevalue("postgres_url"))
        forget_caches()
        db.run_migrations()
    yield request.param
    db.engine().dispose()


def test_writers_at_once_make_one_chain(on_both: str) -> None:
    """Each also changes a row of its own and one that all share, in both orders: no deadlock, no gap."""
    forget_clients()
    ada = Actor(1, "ada", "", Role.ADMIN)
    with session_scope() as session:
        session.add_all(Worker(name=name, host="h") for name in ("a", "b"))
    ready = threading.Barrier(6)

    def write(number: int) -> None:
        ready.wait(20)
        for turn in range(8):
            with session_scope() as session:
                record(session, ada, Act.WORKER_DRAINED, "first", f"{number}.{turn}")
                worker = session.get_one(Worker, "a" if number % 2 else "b", with_for_update=True)
                worker.draining = not worker.draining
                session.add(worker)
                session.flush()
                record(session, ada, Act.WORKER_DRAINED, "second", f"{number}.{turn}")
                if turn % 4 == 3:
                    session.rollback()

    began = time.monotonic()
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(write, range(6)))
    written = entries()
    assert [entry.id for entry in written] == list(range(1, 6 * 6 * 2 + 1))
    assert {(first.object_name, first.object_id) for first in written[::2]} == {
        (f"{number}.{turn}", "first") for number in range(6) for turn in range(8) if turn % 4 != 3
    }
    with session_scope() as session:
        assert not verify(session).problem
    assert time.monotonic() - began < 30
