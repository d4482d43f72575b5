"""Launches a training job from a recipe that passes the preflight."""

from sqlalchemy.exc import IntegrityError
from sqlmodel import Session

from orchestrator.domain.audit import Act
from orchestrator.domain.datasets import Dataset
from orchestrator.domain.errors import Invalid
from orchestrator.domain.models import VideoModel
from orchestrator.domain.recipes import Recipe
from orchestrator.domain.run_summary import RunSummary
from orchestrator.domain.training_jobs import JobStatus, TrainingJob
from orchestrator.domain.users import Actor
from orchestrator.services.after_commit import after_commit
from orchestrator.services.audit.recording import record
from orchestrator.services.live_events import publish_status
from orchestrator.services.training.continuing import continued
from orchestrator.services.training.dispatch import dispatch
from orchestrator.services.training.idempotency import checked_key, hash_of_job, job_of_key
from orchestrator.services.training.jobs import job_row
from orchestrator.services.training.lifecycle import add_event
from orchestrator.services.training.preflight import preflight
from orchestrator.services.training.rows import JobRow, Preflight


def launch_job(
    session: Session,
    actor: Actor,
    dataset_id: int,
    model_id: int,
    recipe: Recipe,
    idempotency_key: str = "",
    dataset_version: int = 0,
) -> JobRow:
    """Queues a training job. Repeated calls with the same key and values return the same job.

    Args:
        idempotency_key: chosen by the client, unique per user; "" for none.
        dataset_version: the version to learn from; 0 for the newest.

    Raises:
        Invalid: `problems` names each field (dataset_id, model_id, or one of the recipe) with its sentence.
        KeyReused: the key launched something else.
    """
    key, body_hash = checked_key(idempotency_key), hash_of_job(dataset_id, model_id, recipe, dataset_version)
    if job := job_of_key(session, actor, key, body_hash):
        return job_row(job)
    plan = preflight(session, actor, dataset_id, model_id, recipe, dataset_version)
    if plan.problems:
        field, sentence = plan.problems[0]
        raise Invalid(sentence, field, plan.problems)
    dataset, model = session.get(Dataset, dataset_id), session.get(VideoModel, model_id)
    assert dataset
    assert model
    recipe = continued(session, actor, recipe, model, dataset).recipe
    job = make_record(actor, dataset, model, recipe, key, plan, plan.steps)
    job.request_hash, job.dataset_version = body_hash, dataset_version or dataset.version
    try:
        with session.begin_nested():
            session.add(job)
    except IntegrityError:
        # Another request with the same key, such as the second click of a double click, was faster.
        if other := job_of_key(session, actor, key, body_hash):
            return job_row(other)
        raise
    assert job.id is not None
    job_id = job.id
    add_event(session, job_id, "queued", "Launched; waiting for a worker.")
    after = {"dataset": dataset.name, "model": model.name, "steps": plan.steps}
    record(session, actor, Act.JOB_LAUNCHED, job_id, job.name, after=after)
    dispatch(session)
    after_commit(session, lambda: publish_status(job_id, 0, JobStatus.QUEUED.value))
    return job_row(job)


def make_record(
    actor: Actor, dataset: Dataset, model: VideoModel, recipe: Recipe, key: str, plan: Preflight, steps: int
) -> TrainingJob:
    """A job record that is not in the session yet.

    Args:
        plan: of a `preflight` that accepted its dataset, model and recipe.
    """
    return TrainingJob(
        owner_id=actor.user_id,
        name=recipe.output_name,
        dataset_id=dataset.id,
        dataset_name=dataset.name,
        dataset_version=dataset.version,
        model_id=model.id,
        model_name=model.name,
        model_revision=model.revision,
        recipe=recipe.model_dump(mode="json"),
        needs=recipe.machine.need.name,
        idempotency_key=key,
        status=JobStatus.QUEUED,
        summary=RunSummary(task=plan.task, problem_type=plan.problem_type),
        total_steps=steps,
    )
