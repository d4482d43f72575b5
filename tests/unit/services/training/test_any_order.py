"""Whatever happens in whatever order, a job stays true: one holder, attempts that only rise, ends that stay ends."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orchestrator.domain.errors import Conflict
from orchestrator.domain.failures import FailureKind
from orchestrator.domain.training_jobs import FINAL, JobStatus, TrainingJob
from orchestrator.domain.users import Actor
from orchestrator.services.db import session_scope
from orchestrator.services.training import lifecycle
from tests.studio import job_of

EVENTS = ("claim", "run", "complete", "fail", "stop", "stopped", "lose", "suspend", "resume")


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(events=st.lists(st.tuples(st.sampled_from(EVENTS), st.integers(0, 2)), max_size=30))
def test_any_order_of_events(ada: Actor, events: list[tuple[str, int]]) -> None:
    with session_scope() as session:
        job = TrainingJob(
            owner_id=ada.user_id, name="a", dataset_name="d", model_name="m", idempotency_key=str(id(events))
        )
        session.add(job)
        session.flush()
        job_id = job.id or 0
    for event, behind in events:
        before = job_of(job_id)
        _happen(ada, event, job_id, before.attempt - behind)
        after = job_of(job_id)
        claimed = event == "claim" and not behind and before.status is JobStatus.QUEUED
        assert after.attempt - before.attempt == int(claimed)
        if before.status in FINAL and event != "resume":
            assert after.status is before.status
        if behind and event not in ("stop", "resume", "claim"):
            assert after.status is before.status, "an older attempt changes nothing"
        assert (after.finished_at is not None) == (after.status in FINAL)
        assert (after.error != "") == (after.status is JobStatus.FAILED)
    with session_scope() as session:
        session.delete(session.get_one(TrainingJob, job_id))


def _happen(actor: Actor, event: str, job_id: int, attempt: int) -> None:
    with session_scope() as session:
        match event:
            case "claim":
                if attempt == job_of(job_id).attempt:
                    lifecycle.claim(session, job_id, attempt + 1, "w")
            case "run":
                lifecycle.mark_running(session, job_id, attempt, 10)
            case "complete":
                lifecycle.complete(session, job_id, attempt)
            case "fail":
                lifecycle.fail(session, job_id, attempt, FailureKind.CRASH, "It broke.")
            case "stopped":
                lifecycle.mark_stopped(session, job_id, attempt, "Stopped.")
            case "lose" | "suspend":
                lifecycle.mark_lost(session, job_id, attempt, "Gone.", counts=event == "lose")
            case "stop" | "resume":
                run_as_user = lifecycle.request_stop if event == "stop" else lifecycle.resume_job
                try:
                    run_as_user(session, actor, job_id)
                except Conflict:
                    return
