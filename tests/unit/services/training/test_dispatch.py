"""Whose turn it is: priority first, then fairly between people; limits, pause, drained workers; the place in words."""

import pytest

from orchestrator.domain.base import utcnow
from orchestrator.domain.errors import Conflict, Invalid, NotAllowed
from orchestrator.domain.training_jobs import JobStatus, TrainingJob
from orchestrator.domain.users import Actor, Role
from orchestrator.services.db import session_scope
from orchestrator.services.queue import waiting_keys
from orchestrator.services.training import lifecycle
from orchestrator.services.training.dispatch import dispatch, return_to_queue
from orchestrator.services.training.queue_control import drain_worker, queue_row, set_priority, steer_queue
from orchestrator.services.training.queue_position import find_position
from orchestrator.services.workers import beat
from tests.studio import RedisProcess, job_of, launch, make_person, make_things


def admin() -> Actor:
    return Actor(999, "root", "root@example.org", Role.ADMIN)


def say_hello(name: str = "w", job_id: int | None = None) -> bool:
    with session_scope() as session:
        return beat(
            session,
            name,
            host="h",
            device="cpu",
            device_class="cpu",
            pid=1,
            job_id=job_id,
            stats={},
            started_at=utcnow(),
        )


def finish(job_id: int) -> None:
    with session_scope() as session:
        assert lifecycle.claim(session, job_id, 1, "w")
        assert lifecycle.mark_running(session, job_id, 1, 1)
    with session_scope() as session:
        assert lifecycle.complete(session, job_id, 1)


def sent(*job_ids: int) -> list[int]:
    return [job_id for job_id in job_ids if job_of(job_id).sent_at and job_of(job_id).status is JobStatus.QUEUED]


def test_one_message_per_free_worker_and_turns_between_people(redis_server: RedisProcess, ada: Actor) -> None:
    eve = make_person("eve")
    say_hello()
    things, hers = make_things(ada), make_things(eve)
    ada_jobs = [launch(ada, things) for _ in range(3)]
    eve_job = launch(eve, hers)
    assert waiting_keys("cpu") == {f"{ada_jobs[0]}-a1"}
    finish(ada_jobs[0])
    assert sent(*ada_jobs, eve_job) == [eve_job], "Ada had the last turn"
    finish(eve_job)
    assert sent(*ada_jobs) == [ada_jobs[1]]


def test_a_higher_priority_goes_first_and_only_administrators_give_it(redis_server: RedisProcess, ada: Actor) -> None:
    say_hello()
    things = make_things(ada)
    first, second, third = (launch(ada, things) for _ in range(3))
    with session_scope() as session:
        with pytest.raises(NotAllowed):
            set_priority(session, ada, third, "high")
        with pytest.raises(Invalid):
            set_priority(session, ada, third, "now")
        assert set_priority(session, ada, second, "low").priority == "low"
    finish(first)
    assert sent(second, third) == [third]
    finish(third)
    with session_scope() as session, pytest.raises(Conflict):
        set_priority(session, ada, third, "low")


def test_a_person_holds_no_more_than_allowed(redis_server: RedisProcess, ada: Actor) -> None:
    say_hello("w")
    say_hello("w-2")
    with session_scope() as session:
        with pytest.raises(NotAllowed):
            steer_queue(session, ada, per_user=1)
        steer_queue(session, admin(), per_user=1)
    things = make_things(ada)
    first, second = launch(ada, things), launch(ada, things)
    assert sent(first, second) == [first]
    with session_scope() as session:
        place = find_position(session, ada, second)
        assert place is not None
        assert (place.position, place.waiting) == (2, 2)
        assert "at most one of your jobs" in place.blocked_by
        steer_queue(session, admin(), unlimited=True)
    assert sent(first, second) == [first, second]


def test_a_paused_queue_withdraws_its_messages(redis_server: RedisProcess, ada: Actor) -> None:
    say_hello()
    job_id = launch(ada, make_things(ada))
    with session_scope() as session:
        assert steer_queue(session, admin(), paused=True).paused
    assert waiting_keys("cpu") == set()
    with session_scope() as session:
        assert dispatch(session) == []
        place = find_position(session, ada, job_id)
        assert place is not None
        assert "paused" in place.blocked_by
        assert queue_row(session, ada).waiting == 1
    with session_scope() as session:
        steer_queue(session, admin(), paused=False)
    assert waiting_keys("cpu") == {f"{job_id}-a1"}


def test_a_draining_worker_gets_nothing(redis_server: RedisProcess, ada: Actor) -> None:
    say_hello()
    with session_scope() as session:
        with pytest.raises(NotAllowed):
            drain_worker(session, ada, "w")
        drain_worker(session, admin(), "w")
    assert say_hello(), "the beat tells the worker"
    job_id = launch(ada, make_things(ada))
    assert not sent(job_id)
    with session_scope() as session:
        drain_worker(session, admin(), "w", draining=False)
    assert sent(job_id)
    with session_scope() as session:
        return_to_queue(session, job_id, 1)
    assert not sent(job_id)


def test_the_expected_start_is_learnt_from_what_was_done(redis_server: RedisProcess, ada: Actor) -> None:
    say_hello()
    things = make_things(ada)
    first, second, third = (launch(ada, things) for _ in range(3))
    finish(first)
    with session_scope() as session:
        job = session.get(TrainingJob, first)
        assert job is not None
        assert job.started_at
        assert job.finished_at
        usual = (job.finished_at - job.started_at).total_seconds()
        place = find_position(session, ada, third)
        assert place is not None
        assert place.position == 2
        assert place.starts_in_s == pytest.approx(usual, abs=0.1)
        assert find_position(session, ada, first) is None
        assert find_position(session, ada, second) is not None
