"""Versions of adapters: one a completed job, each number given once, one in production, files kept or freed."""

import json
import shutil
import threading
from pathlib import Path

import pytest
from sqlmodel import col, select

from orchestrator.domain.adapters import Adapter, AdapterLine, AdapterOperation, OperationKind, ResultKind
from orchestrator.domain.errors import Conflict, DiskFull, Invalid, NotFound
from orchestrator.domain.run_summary import RunSummary
from orchestrator.domain.training_jobs import JobStatus, TrainingJob
from orchestrator.domain.users import Actor
from orchestrator.services.adapters import catalog
from orchestrator.services.adapters.recording import record_adapter, record_missing
from orchestrator.services.db import session_scope
from orchestrator.services.training import lifecycle
from orchestrator.services.training.jobs import delete_job
from orchestrator.states.adapters.detail import version_lines
from orchestrator.states.adapters.rows import adapter_line
from tests.studio import make_person

_SUMMARY = {"task": "classification", "eval_accuracy": 0.9, "baseline": {"eval_accuracy": 0.25}, "eta_s": 3.0}


def finished_job(
    actor: Actor, home: Path, name: str = "motions", folder: str = "adapter", complete: bool = True
) -> int:
    """A job whose trainer wrote its folder; the ledger says running or, through the service, completed."""
    with session_scope() as session:
        job = TrainingJob(
            owner_id=actor.user_id,
            name=name,
            dataset_name="Demo",
            dataset_version=3,
            model_name="Tiny",
            model_revision="ab" * 32,
            recipe={"qlora": {"r": 16}},
            idempotency_key=f"{name}-{folder}-{len(session.exec(select(TrainingJob.id)).all())}",
            status=JobStatus.RUNNING,
            attempt=1,
            summary=RunSummary.from_json(_SUMMARY),
        )
        session.add(job)
        session.flush()
        job_id = job.id or 0
    if folder:
        left = home / "jobs" / str(job_id) / folder
        left.mkdir(parents=True)
        (left / "adapter_model.safetensors").write_bytes(b"w" * 100)
        spec = {"family": "videomae", "architecture": "VideoMAE", "task": "classification"}
        (left.parent / "spec.json").write_text(json.dumps(spec))
    if complete:
        with session_scope() as session:
            assert lifecycle.complete(session, job_id, 1)
    return job_id


def versions_of(actor: Actor, name: str = "motions") -> list[int]:
    with session_scope() as session:
        return [row.version for row in catalog.list_adapters(session, actor, name=name, sort="version").items]


def only(actor: Actor) -> catalog.AdapterRow:
    with session_scope() as session:
        [row] = catalog.list_adapters(session, actor).items
        return row


def test_a_completed_job_makes_the_next_version_with_its_lineage(ada: Actor, home: Path) -> None:
    job_id = finished_job(ada, home)
    row = only(ada)
    assert (row.name, row.version, row.job_id, row.kind) == ("motions", 1, job_id, "adapter")
    assert (row.dataset_name, row.dataset_version, row.model_revision) == ("Demo", 3, "ab" * 32)
    assert (row.family, row.architecture, row.task) == ("videomae", "VideoMAE", "classification")
    assert (row.metric_label, row.value, row.baseline, row.size_bytes) == ("Accuracy", 0.9, 0.25, 100)
    assert "eta_s" not in row.summary.to_json()
    finished_job(ada, home)
    finished_job(ada, home, name="other", folder="model")
    assert versions_of(ada) == [1, 2]
    with session_scope() as session:
        newest = catalog.list_adapters(session, ada, newest=True, sort="name").items
    assert [(row.name, row.version, row.versions, row.kind) for row in newest] == [
        ("motions", 2, 2, "adapter"),
        ("other", 1, 1, "model"),
    ]


def test_versions_of_one_name_may_be_of_other_tasks(ada: Actor, home: Path) -> None:
    finished_job(ada, home)
    finished_job(ada, home)
    with session_scope() as session:
        newest = catalog.list_adapters(session, ada, sort="-version").items[0].id
        session.get_one(Adapter, newest).task = "retrieval"
        session.get_one(Adapter, newest).summary = RunSummary.of_values({"eval_r1": 0.5})
        session.flush()
        line = catalog.list_versions(session, ada, newest)
    assert [one.value.replace("\u202f", "") for one in version_lines(adapter_line(line[1]), line)] == [
        "50.0% R@1",
        "90.0%",
    ]


def test_recording_again_changes_nothing_and_a_job_without_files_makes_none(ada: Actor, home: Path) -> None:
    job_id = finished_job(ada, home)
    finished_job(ada, home, folder="")
    with session_scope() as session:
        assert record_adapter(session, job_id) is not None
        assert record_missing(session) == 0
    assert versions_of(ada) == [1]


def test_jobs_completed_before_there_were_versions_are_caught_up(ada: Actor, home: Path) -> None:
    first, second = finished_job(ada, home), finished_job(ada, home)
    with session_scope() as session:
        for record in session.exec(select(Adapter)).all():
            session.delete(record)
        for line in session.exec(select(AdapterLine)).all():
            session.delete(line)
    with session_scope() as session:
        assert record_missing(session) == 2
        found = session.exec(select(Adapter.source_job, Adapter.version).order_by(col(Adapter.version))).all()
    assert [tuple(row) for row in found] == [(first, 1), (second, 2)]


def test_jobs_that_end_at_once_never_share_a_number(ada: Actor, home: Path) -> None:
    ids = [finished_job(ada, home, complete=False) for _ in range(6)]
    start = threading.Barrier(len(ids))
    failures: list[BaseException] = []

    def end(job_id: int) -> None:
        start.wait()
        try:
            with session_scope() as session:
                assert lifecycle.complete(session, job_id, 1)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=end, args=(job_id,)) for job_id in ids]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert versions_of(ada) == [1, 2, 3, 4, 5, 6]


def test_one_version_a_line_is_in_production(ada: Actor, home: Path) -> None:
    for _ in range(2):
        finished_job(ada, home)
    with session_scope() as session:
        newer, older = catalog.list_adapters(session, ada, sort="-version").items
        assert catalog.promote(session, ada, older.id).production
        assert catalog.promote(session, ada, newer.id).production
        rows = catalog.list_versions(session, ada, older.id)
        assert [(row.version, row.production, row.production_version) for row in rows] == [(2, True, 2), (1, False, 2)]
        assert [row.id for row in catalog.list_adapters(session, ada, status="production").items] == [newer.id]
        assert not catalog.promote(session, ada, newer.id, production=False).production
        assert catalog.list_adapters(session, ada, status="production").total == 0


def test_a_deleted_version_frees_its_disk_and_its_number_never_comes_back(ada: Actor, home: Path) -> None:
    job_id = finished_job(ada, home)
    with session_scope() as session:
        row = catalog.promote(session, ada, only(ada).id)
        assert catalog.adapter_zip(session, ada, row.id).name == "motions-v1.zip"
        assert "in production" in catalog.dependents(session, ada, row.id)[0]
        catalog.delete_adapter(session, ada, row.id)
    assert not (home / "jobs" / str(job_id) / "adapter").exists()
    assert not (home / "adapters" / str(row.id)).exists()
    with session_scope() as session:
        assert record_missing(session) == 0
        assert session.exec(select(AdapterLine.production_version)).one() is None
    finished_job(ada, home)
    assert versions_of(ada) == [2]


def test_a_zip_never_fills_the_disk(ada: Actor, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    finished_job(ada, home)
    nearly = shutil.disk_usage(home)._replace(free=512 * 2**20 + 99)  # the adapter has 100 bytes
    monkeypatch.setattr("shutil.disk_usage", lambda _: nearly)
    with session_scope() as session, pytest.raises(DiskFull, match="Free space"):
        catalog.adapter_zip(session, ada, only(ada).id)
    assert not list((home / "adapters").rglob("*zip*"))


def test_what_is_being_worked_on_is_not_deleted(ada: Actor, home: Path) -> None:
    finished_job(ada, home)
    with session_scope() as session:
        row = only(ada)
        session.add(AdapterOperation(adapter_id=row.id, kind=OperationKind.PUSH))
        session.flush()
        with pytest.raises(Conflict, match="is being pushed"):
            catalog.delete_adapter(session, ada, row.id)


def test_a_version_outlives_its_job(ada: Actor, home: Path) -> None:
    job_id = finished_job(ada, home)
    with session_scope() as session:
        delete_job(session, ada, job_id)
    row = only(ada)
    assert row.job_id is None
    assert not (home / "jobs" / str(job_id)).exists()
    with session_scope() as session:
        assert [file.name for file in catalog.adapter_files(session, ada, row.id)] == ["adapter_model.safetensors"]
        assert catalog.adapter_zip(session, ada, row.id).is_file()
        catalog.delete_adapter(session, ada, row.id)
    assert not (home / "adapters" / str(row.id)).exists()


def test_strangers_and_wrong_questions(ada: Actor, home: Path) -> None:
    finished_job(ada, home)
    bob, row = make_person("bob"), only(ada)
    with session_scope() as session:
        assert catalog.list_adapters(session, bob).items == []
        for ask in (
            catalog.get_adapter,
            catalog.list_versions,
            catalog.promote,
            catalog.adapter_zip,
            catalog.delete_adapter,
        ):
            with pytest.raises(NotFound):
                ask(session, bob, row.id)
        with pytest.raises(Invalid):
            catalog.list_adapters(session, ada, task="juggling")
        assert catalog.list_adapters(session, ada, q="DEMO").total == 1
        assert catalog.list_adapters(session, ada, q="nothing").total == 0
    assert ResultKind(row.kind) is ResultKind.ADAPTER


def test_missing_files_are_reported(ada: Actor, home: Path) -> None:
    job_id = finished_job(ada, home)
    (home / "jobs" / str(job_id) / "adapter" / "adapter_model.safetensors").unlink()
    (home / "jobs" / str(job_id) / "adapter").rmdir()
    with session_scope() as session, pytest.raises(Conflict, match="are no longer on the disk"):
        catalog.adapter_zip(session, ada, only(ada).id)
