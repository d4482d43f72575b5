"""RQ's worker, made fit for jobs that take days: it survives a restart of Redis and ends what a killed job left."""

import contextlib
import os
import signal
import time
from dataclasses import dataclass
from types import FrameType
from typing import Any, Never

import redis
import structlog
from rq import Queue, Worker
from rq.exceptions import StopRequested
from rq.executions import Execution
from rq.job import Job
from rq.serializers import JSONSerializer

from jobs.playground.process_supervisor import AnswerProcessSupervisor
from jobs.processes.parent_death import die_with_parent
from jobs.processes.process_tree import sweep_children
from jobs.worker.fork_context import set_fork_context
from jobs.worker.heartbeat import Heartbeat
from jobs.worker.prep_worker import PrepWorkerKeeper
from jobs.worker.prewarmed import TrainerPrewarmer
from orchestrator.domain.redis_keys import ALLOWED_TASKS, TASK_TRAIN, queue_name
from orchestrator.logs import bind_process
from orchestrator.services.db import DATABASE_AWAY, forget_inherited_connections, why_away
from orchestrator.services.training.dispatch import return_to_queue
from orchestrator.services.training.lifecycle import mark_lost

log = structlog.get_logger()
_SUPERVISOR_KILLED = "The process that supervised the training was killed."
REDIS_ERRORS = (redis.RedisError, OSError)


@dataclass(frozen=True, slots=True)
class Companions:
    """The threads and processes of a worker that run next to its loop. A prep worker has only the heartbeat."""

    heartbeat: Heartbeat
    prewarmer: TrainerPrewarmer | None = None
    prep_worker: PrepWorkerKeeper | None = None
    playground: AnswerProcessSupervisor | None = None

    @property
    def pids(self) -> list[int]:
        """The processes that these keep."""
        keepers = (self.prewarmer, self.prep_worker, self.playground)
        return [pid for keeper in keepers if keeper and (pid := keeper.pid)]


class LoreelWorker(Worker):
    """Takes messages from one queue and forks a process for each (RQ's "work horse"; here: the job process).

    It differs from RQ's worker where RQ's behaviour loses or ends a long job:
    - a Redis that is away raises in no heartbeat and does not stop a job process;
    - it reconnects within seconds, not after up to a minute;
    - it listens to one queue, since RQ can lose a message that it takes from several;
    - a job process dies with the worker, and what a killed one leaves behind is ended and its job given back;
    - SIGTERM reaches the job process, which puts its job in order; RQ would wait for its end or kill it;
    - a worker that drains takes no new message;
    - only the tasks of `ALLOWED_TASKS` are called, without the callbacks that RQ imports by name.
    """

    max_connection_wait_time = 5.0

    def __init__(self, pool: str, companions: Companions, **options: Any) -> None:
        self._companions = companions
        self.current_job: int | None = None
        """The id of the job that it trains now."""
        queue = Queue(queue_name(pool), connection=options["connection"], serializer=JSONSerializer)
        super().__init__([queue], serializer=JSONSerializer, log_job_description=False, **options)

    # --- Redis may be away at any moment ------------------------------------------------------------------

    def heartbeat(self, timeout: int | None = None, pipeline: Any | None = None) -> None:
        with contextlib.suppress(*REDIS_ERRORS):
            super().heartbeat(timeout, pipeline)

    def maintain_heartbeats(self, job: Job, execution: Execution) -> None:
        with contextlib.suppress(*REDIS_ERRORS):
            super().maintain_heartbeats(job, execution)

    def set_state(self, state: str, pipeline: Any | None = None) -> None:
        self._state = state
        with contextlib.suppress(*REDIS_ERRORS):
            super().set_state(state, pipeline)

    def get_current_executions(self, refresh: bool = False) -> list[Execution]:
        """None where Redis lost what it knew of them: a late heartbeat then leaves a record that RQ cannot read."""
        try:
            return super().get_current_executions(refresh)
        except KeyError:
            return []

    # --- draining -----------------------------------------------------------------------------------------

    def check_for_suspension(self, burst: bool) -> None:
        """Waits here between two messages while the worker drains; a request to stop ends the wait."""
        while self._companions.heartbeat.draining and not self._stop_requested:
            time.sleep(0.5)
        if self._stop_requested:
            raise StopRequested
        super().check_for_suspension(burst)

    # --- one message --------------------------------------------------------------------------------------

    def execute_job(self, job: Job, queue: Queue) -> None:
        if not is_allowed(job):
            log.error("worker.message_refused", message=job.id)
            job.delete()
            return
        ids = dict(job.kwargs)
        is_training = job.func_name == TASK_TRAIN
        if is_training and self._companions.heartbeat.refresh_draining():
            self._return_message(job, ids)
            return
        self.current_job = int(ids["job_id"]) if is_training else None
        if is_training and self._companions.playground:
            self._companions.playground.free_memory()
        try:
            super().execute_job(job, queue)
        except REDIS_ERRORS as error:
            log.warning("worker.redis_lost", error=str(error))
        finally:
            self.current_job = None
            self._clean_up(ids if is_training else None)

    def fork_work_horse(self, job: Job, queue: Queue) -> None:
        prewarmer, heartbeat = self._companions.prewarmer, self._companions.heartbeat
        with heartbeat.guard:
            trainer = prewarmer.take() if prewarmer and job.func_name == TASK_TRAIN else None
            set_fork_context(heartbeat.name, trainer)
            super().fork_work_horse(job, queue)
            set_fork_context(heartbeat.name, None)
            if trainer is not None:
                trainer.close_pipes()

    def main_work_horse(self, job: Job, queue: Queue) -> Never:
        die_with_parent(self.pid)
        forget_inherited_connections()
        bind_process(**{key.removesuffix("_id"): value for key, value in job.kwargs.items()})
        super().main_work_horse(job, queue)

    def _return_message(self, job: Job, ids: dict[str, Any]) -> None:
        """The message came while the worker drains: the job waits for another worker."""
        with contextlib.suppress(*REDIS_ERRORS):
            job.delete()
        # A database that is away: the controller notices that the message is missing.
        with contextlib.suppress(*DATABASE_AWAY), self._companions.heartbeat.session() as session:
            return_to_queue(session, int(ids["job_id"]), int(ids["attempt"]))

    def _clean_up(self, ids: dict[str, Any] | None) -> None:
        """Ends what a killed job process left behind, and gives its job back where it could not do so itself."""
        if killed := sweep_children(self._companions.pids):
            log.warning("worker.orphans_killed", pids=killed)
        if self._companions.prewarmer:
            self._companions.prewarmer.done()
        if ids is None:
            return
        heartbeat = self._companions.heartbeat
        try:
            with heartbeat.session() as session:
                mark_lost(session, int(ids["job_id"]), int(ids["attempt"]), _SUPERVISOR_KILLED, worker=heartbeat.name)
        except DATABASE_AWAY as error:  # the controller notices that its lease expired
            log.warning("worker.job_not_given_back", error=why_away(error))

    # --- shutting down ------------------------------------------------------------------------------------

    @property
    def stopping(self) -> bool:
        """True once this worker was asked to end."""
        return self._stop_requested

    def request_stop(self, signum: int, frame: FrameType | None) -> None:
        """Passes the signal on to the job process, which puts its job in order; an idle worker ends at once."""
        self._stop_requested = True
        if not self.horse_pid:
            raise StopRequested
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.horse_pid, signal.SIGTERM)


def is_allowed(job: Job) -> bool:
    """Whether a message names one of our tasks and no callback: who can write to Redis must not call other code."""
    try:
        named = job.func_name in ALLOWED_TASKS and job.instance is None
    except Exception:  # any client of Redis may write anything; a message that cannot be read is not ours
        return False
    callbacks = ("_success_callback_name", "_failure_callback_name", "_stopped_callback_name")
    return named and not any(getattr(job, name, None) for name in callbacks)
