"""Fixtures for tests of the queue: a real Redis, a real SQLite, a person with a dataset and a model, real workers."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import redis
from sqlmodel import SQLModel

from orchestrator.domain.datasets import Clip, Dataset, DatasetStatus
from orchestrator.domain.models import ModelSource, ModelStatus, VideoModel
from orchestrator.domain.recipes import parse_recipe
from orchestrator.domain.tasks import ModelType
from orchestrator.domain.training_jobs import TrainingJob
from orchestrator.domain.users import Actor, Role, User
from orchestrator.services import db, live_events, queue, rate_limits
from orchestrator.services.metrics import history
from orchestrator.services.training import stop_flag
from orchestrator.services.training.launch import launch_job
from orchestrator.settings import get_settings
from orchestrator.stack.redis_server import find_binary, server_command, wait_until_answers
from orchestrator.stack.suites import SHARED
from tests.forked_processes import AnyProcess, ForkedProcess

ROOT = Path(__file__).resolve().parent.parent
_CACHES = (get_settings, db.engine, queue._client, live_events._client, stop_flag._client, history._client)


class RedisProcess:
    """The embedded server, which a test may kill and start again."""

    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        settings = get_settings()
        command = server_command(find_binary(), settings)
        quiet = subprocess.DEVNULL
        self.process = process = subprocess.Popen(command, env=os.environ | {"LC_ALL": "C"}, stdout=quiet, stderr=quiet)
        wait_until_answers(settings.redis_socket, lambda: process.poll() is None)

    def stop(self, number: int = signal.SIGTERM) -> None:
        if self.process is not None:
            self.process.send_signal(number)
            self.process.wait(10)
            self.process = None

    def client(self) -> redis.Redis:
        return redis.Redis(unix_socket_path=str(get_settings().redis_socket))


def forget_caches() -> None:
    """Settings, engine and clients are made again: the environment has changed."""
    for cached in _CACHES:
        cached.cache_clear()
    rate_limits.forget_counts()


@cache
def empty_database(tables: tuple[str, ...]) -> bytes:
    """A SQLite file with these tables, which are all there are; made once, since that takes 30 ms of a core."""
    with tempfile.TemporaryDirectory() as folder:
        engine = db.make_engine(f"sqlite:///{folder}/empty.db")
        SQLModel.metadata.create_all(engine)
        engine.dispose()
        assert SQLModel.metadata.tables.keys() == set(tables)
        return Path(folder, "empty.db").read_bytes()


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty data folder with its tables; short, because a socket's path may have 107 characters."""
    folder = Path(tempfile.mkdtemp(prefix="lrl-", dir="/tmp"))
    for name in [name for name in os.environ if name.startswith("LOREEL_") and name != SHARED]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("LOREEL_DATA_DIR", str(folder))
    monkeypatch.setenv("LOREEL_STOP_GRACE_S", "2")
    forget_caches()
    (folder / "loreel.db").write_bytes(empty_database(tuple(SQLModel.metadata.tables)))
    yield folder
    db.engine().dispose()
    forget_caches()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def redis_server(home: Path) -> Iterator[RedisProcess]:
    """A Redis of this test's own."""
    server = RedisProcess()
    server.start()
    yield server
    server.stop(signal.SIGKILL)


@pytest.fixture
def ada(home: Path) -> Actor:
    """The first person."""
    return make_person("ada")


def make_person(name: str) -> Actor:
    """A person in the ledger."""
    with db.session_scope() as session:
        mail = f"{name}@example.org"
        user = User(username=name, username_key=name, email=mail, email_key=mail, password_hash="-")
        session.add(user)
        session.flush()
        return Actor(user.id or 0, name, mail, Role.MEMBER)


def make_things(actor: Actor, clips: int = 10, model_path: str = "/tmp") -> tuple[int, int]:
    """A ready dataset of two classes, and a ready model: (dataset id, model id)."""
    with db.session_scope() as session:
        names = ["left", "right"]
        dataset = Dataset(owner_id=actor.user_id, name="Motions", status=DatasetStatus.READY, class_names=names)
        model = VideoModel(
            owner_id=None,
            name="Tiny VideoMAE",
            model_type=ModelType.CLASSIFICATION,
            architecture="VideoMAE",
            source=ModelSource.BUILTIN,
            status=ModelStatus.READY,
            path=model_path,
        )
        session.add_all([dataset, model])
        session.flush()
        assert dataset.id
        assert model.id
        for label in names:
            session.add_all(Clip(dataset_id=dataset.id, name=f"{i}.mp4", path="x", label=label) for i in range(clips))
        dataset.clip_count = 2 * clips
        return dataset.id, model.id


def launch(actor: Actor, things: tuple[int, int], key: str = "", **recipe: Any) -> int:
    """Launches a job; its id."""
    with db.session_scope() as session:
        return launch_job(session, actor, *things, parse_recipe(recipe), key).id


def job_of(job_id: int) -> TrainingJob:
    """What the ledger says now."""
    with db.session_scope() as session:
        job = session.get(TrainingJob, job_id)
        assert job is not None
        return job


def until(condition: Callable[[], Any], limit_s: float = 20.0, what: str = "", pause_s: float = 0.05) -> Any:
    """Waits until the condition holds and gives its value.

    Args:
        pause_s: between two checks; a request of REST takes 10 ms of a core.
    """
    deadline = time.monotonic() + limit_s
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < deadline, f"Not within {limit_s} s: {what or condition}"
        time.sleep(pause_s)


def start_process(*command: str, log: Path | None = None) -> subprocess.Popen[bytes]:
    """A process in a session of its own, with the tests' environment."""
    env = os.environ | {"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
    target: Any = log.open("ab") if log else subprocess.DEVNULL
    return subprocess.Popen(
        [sys.executable, *command], env=env, cwd=ROOT, stdout=target, stderr=target, start_new_session=True
    )


@pytest.fixture
def processes(home: Path) -> Iterator[list[AnyProcess]]:
    """Everything put into this list is ended with the test."""
    started: list[AnyProcess] = []
    yield started
    for process in started:
        # Each leads a session of its own, and what it started would outlive it: granian's workers do.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.kill()  # a fork may be about to begin its session
        process.wait(10)


def start_worker(processes: list[AnyProcess], home: Path) -> ForkedProcess:
    """The real worker with the stand-in trainer."""
    worker = ForkedProcess("tests.fakes.worker", ["--device", "cpu", "--no-prep"], log=home / "worker.log")
    processes.append(worker)
    return worker


def start_controller(processes: list[AnyProcess], home: Path) -> ForkedProcess:
    """The real controller."""
    controller = ForkedProcess("jobs.controller.loop", log=home / "controller.log")
    processes.append(controller)
    return controller


def start_prep_worker(processes: list[AnyProcess], home: Path) -> ForkedProcess:
    """The real worker that reads and draws clips."""
    worker = ForkedProcess("jobs.worker.main", ["--device", "prep"], log=home / "prep.log")
    processes.append(worker)
    return worker
