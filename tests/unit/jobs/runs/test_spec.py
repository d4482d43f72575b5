"""The file that a trainer is started with holds no password, and only its owner can read it."""

import json
import stat
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from jobs.runs import trainer_process
from jobs.runs.attempt import run_attempt
from jobs.runs.library_versions import installed_versions, newer_libraries
from jobs.runs.spec import TrainSpec
from jobs.runs.spec_writer import write_spec
from jobs.runs.trainer_process import _environment
from jobs.trainer.checkpoints import commit_checkpoint, is_complete
from orchestrator.domain.failures import FailureKind
from orchestrator.domain.processes import RUN_REDIS_URL
from orchestrator.domain.training_jobs import JobStatus
from orchestrator.domain.users import Actor
from orchestrator.services.attempts.checkpoints import checkpoints_to_resume_from
from orchestrator.services.attempts.ended import start_attempt
from orchestrator.services.attempts.folders import attempt_folder, job_folder
from orchestrator.services.db import session_scope
from orchestrator.services.training import lifecycle
from orchestrator.settings import get_settings
from tests.fakes.checkpoints import save_checkpoint
from tests.studio import RedisProcess, job_of, launch, make_things

REDIS_URL = "redis://:a-redis-password@10.0.0.1:6379/0"


def start(job_id: int, attempt: int) -> tuple[Path, TrainSpec]:
    with session_scope() as session:
        assert lifecycle.claim(session, job_id, attempt, "w")
        folder = start_attempt(session, job_id, attempt)
    path, _ = write_spec(job_id, attempt, folder, get_settings())
    return path, TrainSpec.load(path)


def test_no_file_of_a_job_holds_the_password_of_redis(
    redis_server: RedisProcess, ada: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    job_id = launch(ada, make_things(ada))
    monkeypatch.setenv("LOREEL_REDIS_URL", REDIS_URL)
    monkeypatch.setenv("LOREEL_DATABASE_URL", f"sqlite:///{get_settings().data_dir}/loreel.db")
    get_settings.cache_clear()
    path, _ = start(job_id, 1)
    for file in job_folder(job_id).rglob("*"):
        assert file.is_dir() or b"a-redis-password" not in file.read_bytes(), file
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_a_trainer_inherits_the_address_of_redis_and_no_other_key(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LOREEL_DATABASE_URL", "LOREEL_SECRET_KEY", "LOREEL_SMTP_PASSWORD"):
        monkeypatch.setenv(name, "sqlite:////tmp/secret.db")
    monkeypatch.setenv("LOREEL_REDIS_URL", REDIS_URL)
    get_settings.cache_clear()
    variables = _environment()
    assert variables[RUN_REDIS_URL] == REDIS_URL
    assert not {name for name, value in variables.items() if "secret.db" in value}


def test_a_spec_names_the_checkpoints_that_count(redis_server: RedisProcess, ada: Actor) -> None:
    job_id = launch(ada, make_things(ada))
    start(job_id, 1)
    counts = save_checkpoint(job_id, 1, 12)
    with session_scope() as session:
        lifecycle.mark_lost(session, job_id, 1, "Silent.")
    save_checkpoint(job_id, 1, 24)
    _, spec = start(job_id, 2)
    assert (spec.checkpoints, spec.prunes, spec.attempt) == ([str(counts)], False, 2)


def test_attempts_share_the_manifest_of_their_clips(redis_server: RedisProcess, ada: Actor) -> None:
    job_id = launch(ada, make_things(ada))
    path, first = start(job_id, 1)
    with session_scope() as session:
        lifecycle.mark_lost(session, job_id, 1, "Silent.")
    other, second = start(job_id, 2)
    assert list(first.clips) == list(second.clips)
    assert len(first.clips) > 0
    assert json.loads(path.read_text())["clips"] == []
    links = [file.with_name("clips.jsonl") for file in (path, other)]
    (shared,) = get_settings().manifests_dir.iterdir()
    assert shared.name == f"{first.manifest_hash}.jsonl"
    assert all(link.samefile(shared) for link in links)
    assert stat.S_IMODE(shared.stat().st_mode) == 0o600


def resumed(ada: Actor, versions: dict[str, str] | None) -> tuple[int, Path, str]:
    """A job whose checkpoint names these versions, resumed: its id, the checkpoint, and how the attempt ended."""
    job_id = launch(ada, make_things(ada))
    start(job_id, 1)
    checkpoint = save_checkpoint(job_id, 1, 12)
    if versions is not None:
        (checkpoint / "versions.json").write_text(json.dumps(versions))
    with session_scope() as session:
        assert lifecycle.mark_lost(session, job_id, 1, "Silent.") is JobStatus.QUEUED
    return job_id, checkpoint, run_attempt(job_id, 2, "w")


@pytest.fixture
def no_trainer(monkeypatch: pytest.MonkeyPatch) -> None:
    """A trainer that ends at once: its job fails, having started."""
    monkeypatch.setattr(trainer_process, "TRAINER_COMMAND", (sys.executable, "-c", "raise SystemExit(3)"))
    monkeypatch.setattr("signal.signal", lambda *_: None)


@pytest.mark.parametrize("library", ["torch", "transformers", "peft"])
def test_a_checkpoint_of_newer_libraries_is_not_opened(
    redis_server: RedisProcess, ada: Actor, no_trainer: None, library: str
) -> None:
    job_id, checkpoint, ended = resumed(ada, installed_versions() | {library: "99.1.0+cu130"})
    before = {path: path.read_bytes() for path in checkpoint.iterdir()}
    assert ended == "failed"
    job = job_of(job_id)
    assert job.failure is FailureKind.OLDER_LIBRARIES
    assert f"written by {library} 99.1.0+cu130 (here: {version(library)})." in job.error
    assert "The job does not go on by itself: bring the worker w to these versions" in job.error
    assert job.status is JobStatus.FAILED
    assert {path: path.read_bytes() for path in checkpoint.iterdir()} == before
    assert not (attempt_folder(job_id, 2) / "spec.json").exists(), "no trainer was started"
    with session_scope() as session:  # a worker that has them resumes from it
        assert lifecycle.resume_job(session, ada, job_id).status == "queued"
        assert checkpoints_to_resume_from(session, job_id) == [checkpoint]


@pytest.mark.parametrize("versions", [None, {}, {"torch": "1.0.0"}, {"torch": version("torch"), "unknown": "9.0"}])
def test_a_checkpoint_of_the_same_or_older_libraries_is_resumed(
    redis_server: RedisProcess, ada: Actor, no_trainer: None, versions: dict[str, str] | None
) -> None:
    job_id, checkpoint, _ = resumed(ada, versions)
    assert TrainSpec.load(attempt_folder(job_id, 2) / "spec.json").checkpoints == [str(checkpoint)]
    assert job_of(job_id).failure is not FailureKind.OLDER_LIBRARIES


def test_a_checkpoint_names_the_libraries_that_wrote_it(tmp_path: Path) -> None:
    part = tmp_path / ".part"
    part.mkdir()
    (part / "weights").write_text("w")
    commit_checkpoint(part, tmp_path / "checkpoint-4")
    assert json.loads((tmp_path / "checkpoint-4" / "versions.json").read_text()) == installed_versions()
    assert installed_versions()["torch"] == version("torch")
    assert is_complete(tmp_path / "checkpoint-4")
    assert newer_libraries([tmp_path / "checkpoint-4"]) == []
