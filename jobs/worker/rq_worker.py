"""The worker: takes letters from one queue and forks a horse for each; survives what RQ's own worker does not."""

import argparse
import contextlib
import os
import secrets
import signal
import socket
import time
from types import FrameType
from typing import Any, Never

import psutil
import redis
import structlog
from rq import Queue, Worker
from rq.exceptions import StopRequested
from rq.executions import Execution
from rq.job import Job
from rq.serializers import JSONSerializer
from sqlalchemy import update
from sqlalchemy.exc import IntegrityError, SQLAlchemyError
from sqlmodel import col

from jobs.playground.keeper import AnswerProcessSupervisor
from jobs.processes.parent_death import adopt_orphans, die_with_declared_parent, die_with_parent
from jobs.processes.process_tree import sweep_children
from jobs.telemetry.device import find_device
from jobs.worker.fork_context import set_fork_context
from jobs.worker.heartbeat import Heartbeat
from jobs.worker.prep_worker import PrepKeeper
from jobs.worker.prewarmed import TrainerPrewarmer
from orchestrator.domain.base import utcnow
from orchestrator.domain.machines import CPU, GPU, PREP
from orchestrator.domain.redis_keys import ALLOWED_TASKS, TASK_TRAIN, queue_name
from orchestrator.domain.workers import Worker as WorkerRecord
from orchestrator.logs import bind_process, configure_logging
from orchestrator.services.db import engine, session_scope
from orchestrator.services.redis import connect
from orchestrator.services.training.dispatch import return_to_queue
from orchestrator.services.training.lifecycle import mark_lost
from orchestrator.settings import get_settings

log = structlog.get_logger()
_KILLED = "The process that watched over the training was killed."
_LOST = (redis.RedisError, OSError)


class LoreelWorker(Worker):
    """RQ's worker with the seven defaults mended that end day-long jobs (see docs/architecture.md)."""

    # RQ waits up to a minute between tries; a job that was launched meanwhile would wait too.
    max_connection_wait_time = 5.0

    def __init__(
        self,
        pool: str,
        beats: Heartbeat,
        spares: TrainerPrewarmer | None,
        prep: PrepKeeper | None,
        playground: AnswerProcessSupervisor | None = None,
        **options: Any,
    ) -> None:
        self._beats, self._spares, self._prep, self._playground = beats, spares, prep, playground
        self.current_job: int | None = None
        # One queue only: with several, RQ takes a letter in a way that loses it when the worker dies right then.
        queue = Queue(queue_name(pool), connection=options["connection"], serializer=JSONSerializer)
        super().__init__([queue], serializer=JSONSerializer, log_job_description=False, **options)

    # --- Redis may be away at any moment; a horse that works must not notice -------------------------------

    def heartbeat(self, timeout: int | None = None, pipeline: Any | None = None) -> None:
        with contextlib.suppress(*_LOST):
            super().heartbeat(timeout, pipeline)

    def maintain_heartbeats(self, job: Job, execution: Execution) -> None:
        with contextlib.suppress(*_LOST):
            super().maintain_heartbeats(job, execution)

    def set_state(self, state: str, pipeline: Any | None = None) -> None:
        self._state = state
        with contextlib.suppress(*_LOST):
            super().set_state(state, pipeline)

    # --- drained: it ends what it does and takes nothing more ---------------------------------------------

    def check_for_suspension(self, burst: bool) -> None:
        """Waits here between two letters while it drains; a stop is still heard."""
        while self._beats.draining and not self._stop_requested:
            time.sleep(0.5)
        if self._stop_requested:
            raise StopRequested
        super().check_for_suspension(burst)

    # --- one letter ----------------------------------------------------------------------------------------

    def execute_job(self, job: Job, queue: Queue) -> None:
        if not is_allowed(job):
            log.error("worker.refused", letter=job.id)
            job.delete()
            return
        ids = dict(job.kwargs)
        training = job.func_name == TASK_TRAIN
        if training and self._beats.refresh_draining():
            self._hand_back(job, ids)
            return
        self.current_job = int(ids["job_id"]) if training else None
        if training and self._playground:
            self._playground.make_room()
        try:
            super().execute_job(job, queue)
        except _LOST as error:
            log.warning("worker.redis_lost", error=str(error))
        finally:
            self.current_job = None
            self._after_horse(ids if training else None)

    def fork_work_horse(self, job: Job, queue: Queue) -> None:
        with self._beats.guard:
            spare = self._spares.take() if self._spares and job.func_name == TASK_TRAIN else None
            set_fork_context(self._beats.name, spare)
            super().fork_work_horse(job, queue)
            set_fork_context(self._beats.name, None)
            if spare is not None:
                spare.let_go()

    def main_work_horse(self, job: Job, queue: Queue) -> Never:
        die_with_parent(self.pid)
        bind_process(**{key.removesuffix("_id"): value for key, value in job.kwargs.items()})
        super().main_work_horse(job, queue)

    def _hand_back(self, job: Job, ids: dict[str, Any]) -> None:
        """The letter came while it drains: the job waits for another worker."""
        with contextlib.suppress(*_LOST):
            job.delete()
        with self._beats.guard:
            with session_scope() as session:
                return_to_queue(session, int(ids["job_id"]), int(ids["attempt"]))
            engine().dispose()

    @property
    def stopping(self) -> bool:
        """True once somebody asked this worker to end."""
        return self._stop_requested

    def _after_horse(self, ids: dict[str, Any] | None) -> None:
        """Ends what a killed horse left behind, and gives its job back if it could not do so itself."""
        keep = [pid for keeper in (self._spares, self._prep, self._playground) if keeper and (pid := keeper.pid)]
        if swept := sweep_children(keep):
            log.warning("worker.swept", pids=swept)
        if self._spares:
            self._spares.done()
        if ids is None:
            return
        try:
            with self._beats.guard:
                with session_scope() as session:
                    mark_lost(session, int(ids["job_id"]), int(ids["attempt"]), _KILLED, worker=self._beats.name)
                engine().dispose()
        except SQLAlchemyError as error:
            log.warning("worker.not_given_back", error=str(error))  # the controller sees the silent lease

    # --- shutting down -------------------------------------------------------------------------------------

    def request_stop(self, signum: int, frame: FrameType | None) -> None:
        """A horse is told and puts its job back in order; an idle worker ends at once."""
        self._stop_requested = True
        if not self.horse_pid:
            raise StopRequested
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.horse_pid, signal.SIGTERM)


def is_allowed(job: Job) -> bool:
    """Only our own entries, without the callbacks that RQ imports by name: who writes to Redis calls no code."""
    try:
        named = job.func_name in ALLOWED_TASKS and job.instance is None
    except Exception:  # anything may lie in Redis; what cannot be read is not ours
        return False
    callbacks = ("_success_callback_name", "_failure_callback_name", "_stopped_callback_name")
    return named and not any(getattr(job, name, None) for name in callbacks)


def work(device_class: str, first: int, gpus: int | None, prep: PrepKeeper | None = None) -> int:
    """Works until told to stop; starts over after Redis was away for long. `gpus`: how many it owns; None: all."""
    device = find_device(device_class if device_class != PREP else CPU, first, gpus)
    if device_class == GPU and not device.gpus:
        log.error("worker.no_gpu", wanted=gpus, hint="No such GPU here, or the installed torch has no CUDA.")
        return 1
    if device_class == "auto":
        device_class = device.shape.kind
    if device.gpus:
        os.environ["CUDA_VISIBLE_DEVICES"] = ",".join(device.gpus)
    pool = device_class if device_class == PREP else device.shape.word
    holder: list[LoreelWorker] = []
    name = _free_name(device_class, first)
    beats = Heartbeat(name, device, device_class, os.getpid(), lambda: holder[-1].current_job if holder else None)
    spares = TrainerPrewarmer(beats.guard) if device_class != PREP else None
    playground = AnswerProcessSupervisor(name) if device_class != PREP else None
    bind_process(worker=name)
    beats.start()
    if spares:
        spares.start()
    if playground:
        playground.start()
    try:
        _work_for_ever(pool, beats, spares, prep, playground, holder)
    finally:
        if playground:
            playground.stop()
        if spares:
            spares.stop()
        beats.stop()
    return 0


def _work_for_ever(
    pool: str,
    beats: Heartbeat,
    spares: TrainerPrewarmer | None,
    prep: PrepKeeper | None,
    playground: AnswerProcessSupervisor | None,
    holder: list[LoreelWorker],
) -> None:
    wait = 0.5
    while True:
        began = time.monotonic()
        try:
            # A name of its own each time: RQ refuses a name whose killed owner has not expired yet.
            own = f"{beats.name}.{os.getpid()}.{secrets.token_hex(3)}"
            made = LoreelWorker(pool, beats, spares, prep, playground, name=own, connection=connect())
            holder.append(made)
            del holder[:-1]
            holder[-1].work(logging_level="WARNING")
        except _LOST as error:
            log.warning("worker.no_redis", error=str(error))
        if holder and holder[-1].stopping:
            return
        wait = 0.5 if time.monotonic() - began > 30 else min(wait * 2, 10.0)
        time.sleep(wait)


def _free_name(device_class: str, index: int) -> str:
    """host-class, or with a number behind when a living worker of this host has that name."""
    stem = get_settings().worker_name or f"{socket.gethostname()}-{device_class}"
    stem = f"{stem}-{device_class}" if device_class == PREP and not stem.endswith(PREP) else stem
    for number in range(index, index + 64):
        name = stem if number == 0 else f"{stem}-{number + 1}"
        if _take_name(name, device_class):
            return name
    return f"{stem}-{os.getpid()}"


def _take_name(name: str, device_class: str) -> bool:
    """Writes our process behind the name; False when a living worker has it, or another was faster by a hair."""
    host, me = socket.gethostname(), os.getpid()
    try:
        with session_scope() as session:
            record = session.get(WorkerRecord, name)
            if record is None:
                session.add(WorkerRecord(name=name, host=host, device_class=device_class, pid=me))
                return True
            if record.host == host and record.pid != me and _is_worker(record.pid):
                return False
            own = (col(WorkerRecord.name) == name, col(WorkerRecord.pid) == record.pid)
            return (
                session.exec(
                    update(WorkerRecord).where(*own).values(pid=me, host=host, started_at=utcnow(), job_id=None)
                ).rowcount
                == 1
            )
    except IntegrityError:
        return False


def _is_worker(pid: int) -> bool:
    with contextlib.suppress(psutil.Error):
        command = " ".join(psutil.Process(pid).cmdline())
        return "jobs.worker" in command
    return False


def _how_many(text: str) -> int | None:
    return None if text == "all" else max(1, int(text))


def main(arguments: list[str] | None = None) -> int:
    """`python -m jobs.worker [--device auto|cpu|gpu|prep] [--index N] [--gpus N|all] [--no-prep]`."""
    parser = argparse.ArgumentParser(prog="jobs.worker", description=__doc__)
    parser.add_argument("--device", choices=["auto", "cpu", "gpu", PREP], default="auto")
    parser.add_argument("--index", type=int, default=0, help="which GPU, from 0; the first of several")
    parser.add_argument(
        "--gpus", type=_how_many, default=1, help="how many GPUs it owns and may give to one job; all: every one"
    )
    parser.add_argument("--no-prep", action="store_true", help="do not start the sibling that reads datasets")
    chosen = parser.parse_args(arguments)
    configure_logging("prep" if chosen.device == PREP else "worker")
    die_with_declared_parent()
    adopt_orphans()
    prep = PrepKeeper() if chosen.device != PREP and not chosen.no_prep else None
    if prep:
        prep.start()
    try:
        return work(chosen.device, chosen.index, chosen.gpus, prep)
    finally:
        if prep:
            prep.stop()
