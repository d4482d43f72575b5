"""The file that a trainer is started with holds no password, and only its owner can read it."""

import stat
from pathlib import Path

import pytest

from jobs.runs.spec import TrainSpec
from jobs.runs.spec_writer import write_spec
from jobs.runs.trainer_process import _environment
from orchestrator.domain.processes import RUN_REDIS_URL
from orchestrator.domain.users import Actor
from orchestrator.services.attempts.ended import start_attempt
from orchestrator.services.attempts.folders import job_folder
from orchestrator.services.db import session_scope
from orchestrator.services.training import lifecycle
from orchestrator.settings import get_settings
from tests.fakes.checkpoints import save_checkpoint
from tests.studio import RedisProcess, launch, make_things

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
