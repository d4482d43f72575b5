"""A worker cut off in mid-training, its job folder still in reach: what of its late work the next attempt uses."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import psutil
from sqlalchemy.engine import make_url
from sqlmodel import select

from benchmarks.ledger import ledger
from benchmarks.link import Link, link
from benchmarks.postgres import PostgresProcess, postgres_programs
from benchmarks.target import Target, Unavailable
from jobs.datasets.demo import run_demo
from orchestrator.domain.attempts import Checkpoint, EndedAttempt
from orchestrator.domain.job_files import CHECKPOINT_PREFIX, CLIPS, LOG, METRICS, SPEC
from orchestrator.domain.models import VideoModel
from orchestrator.domain.recipes import parse_recipe
from orchestrator.domain.training_jobs import TrainingJob
from orchestrator.domain.users import Actor
from orchestrator.domain.workers import Worker
from orchestrator.services.attempts.folders import attempt_folder
from orchestrator.services.datasets.demo import create_demo
from orchestrator.services.db import session_scope
from orchestrator.services.models.builtin import ensure_builtin
from orchestrator.services.training import lifecycle
from orchestrator.services.training.launch import launch_job
from orchestrator.settings import ROOT, get_settings

TARGETS: dict[str, Target] = {"files_used": {"max": 0.0}, "old_ends_s": {"max": 90.0}}
TIMES = int(os.environ.get("LOREEL_BENCH_TIMES", "10"))
WORKER = ("-m", "jobs.worker")
RECIPE: dict[str, Any] = {"optim": {"batch_size": 16, "epochs": 1_000}, "qlora": {"r": 4, "alpha": 8}}
_PATIENCE_S = 240.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one cut led to."""

    files_used: list[str]
    """Files that the old attempt wrote after it had lost its job and that the new one used, or deleted for it."""
    late_checkpoints: int
    """Checkpoints that the old attempt wrote after it had lost its job."""
    taken_over_s: float
    """Seconds from the cut to the first checkpoint of the new attempt that counts."""
    old_ends_s: float
    """Seconds from the cut until the old trainer had ended by itself."""


def run() -> dict[str, float]:
    """LOREEL_BENCH_TIMES cuts, one after another, with the default limit of 60 s without both stores."""
    if (programs := postgres_programs()) is None:
        raise Unavailable("PostgreSQL's programs are absent: install the package `postgresql`.")
    server = PostgresProcess(programs)
    server.start()
    try:
        with ledger(server.url) as actor, _process("-m", "jobs.controller"):
            run_demo()
            things = _things(actor)
            outcomes = [cut_once(number, actor, things) for number in range(TIMES)]
    finally:
        server.delete()
    return {
        "files_used": float(sum(len(outcome.files_used) for outcome in outcomes)),
        "old_ends_s": round(max(outcome.old_ends_s for outcome in outcomes), 1),
        "taken_over_s": round(max(outcome.taken_over_s for outcome in outcomes), 1),
        "late_checkpoints": float(sum(outcome.late_checkpoints for outcome in outcomes)),
        "cuts": float(len(outcomes)),
    }


def cut_once(
    number: int, actor: Actor, things: tuple[int, int], worker: Sequence[str] = WORKER, **settings: str
) -> Outcome:
    """Cuts one worker off while it trains, lets another one take the job over, and looks at both attempts.

    Args:
        number: of the cut, 0 to 60.
        worker: the worker's command.
        settings: of both workers, by the name of their variable.
    """
    with session_scope() as session:
        job_id = launch_job(session, actor, *things, parse_recipe(RECIPE | {"output_name": f"cut-{number}"})).id
    with contextlib.ExitStack() as undo:
        way = undo.enter_context(link(f"lrl{os.getpid() % 100_000}n{number}", number))
        names = [settings | {"LOREEL_WORKER_NAME": name} for name in ("old", "new")]
        old = undo.enter_context(_process(*worker, *_OPTIONS, way=way, variables=names[0]))
        _until(lambda: len(_steps(job_id, 1)) >= 1, "a checkpoint of the first attempt counts", job_id)
        new = undo.enter_context(_process(*worker, *_OPTIONS, variables=names[1]))
        _until(lambda: new.pid in _workers(), "the second worker is ready", job_id)
        trainers = [p for p in psutil.Process(old.pid).children(recursive=True) if _is_trainer(p)]
        way.cut()
        began = time.monotonic()
        taken_over = ended = 0.0
        while not (taken_over and ended):
            if not ended and not any(_lives(trainer) for trainer in trainers):
                ended = time.monotonic() - began
            if not taken_over and _steps(job_id, 2):
                taken_over = time.monotonic() - began
            _check_patience(began, "both: taken over, and the old one has ended", job_id)
            time.sleep(0.1)
        way.restore()
        time.sleep(3.0)  # what the old worker still had to send arrives
        outcome = Outcome(_files_used(job_id), len(_late_checkpoints(job_id)), taken_over, ended)
        with session_scope() as session:
            lifecycle.mark_stopped(session, job_id, 2, "Measured.")
    print(f"Cut {number}: {outcome}", file=sys.stderr)
    return outcome


_OPTIONS = ("--device", "cpu", "--no-prep")


def _files_used(job_id: int) -> list[str]:
    """What the second attempt has of files that the first one wrote after its end."""
    old, new, end = attempt_folder(job_id, 1), attempt_folder(job_id, 2), _end_of_first(job_id)
    # The list of clips is not the first attempt's work: the worker links one file of all runs into each attempt.
    late = {
        path
        for path in old.rglob("*")
        if path.is_file() and path.name != CLIPS and path.stat().st_mtime > end.timestamp()
    }
    inodes = {path.stat().st_ino for path in late}
    found = [str(path) for path in new.rglob("*") if path.is_file() and path.stat().st_ino in inodes]
    offered = json.loads((new / SPEC).read_text())["checkpoints"]
    found += [path for path in offered if any(file.is_relative_to(path) for file in late)]
    with session_scope() as session:
        rows = session.exec(select(Checkpoint).where(Checkpoint.job_id == job_id, Checkpoint.attempt == 1)).all()
        found += [row.path for row in rows if row.saved_at > end]
    for name in (METRICS, LOG):
        own = (old / name).read_bytes().splitlines()
        after = {line for line in own if _time_of(line) > end}
        found += [f"{name}: {line!r}" for line in (new / name).read_bytes().splitlines() if line in after]
    if not any(Path(path).exists() for path in offered) and len(_steps(job_id, 2)) < 2:
        found.append("the old attempt deleted what the new one resumes from")
    return found


def _late_checkpoints(job_id: int) -> list[Path]:
    end = _end_of_first(job_id).timestamp()
    found = attempt_folder(job_id, 1).glob(f"checkpoints/{CHECKPOINT_PREFIX}*/whole.json")
    return [path for path in found if path.stat().st_mtime > end]


def _time_of(line: bytes) -> datetime:
    return datetime.fromisoformat(json.loads(line)["t"])


def _end_of_first(job_id: int) -> datetime:
    with session_scope() as session:
        return session.get_one(EndedAttempt, (job_id, 1)).ended_at


def _steps(job_id: int, attempt: int) -> list[int]:
    """The steps of the attempt's checkpoints that count."""
    own = select(Checkpoint.step).where(Checkpoint.job_id == job_id, Checkpoint.attempt == attempt)
    with session_scope() as session:
        return list(session.exec(own))


def _workers() -> list[int]:
    with session_scope() as session:
        return list(session.exec(select(Worker.pid)))


def _is_trainer(process: psutil.Process) -> bool:
    with contextlib.suppress(psutil.Error):
        return any("trainer" in part for part in process.cmdline())
    return False


def _lives(process: psutil.Process) -> bool:
    with contextlib.suppress(psutil.Error):
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    return False


def _until(condition: Any, what: str, job_id: int) -> None:
    began = time.monotonic()
    while not condition():
        _check_patience(began, what, job_id)
        time.sleep(0.2)


def _check_patience(began: float, what: str, job_id: int) -> None:
    if time.monotonic() - began > _PATIENCE_S:
        with session_scope() as session:
            job = session.get_one(TrainingJob, job_id)
            raise RuntimeError(f"Waited in vain until {what}: the job is {job.status}, attempt {job.attempt}.")


@contextmanager
def _process(
    *command: str, way: Link | None = None, variables: dict[str, str] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """A process of the studio, behind a link if one is given; it and all that it started are ended."""
    env = os.environ | {"PYTHONPATH": str(ROOT)} | (variables or {})
    if way is not None:
        database = make_url(get_settings().resolved_database_url)
        port = way.forward((database.host or "127.0.0.1", database.port or 5432))
        behind = database.set(host=way.host, port=port).render_as_string(hide_password=False)
        redis_port = way.forward(get_settings().redis_socket)
        env |= {"LOREEL_DATABASE_URL": behind, "LOREEL_REDIS_URL": f"redis://{way.host}:{redis_port}/0"}
    log = (get_settings().data_dir / "processes.log").open("ab")
    prefix = way.command if way else ()
    with log:
        process = subprocess.Popen(
            [*prefix, sys.executable, *command], cwd=ROOT, env=env, stdout=log, stderr=log, start_new_session=True
        )
    try:
        yield process
    finally:
        tree = [process.pid]
        with contextlib.suppress(psutil.Error):
            tree += [child.pid for child in psutil.Process(process.pid).children(recursive=True)]
        for pid in tree:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        process.wait(10)


def _things(actor: Actor) -> tuple[int, int]:
    """The demo dataset and the smallest base."""
    with session_scope() as session:
        dataset_id = create_demo(session, actor.user_id)
        ensure_builtin(session)
        found = session.exec(select(VideoModel.id).where(VideoModel.source_ref == "videomae-tiny")).one()
        return dataset_id, found or 0
