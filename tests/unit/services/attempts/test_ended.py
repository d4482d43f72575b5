"""What an attempt wrote until its end is read, shown and carried over; what it writes afterwards is not."""

import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from orchestrator.domain.attempts import EndedAttempt
from orchestrator.domain.errors import Conflict
from orchestrator.domain.training_jobs import JobStatus
from orchestrator.domain.users import Actor
from orchestrator.services.attempts.ended import read_records
from orchestrator.services.attempts.folders import attempt_folder, job_folder
from orchestrator.services.db import session_scope
from orchestrator.services.metrics.logs import as_text, tail
from orchestrator.services.metrics.telemetry import telemetry
from orchestrator.services.training import lifecycle
from orchestrator.services.training.artifacts import adapter_zip, list_artifacts
from tests.unit.services.attempts.test_checkpoints import claim, lose, new_job

LINE = '{"t": "2026-01-01T00:00:00+00:00", "level": "info", "message": "%s"}\n'
SAMPLE = '{"n": %d, "t": "2026-01-01T00:00:00+00:00", "s": %d, "values": {"cpu": 0.5}}\n'


def append(folder: Path, name: str, text: str) -> None:
    with (folder / name).open("a") as file:
        file.write(text)


def logged(actor: Actor, job_id: int) -> list[str]:
    with session_scope() as session:
        pages = [
            tail(session, actor, job_id),
            tail(session, actor, job_id, after=0),
            tail(session, actor, job_id, q="o"),
        ]
        found = [[row.message for row in page.lines] for page in pages]
        assert found[0] == found[1] == found[2]
        assert len(list(as_text(session, actor, job_id))) == len(found[0])
    return found[0]


def test_what_an_attempt_writes_after_its_end_is_neither_shown_nor_carried_over(ada: Actor) -> None:
    job_id = new_job(ada, JobStatus.QUEUED, attempt=0)
    first = claim(job_id, 1)
    append(first, "log.jsonl", LINE % "one")
    append(first, "telemetry.jsonl", SAMPLE % (1, 2))
    append(first, "metrics.jsonl", '{"seq": 1}\n')
    append(first, "baseline.json", "{}")
    append(first, "easing.json", "{}")
    lose(job_id, 1)
    append(first, "log.jsonl", LINE % "a fenced one")
    append(first, "telemetry.jsonl", SAMPLE % (2, 4))
    append(first, "metrics.jsonl", '{"seq": 2}\n')
    append(first, "easing.json", " ")
    assert logged(ada, job_id) == ["one"]
    second = claim(job_id, 2)
    append(first, "log.jsonl", LINE % "another fenced one")
    append(second, "log.jsonl", LINE % "two")
    assert logged(ada, job_id) == ["one", "two"]
    assert (second / "metrics.jsonl").read_text() == '{"seq": 1}\n'
    assert {path.name for path in second.iterdir()} == {
        "log.jsonl", "metrics.jsonl", "telemetry.jsonl", "baseline.json",
    }  # fmt: skip
    with session_scope() as session:
        assert telemetry(session, ada, job_id).last == 1


def test_a_result_that_a_fenced_attempt_exports_is_not_offered(ada: Actor) -> None:
    job_id = new_job(ada, JobStatus.QUEUED, attempt=0)
    first = claim(job_id, 1)
    lose(job_id, 1)
    (first / "adapter").mkdir()
    (first / "adapter" / "adapter_model.safetensors").write_text("late")
    with session_scope() as session:
        assert list_artifacts(session, ada, job_id) == []
    claim(job_id, 2)
    with session_scope() as session:
        assert lifecycle.mark_running(session, job_id, 2, 10)
        assert lifecycle.complete(session, job_id, 2)
        assert list_artifacts(session, ada, job_id) == []


def test_a_result_that_a_fenced_attempt_replaces_is_not_offered(ada: Actor) -> None:
    """The attempt had carried over an earlier one, from which the late one cannot be told by its name."""
    job_id = new_job(ada, JobStatus.QUEUED, attempt=0)
    folder = claim(job_id, 1)
    (folder / "adapter").mkdir()
    (folder / "result.json").write_text("{}")
    lose(job_id, 1)
    with session_scope() as session:
        assert [row.name for row in list_artifacts(session, ada, job_id)] == ["result.json"]
    (folder / "adapter" / "adapter_model.safetensors").write_text("late")
    (folder / "result.json").write_text("[]")
    with session_scope() as session:
        assert list_artifacts(session, ada, job_id) == []
        with pytest.raises(Conflict):
            adapter_zip(session, ada, job_id)
    assert not (claim(job_id, 2) / "adapter").exists()


def test_a_result_that_is_replaced_while_it_is_carried_over_is_left_out(
    ada: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    job_id = new_job(ada, JobStatus.QUEUED, attempt=0)
    first = claim(job_id, 1)
    (first / "adapter").mkdir()
    lose(job_id, 1)
    copytree = shutil.copytree

    def copy_and_replace(*args: Any, **named: Any) -> None:
        copytree(*args, **named)
        (first / "adapter" / "adapter_model.safetensors").write_text("late")

    monkeypatch.setattr(shutil, "copytree", copy_and_replace)
    assert not (claim(job_id, 2) / "adapter").exists()


def test_a_completed_jobs_files_are_offered_whatever_their_times(ada: Actor) -> None:
    """A backup that was restored without the files' times."""
    job_id = new_job(ada, JobStatus.RUNNING)
    folder = attempt_folder(job_id, 1)
    (folder / "adapter").mkdir(parents=True)
    (folder / "adapter" / "README.md").write_text("card")
    with session_scope() as session:
        assert lifecycle.complete(session, job_id, 1)
    os.utime(folder / "adapter", (1, 1))
    with session_scope() as session:
        assert [row.name for row in list_artifacts(session, ada, job_id)] == ["adapter/README.md"]


def test_the_result_of_a_stopped_run_is_offered_after_a_restored_backup(ada: Actor) -> None:
    """Its files have other times then; what they hold tells them from what a cut-off run would write."""
    job_id = new_job(ada, JobStatus.QUEUED, attempt=0)
    folder = claim(job_id, 1)
    adapter = folder / "adapter"
    adapter.mkdir()
    (adapter / "adapter_model.safetensors").write_bytes(bytes(2**18))
    (folder / "tensorboard").mkdir()
    append(folder / "tensorboard", "events", "10 steps")
    append(folder, "baseline.json", "{}")
    with session_scope() as session:
        assert lifecycle.mark_stopped(session, job_id, 1, "Stopped.")
    for path in [*folder.rglob("*"), folder]:
        os.utime(path, (1, 1))
    with session_scope() as session:
        found = [row.name for row in list_artifacts(session, ada, job_id)]
        assert found == ["adapter/adapter_model.safetensors", "tensorboard/events"]
        assert adapter_zip(session, ada, job_id).is_file()
    append(folder / "tensorboard", "events", ", and 2 of a run that was cut off")
    (adapter / "adapter_model.safetensors").write_bytes(bytes(2**18 - 1) + b"1")
    os.utime(adapter, (1, 1))
    with session_scope() as session:
        assert list_artifacts(session, ada, job_id) == []
        assert lifecycle.requeue(session, job_id, 1, "Again.")
    second = claim(job_id, 2)
    assert (second / "baseline.json").is_file()
    assert not (second / "adapter").exists()


def test_a_note_of_a_former_version_counts_by_size_and_time(ada: Actor) -> None:
    job_id = new_job(ada, JobStatus.QUEUED, attempt=0)
    folder = claim(job_id, 1)
    append(folder, "result.json", "{}")
    lose(job_id, 1)
    with session_scope() as session:
        ended = session.get(EndedAttempt, (job_id, 1))
        assert ended is not None
        assert ended.files is not None
        ended.files = {name: facts[:2] for name, facts in ended.files.items()}
        session.add(ended)
    with session_scope() as session:
        assert [row.name for row in list_artifacts(session, ada, job_id)] == ["result.json"]
    os.utime(folder / "result.json", (1, 1))
    with session_scope() as session:
        assert list_artifacts(session, ada, job_id) == []


def test_the_result_of_a_stopped_run_can_be_downloaded_while_it_goes_on(ada: Actor) -> None:
    job_id = new_job(ada, JobStatus.QUEUED, attempt=0)
    first = claim(job_id, 1)
    (first / "adapter").mkdir()
    (first / "adapter" / "adapter_model.safetensors").write_text("of step 10")
    with session_scope() as session:
        lifecycle.mark_stopped(session, job_id, 1, "Stopped.")
        lifecycle.requeue(session, job_id, 1, "Again.")
    second = claim(job_id, 2)
    with session_scope() as session:
        assert [row.name for row in list_artifacts(session, ada, job_id)] == ["adapter/adapter_model.safetensors"]
        assert read_records(session, job_id, 2).folder == second
    (second / "adapter" / "adapter_model.safetensors").unlink()
    assert (first / "adapter" / "adapter_model.safetensors").read_text() == "of step 10"


def test_a_former_folder_is_carried_over(ada: Actor) -> None:
    job_id = new_job(ada, JobStatus.QUEUED)
    job_folder(job_id).mkdir(parents=True)
    append(job_folder(job_id), "log.jsonl", LINE % "once")
    assert logged(ada, job_id) == ["once"]
    append(claim(job_id, 2), "log.jsonl", LINE % "now too")
    assert logged(ada, job_id) == ["once", "now too"]
    assert attempt_folder(job_id, 2).is_dir()


def test_the_end_of_an_attempt_whose_folder_is_on_another_host_limits_nothing(ada: Actor) -> None:
    job_id = new_job(ada)
    lose(job_id, 1)
    with session_scope() as session:
        assert read_records(session, job_id, 1).limit("log.jsonl") is None
