"""A prewarmed trainer waits while the wizard is being filled in: it is used, replaced, and never left behind."""

import json
from pathlib import Path

import psutil

from orchestrator.domain.redis_keys import PREWARM_CHANNEL, PREWARM_KEY
from orchestrator.domain.training_jobs import FINAL, JobStatus
from orchestrator.domain.users import Actor
from orchestrator.services.db import session_scope
from orchestrator.services.training import prewarm
from orchestrator.services.training.drafts import open_draft
from tests.forked_processes import AnyProcess, ForkedProcess
from tests.studio import RedisProcess, job_of, launch, make_things, start_worker, until

Processes = list[AnyProcess]


def trainers_of(worker: ForkedProcess) -> list[int]:
    children = psutil.Process(worker.pid).children()
    return [child.pid for child in children if "trainer.py" in " ".join(child.cmdline())]


def prewarmed_worker(home: Path, ada: Actor, processes: Processes, **plan: object) -> tuple[ForkedProcess, int]:
    (home / "jobs").mkdir()
    (home / "jobs" / "fake.json").write_text(json.dumps(plan))
    worker = start_worker(processes, home)
    prewarm._last_request = 0.0
    with session_scope() as session:
        open_draft(session, ada)  # the wizard is opened
    [spare] = until(lambda: trainers_of(worker), what="a spare is made")
    return worker, spare


def test_the_spare_is_used_and_replaced(
    home: Path, redis_server: RedisProcess, ada: Actor, processes: Processes
) -> None:
    worker, spare = prewarmed_worker(home, ada, processes, steps=10)
    job_id = launch(ada, make_things(ada))
    until(lambda: job_of(job_id).status in FINAL)
    assert job_of(job_id).status is JobStatus.COMPLETED, job_of(job_id).error
    assert (home / "jobs" / str(job_id) / "a1" / "pid-1").read_text() == str(spare)
    redis_server.client().publish(PREWARM_CHANNEL, "1")
    [following] = until(lambda: [pid for pid in trainers_of(worker) if pid != spare])
    redis_server.client().delete(PREWARM_KEY)
    redis_server.client().publish(PREWARM_CHANNEL, "1")
    until(lambda: not psutil.pid_exists(following), what="no launch is expected: no prewarmed trainer")


def test_a_killed_work_process_takes_its_prewarmed_trainer_with_it(
    home: Path, redis_server: RedisProcess, ada: Actor, processes: Processes
) -> None:
    worker, spare = prewarmed_worker(home, ada, processes, steps=100, pause=0.05)
    job_id = launch(ada, make_things(ada))
    until(lambda: job_of(job_id).step > 2)
    [horse] = [child for child in psutil.Process(worker.pid).children() if "trainer.py" not in str(child.cmdline())]
    horse.kill()
    until(lambda: not psutil.pid_exists(spare))
    until(lambda: job_of(job_id).status in FINAL)
    assert (job_of(job_id).status, job_of(job_id).attempt) == (JobStatus.COMPLETED, 2)


def test_a_killed_worker_takes_the_spare_with_it(
    home: Path, redis_server: RedisProcess, ada: Actor, processes: Processes
) -> None:
    worker, spare = prewarmed_worker(home, ada, processes, steps=1)
    worker.kill()
    until(lambda: not psutil.pid_exists(spare))
