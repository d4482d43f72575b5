"""The list of jobs: how many each filter selects, and the order by result."""

import pytest

from orchestrator.domain.errors import Invalid
from orchestrator.domain.run_summary import RunSummary
from orchestrator.domain.training_jobs import JobStatus, TrainingJob
from orchestrator.domain.users import Actor
from orchestrator.services.db import session_scope
from orchestrator.services.training.jobs import count_jobs, list_jobs
from tests.studio import launch, make_things

RESULTS = (0.5, None, 0.9, 0.7)


@pytest.fixture
def jobs(ada: Actor) -> list[int]:
    """Four jobs; one of them has no result."""
    things = make_things(ada)
    ids = [launch(ada, things) for _ in RESULTS]
    with session_scope() as session:
        for job_id, value in zip(ids, RESULTS, strict=True):
            job = session.get_one(TrainingJob, job_id)
            job.status = JobStatus.COMPLETED if value is not None else JobStatus.FAILED
            job.summary = RunSummary.of_values({"eval_accuracy": value} if value is not None else {"loss": 1.0})
    return ids


def test_each_status_is_counted_with_the_other_filters(ada: Actor, jobs: list[int]) -> None:
    with session_scope() as session:
        counts = count_jobs(session, ada)
        assert (counts["all"], counts["completed"], counts["failed"], counts["final"]) == (4, 3, 1, 4)
        assert (counts["active"], counts["running"]) == (0, 0)
        assert count_jobs(session, ada, q=f"#{jobs[1]}")["all"] == 1
        assert count_jobs(session, ada, q="no such job")["completed"] == 0
        for status in ("completed", "failed", "active"):
            assert counts[status] == list_jobs(session, ada, status=status).total


def test_jobs_are_sorted_by_their_result_and_those_without_one_come_last(ada: Actor, jobs: list[int]) -> None:
    first, none, best, second = jobs
    with session_scope() as session:
        page = list_jobs(session, ada, sort="-result", limit=2)
        rest = list_jobs(session, ada, sort="-result", limit=2, cursor=page.next)
        assert [job.id for job in (*page.items, *rest.items)] == [best, second, first, none]
        with pytest.raises(Invalid):
            list_jobs(session, ada, sort="result", cursor=page.next)


def test_the_order_by_start_takes_the_launch_of_what_has_not_started(ada: Actor, jobs: list[int]) -> None:
    with session_scope() as session:
        assert [job.id for job in list_jobs(session, ada, sort="started_at").items] == jobs
