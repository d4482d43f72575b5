"""A sweep becomes one job a combination, says which was best, and is stopped as one."""

from typing import Any

import pytest
from sqlmodel import select

from orchestrator.domain.errors import Invalid, NotFound
from orchestrator.domain.models import VideoModel
from orchestrator.domain.notifications import Notification
from orchestrator.domain.run_summary import RunSummary
from orchestrator.domain.training_jobs import JobStatus, TrainingJob
from orchestrator.domain.users import Actor
from orchestrator.services.db import session_scope
from orchestrator.services.training import lifecycle, sweeps
from orchestrator.services.training.compare import compare_jobs
from orchestrator.services.training.report import report
from tests.studio import RedisProcess, job_of, make_person, make_things

GRID: dict[str, list[Any]] = {"optim.learning_rate": [1e-3, 2e-3], "qlora.r": [8, 16]}


def make_sweep(actor: Actor, key: str = "k") -> sweeps.SweepRow:
    return sweep_on(actor, make_things(actor), key)


def sweep_on(actor: Actor, things: tuple[int, int], key: str = "k") -> sweeps.SweepRow:
    with session_scope() as session:
        return sweeps.launch_sweep(session, actor, *things, {"output_name": "try"}, GRID, key)


def test_every_combination_becomes_a_job(redis_server: RedisProcess, ada: Actor) -> None:
    things = make_things(ada)
    sweep = sweep_on(ada, things)
    assert [job.name for job in sweep.jobs] == ["try-1", "try-2", "try-3", "try-4"]
    pairs = [(job.values["optim.learning_rate"], job.values["qlora.r"]) for job in sweep.jobs]
    assert pairs == [(1e-3, 8), (1e-3, 16), (2e-3, 8), (2e-3, 16)]
    assert sweep_on(ada, things).id == sweep.id
    with session_scope() as session, pytest.raises(NotFound):
        sweeps.get_sweep(session, make_person("eve"), sweep.id)


@pytest.mark.parametrize(
    ("grid", "field"),
    [
        ({}, "sweep"),
        ({"qlora.r": []}, "sweep"),
        ({"qlora.r": ["many"]}, "qlora.r"),
        ({"optim.seed": list(range(40)), "qlora.r": list(range(1, 40))}, "sweep"),
        ({"output_name.x": [1]}, "sweep"),
    ],
)
def test_bad_lists_get_a_sentence(grid: dict[str, list[Any]], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        sweeps.expand({"output_name": "try"}, grid)
    assert refused.value.problems[0][0] == field


def test_each_value_is_checked_against_the_base(redis_server: RedisProcess, ada: Actor) -> None:
    dataset_id, model_id = make_things(ada)
    with session_scope() as session:
        model = session.get_one(VideoModel, model_id)
        model.details = {"image_size": 64}
        session.add(model)
    grid: dict[str, list[Any]] = {"data.size": [64, 96], "optim.seed": [1, 2, 3]}
    with session_scope() as session, pytest.raises(Invalid) as refused:
        sweeps.launch_sweep(session, ada, dataset_id, model_id, {}, grid)
    assert [field for field, _ in refused.value.problems] == ["data.size"]


def test_the_best_is_named_and_the_end_is_notified_once(redis_server: RedisProcess, ada: Actor) -> None:
    sweep = make_sweep(ada)
    scores = {job.id: score for job, score in zip(sweep.jobs, (0.5, 0.9), strict=False)}
    for job_id, score in scores.items():
        with session_scope() as session:
            job = session.get(TrainingJob, job_id)
            assert job is not None
            job.summary = RunSummary.of_values({"best_eval_accuracy": score, "eval_accuracy": score})
            lifecycle.claim(session, job_id, 1, "w")
            lifecycle.mark_running(session, job_id, 1, 1)
            lifecycle.complete(session, job_id, 1)
    assert sweeps.stop_sweep(ada, sweep.id) == 2
    with session_scope() as session:
        found = sweeps.get_sweep(session, ada, sweep.id)
        assert found.best_job_id == sweep.jobs[1].id
        assert found.counts == {"completed": 2, "stopped": 2}
        [told] = session.exec(select(Notification)).all()
        assert told.title == "Sweep try has ended"
        compared = compare_jobs(session, ada, list(scores))
        assert next(line for line in compared.parameters if line.differs).name == "qlora.r"
        assert next(line for line in compared.metrics if line.name == "best_eval_accuracy").best == 1


def test_jobs_are_ranked_by_what_they_exported_not_by_the_best_on_the_way(ada: Actor) -> None:
    sweep = make_sweep(ada)
    (unsteady, steady, failed, none) = (job.id for job in sweep.jobs)
    measured = {unsteady: (0.9, 0.5), steady: (0.7, 0.7), failed: (0.95, 0.95)}
    for job_id, (best, last) in measured.items():
        with session_scope() as session:
            job = session.get_one(TrainingJob, job_id)
            job.summary = RunSummary.of_values({"best_eval_accuracy": best, "eval_accuracy": last})
            job.status = JobStatus.FAILED if job_id == failed else JobStatus.COMPLETED
    with session_scope() as session:
        found = sweeps.get_sweep(session, ada, sweep.id)
    assert found.best_job_id == steady
    assert [(job.id, job.score) for job in found.jobs] == [
        (steady, 0.7),
        (unsteady, 0.5),
        (failed, 0.95),
        (none, None),
    ]


def test_strangers_compare_and_read_nothing(redis_server: RedisProcess, ada: Actor) -> None:
    sweep = make_sweep(ada)
    eve = make_person("eve")
    with session_scope() as session:
        for ask in (
            lambda: compare_jobs(session, eve, [sweep.jobs[0].id]),
            lambda: report(session, eve, sweep.jobs[0].id),
        ):
            with pytest.raises(NotFound):
                ask()
        with pytest.raises(Invalid):
            compare_jobs(session, ada, [])


def test_the_report_is_complete_and_contains_no_script(redis_server: RedisProcess, ada: Actor) -> None:
    job_id = make_sweep(ada).jobs[0].id
    with session_scope() as session:
        job = session.get(TrainingJob, job_id)
        assert job is not None
        job.error, job.dataset_name = "x", "</script><script>alert(1)</script>"
        session.add(job)
    with session_scope() as session:
        name, page = report(session, ada, job_id)
    assert name == f"try-1-{job_id}.html"
    assert "Plotly" in page
    assert "<script>alert(1)" not in page
    assert "src=" not in page.partition("</head>")[2]
    assert job_of(job_id).status.value in page


@pytest.mark.parametrize(("keep", "score"), [("best", 0.9), ("last", 0.5)])
def test_a_running_job_is_ranked_by_the_step_that_it_would_export(ada: Actor, keep: str, score: float) -> None:
    sweep = make_sweep(ada)
    with session_scope() as session:
        job = session.get_one(TrainingJob, sweep.jobs[0].id)
        job.recipe = job.recipe | {"eval": {"keep": keep}}
        job.summary = RunSummary.of_values({"best_eval_accuracy": 0.9, "eval_accuracy": 0.5})
        job.status = JobStatus.RUNNING
    with session_scope() as session:
        assert sweeps.get_sweep(session, ada, sweep.id).jobs[0].score == score
