"""Which machine a job goes to: only one that holds it, the smallest that does; several GPUs; what no worker can run."""

from collections import Counter
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete
from sqlmodel import col

from orchestrator.domain.base import utcnow
from orchestrator.domain.errors import Invalid
from orchestrator.domain.machines import GB, gpu_shape, parse_shape
from orchestrator.domain.recipes import parse_recipe
from orchestrator.domain.training_jobs import JobStatus, TrainingJob
from orchestrator.domain.users import Actor
from orchestrator.domain.workers import Worker
from orchestrator.services.db import session_scope
from orchestrator.services.queue import waiting_keys
from orchestrator.services.training import dispatch as dispatching
from orchestrator.services.training import lifecycle
from orchestrator.services.training.dispatch import dispatch
from orchestrator.services.training.queue_position import find_position
from orchestrator.services.workers import beat
from tests.studio import RedisProcess, job_of, launch, make_person, make_things


def announce(name: str, *gpus_gb: float) -> None:
    """A worker's beat, with the GPUs that it owns."""
    sizes = [int(size * GB) for size in gpus_gb]
    kind = "gpu" if sizes else "cpu"
    box = gpu_shape(sizes).name if sizes else "cpu"
    with session_scope() as session:
        beat(
            session,
            name,
            host="h",
            device=kind,
            device_class=kind,
            pid=1,
            job_id=None,
            stats={},
            started_at=utcnow(),
            pool=box,
            gpus=sizes,
        )


def where(job_id: int) -> str:
    """The box of the job's letter; "" while it waits for a machine."""
    job = job_of(job_id)
    return job.pool if job.sent_at and job.status is JobStatus.QUEUED else ""


def finish(job_id: int, worker: str) -> None:
    attempt = job_of(job_id).attempt + 1
    with session_scope() as session:
        assert lifecycle.claim(session, job_id, attempt, worker)
        assert lifecycle.mark_running(session, job_id, attempt, 1)
    with session_scope() as session:
        assert lifecycle.complete(session, job_id, attempt)


def gpu(gb: int | None = None, count: int = 1) -> dict[str, Any]:
    return {"machine": {"kind": "gpu", "memory_gb": gb, "gpus": count}}


def test_a_job_goes_to_the_smallest_machine_that_holds_it(redis_server: RedisProcess, ada: Actor) -> None:
    announce("house")
    announce("large", 85.5)
    announce("small", 25.7)
    things = make_things(ada)
    wide = launch(ada, things, **gpu(24))
    assert where(wide) == "gpu-25x1"
    assert waiting_keys("gpu-25x1") == {f"{wide}-a1"}
    assert where(launch(ada, things)) == "gpu-85x1", "any machine: a GPU where there is one"
    assert where(launch(ada, things)) == "", "and it waits for a GPU rather than train a hundred times as long"
    assert where(launch(ada, things, machine={"kind": "cpu"})) == "cpu"


def test_what_no_machine_can_run_says_so_and_starts_when_one_joins(redis_server: RedisProcess, ada: Actor) -> None:
    announce("small", 16.1)
    job_id = launch(ada, make_things(ada), **gpu(24))
    assert where(job_id) == ""
    with session_scope() as session:
        place = find_position(session, ada, job_id)
        assert place
        assert place.starts_in_s is None
        assert place.blocked_by.startswith("No worker has a GPU with 24 GB now. The best one has one with 16 GB.")
        four = find_position(session, ada, launch_in(session, ada, **gpu(24, 4)))
        assert four
        assert "No worker has 4 GPUs in one host with 24 GB each now." in four.blocked_by
    announce("large", 25.7)
    with session_scope() as session:
        assert dispatch(session) == [job_id]
        assert find_position(session, ada, job_id).blocked_by == ""  # type: ignore[union-attr]


def launch_in(session: Any, actor: Actor, **recipe: Any) -> int:
    job = TrainingJob(
        owner_id=actor.user_id,
        name="x",
        dataset_name="d",
        model_name="m",
        idempotency_key="k",
        needs=parse_recipe(recipe).machine.need.name,
    )
    session.add(job)
    session.flush()
    return job.id or 0


def test_several_gpus_are_one_workers_and_a_large_job_is_not_starved(redis_server: RedisProcess, ada: Actor) -> None:
    announce("four", 25.7, 25.7, 25.7, 25.7)
    announce("one", 25.7)
    things, hers = make_things(ada), make_things(eve := make_person("eve"))
    small = [launch(ada, things, **gpu(24)) for _ in range(2)]
    assert [where(job) for job in small] == ["gpu-25x1", "gpu-25x4"], "the smallest first"
    large = launch(eve, hers, **gpu(24, 4))
    more = [launch(ada, things, **gpu()) for _ in range(3)]
    finish(small[0], "one")
    assert where(large) == "", "one GPU is not four"
    assert where(more[0]) == "gpu-25x1"
    finish(small[1], "four")
    assert where(large) == "gpu-25x4"
    assert [where(job) for job in more[1:]] == ["", ""], "nothing else comes to that host meanwhile"


@pytest.mark.parametrize(
    ("machine", "word"),
    [
        ({}, "any"),
        ({"gpus": 2}, "gpu-0x2"),
        ({"memory_gb": "24"}, "gpu-24x1"),
        ({"kind": "cpu", "gpus": 4}, "cpu"),
        ({"kind": "gpu", "memory_gb": " "}, "gpu-0x1"),
    ],
)
def test_what_a_recipe_asks_for(machine: dict[str, Any], word: str) -> None:
    need = parse_recipe({"machine": machine}).machine.need
    assert need.name == word
    assert parse_shape(word) == need


@pytest.mark.parametrize("machine", [{"kind": "tpu"}, {"gpus": 0}, {"memory_gb": "lots"}])
def test_an_invalid_requirement_gets_a_sentence(machine: dict[str, Any]) -> None:
    with pytest.raises(Invalid) as refused:
        parse_recipe({"machine": machine})
    assert refused.value.field.startswith("machine.")


SHAPES = st.lists(st.sampled_from([(), (16,), (25,), (25, 25), (85, 85, 85, 85)]), min_size=1, max_size=4)
NEEDS = st.lists(
    st.tuples(st.sampled_from(["any", "cpu", "gpu-0x1", "gpu-24x1", "gpu-24x2", "gpu-80x4"]), st.integers(0, 2)),
    min_size=1,
    max_size=6,
)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(workers=SHAPES, jobs=NEEDS, data=st.data())
def test_everything_that_can_run_runs_once(
    ada: Actor,
    monkeypatch: pytest.MonkeyPatch,
    workers: list[tuple[int, ...]],
    jobs: list[tuple[str, int]],
    data: st.DataObject,
) -> None:
    """Whatever machines there are, whatever is asked for and in whatever order jobs end."""
    sent: list[int] = []
    monkeypatch.setattr(dispatching, "enqueue", lambda *_, job_id, **__: sent.append(job_id))
    with session_scope() as session:
        session.exec(delete(Worker))
        session.exec(delete(TrainingJob))
    boxes = {
        f"w{number}": gpu_shape([g * GB for g in gpus]).name if gpus else "cpu" for number, gpus in enumerate(workers)
    }
    for number, gpus in enumerate(workers):
        announce(f"w{number}", *gpus)
    needs: dict[int, str] = {}
    with session_scope() as session:
        for number, (need, priority) in enumerate(jobs):
            job = TrainingJob(
                owner_id=ada.user_id, name="x", dataset_name="d", model_name="m", idempotency_key=str(number)
            )
            job.needs, job.priority = need, priority - 1
            session.add(job)
            session.flush()
            needs[job.id or 0] = need
        dispatch(session)
    busy: dict[str, int] = {}
    has_gpu = any(workers)
    while True:
        for job_id in needs:
            if box := where(job_id):
                worker = next(name for name, mine in boxes.items() if mine == box and name not in busy)
                assert parse_shape(box).can_run(parse_shape(needs[job_id]))
                busy[worker] = job_id
                with session_scope() as session:
                    assert lifecycle.claim(session, job_id, 1, worker)
                    assert lifecycle.mark_running(session, job_id, 1, 1)
        assert Counter(boxes.values()) >= Counter(boxes[name] for name in busy)
        if not busy:
            break
        done = data.draw(st.sampled_from(sorted(busy)))
        with session_scope() as session:
            assert lifecycle.complete(session, busy.pop(done), 1)
    able = {
        job_id
        for job_id, need in needs.items()
        if any(
            parse_shape(box).can_run(parse_shape("gpu-0x1" if need == "any" and has_gpu else need))
            for box in boxes.values()
        )
    }
    assert sorted(sent) == sorted(able)
    with session_scope() as session:
        session.exec(delete(TrainingJob).where(col(TrainingJob.owner_id) == ada.user_id))
