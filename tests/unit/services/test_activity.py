"""What the pill in the top bar counts: jobs that a worker holds, and apart from them those that wait."""

from orchestrator.domain.training_jobs import JobStatus, TrainingJob
from orchestrator.domain.users import Actor
from orchestrator.services.activity import overview, running_now
from orchestrator.services.db import session_scope
from orchestrator.services.training.lifecycle import add_event
from tests.unit.services.training.test_lifecycle import make_job


def test_waiting_jobs_are_not_counted_as_running(ada: Actor) -> None:
    with session_scope() as session:
        assert running_now(session, ada).count == 0
        # A job that waits again knows how far it came; it must not stand before one that runs.
        waiting = make_job(session, ada, JobStatus.QUEUED, attempt=1)
        found = session.get(TrainingJob, waiting)
        assert found
        found.step, found.total_steps = 50, 100
        session.flush()
        row = running_now(session, ada)
        assert (row.count, row.waiting, row.job_id, row.started) == (0, 1, waiting, False)
        running = make_job(session, ada, JobStatus.RUNNING, attempt=2)
        make_job(session, ada, JobStatus.STOPPING, attempt=3)
        make_job(session, ada, JobStatus.COMPLETED, attempt=4)
        row = running_now(session, ada)
        assert (row.count, row.waiting, row.job_id) == (2, 1, running)


def test_activity_has_the_newest_event_of_each_job_and_adapters_are_counted_themselves(ada: Actor) -> None:
    with session_scope() as session:
        done, other = (make_job(session, ada, JobStatus.COMPLETED, attempt=attempt) for attempt in (1, 2))
        for job_id, kinds in ((done, ("queued", "running", "completed")), (other, ("queued",))):
            for kind in kinds:
                add_event(session, job_id, kind, f"{kind}.")
        row = overview(session, ada)
        assert [(news.event.job_id, news.event.kind) for news in row.news] == [(other, "queued"), (done, "completed")]
        assert (row.counts.jobs_by_status["completed"], row.counts.adapters) == (2, 0)
