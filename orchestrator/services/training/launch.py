"""Turns a recipe into a queued training job, or says why not."""

import secrets

from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from orchestrator.domain.datasets import Dataset, DatasetStatus, Task
from orchestrator.domain.errors import Invalid
from orchestrator.domain.models import FITS, TASK_OF, ModelStatus, ModelType, VideoModel
from orchestrator.domain.recipes import ALONE, Recipe
from orchestrator.domain.training_jobs import JobStatus, TrainingJob
from orchestrator.domain.users import Actor
from orchestrator.services.after_commit import after_commit
from orchestrator.services.announce import announce
from orchestrator.services.training.dispatch import dispatch
from orchestrator.services.training.estimate import estimate, layer_groups
from orchestrator.services.training.jobs import job_row
from orchestrator.services.training.lifecycle import note
from orchestrator.services.training.rows import JobRow, Preflight
from orchestrator.services.training.split import count_split

_WORDS = {
    DatasetStatus.DRAFT: "This dataset has no clips yet. Upload some first.",
    DatasetStatus.PROCESSING: "This dataset is still being read. It can be used as soon as it is ready.",
    DatasetStatus.ERROR: "This dataset could not be read. Open it to see why, or choose another.",
}
Problem = tuple[str, str]


def launch_job(
    session: Session, actor: Actor, dataset_id: int, model_id: int, recipe: Recipe, idempotency_key: str = ""
) -> JobRow:
    """Queues a training; the same key of the same person gives the same job, however often it is asked.

    Raises:
        Invalid: `problems` names each field (dataset_id, model_id, or the recipe's) with its sentence.
    """
    key = idempotency_key.strip() or secrets.token_urlsafe(18)
    if len(key) > 80:
        raise Invalid("The idempotency key may have at most 80 characters.", "idempotency_key")
    if job := _launched(session, actor, key):
        return job_row(job)
    plan = preflight(session, actor, dataset_id, model_id, recipe)
    if plan.problems:
        field, sentence = plan.problems[0]
        raise Invalid(sentence, field, plan.problems)
    dataset, model = session.get(Dataset, dataset_id), session.get(VideoModel, model_id)
    assert dataset
    assert model
    job = make_record(actor, dataset, model, recipe, key, plan.steps)
    try:
        with session.begin_nested():
            session.add(job)
    except IntegrityError:
        # The other click of a double click was faster by a hair.
        if other := _launched(session, actor, key):
            return job_row(other)
        raise
    assert job.id is not None
    job_id = job.id
    note(session, job_id, "queued", "Launched; waiting for a worker.")
    dispatch(session)
    after_commit(session, lambda: announce(job_id, 0, "status", status=JobStatus.QUEUED.value, error=""))
    return job_row(job)


def preflight(session: Session, actor: Actor, dataset_id: int, model_id: int, recipe: Recipe) -> Preflight:
    """What a launch would do, and each reason against it; changes nothing."""
    dataset, problems = _dataset(session, actor, dataset_id)
    model, model_problems = _model(session, actor, model_id)
    problems += model_problems
    if model and not model_problems:
        problems += _targets(model, recipe)
    if dataset and model and not problems:
        problems += _match(dataset, model)
        if model.model_type is ModelType.RETRIEVAL and recipe.optim.batch_size < 2:
            problems.append(("optim.batch_size", ALONE))
    if not dataset or not model:
        return Preflight(ok=False, problems=problems)
    split = count_split(session, dataset_id, recipe.data.validation_share)
    if not problems:
        problems += _enough(dataset, split.train)
    facts = estimate(model, recipe, split.train, _earlier_speed(session, actor, model))
    return Preflight(
        ok=not problems,
        problems=problems,
        trainable_parameters=facts.trainable_parameters,
        total_parameters=facts.total_parameters,
        steps=facts.steps,
        memory_bytes=facts.memory_bytes,
        seconds=facts.seconds,
        adapter_bytes=facts.adapter_bytes,
        train_clips=split.train,
        validation_clips=split.validation,
        task=TASK_OF[model.model_type].value,
    )


def _earlier_speed(session: Session, actor: Actor, model: VideoModel) -> float:
    """Clips a second of the actor's last completed run on this base; 0.0 before the first."""
    own = (TrainingJob.owner_id == actor.user_id, TrainingJob.model_id == model.id)
    done = select(TrainingJob.summary).where(*own, TrainingJob.status == JobStatus.COMPLETED)
    summary = session.exec(done.order_by(col(TrainingJob.id).desc()).limit(1)).first() or {}
    return float(summary.get("samples_per_s") or 0.0)


def _launched(session: Session, actor: Actor, key: str) -> TrainingJob | None:
    statement = select(TrainingJob).where(
        TrainingJob.owner_id == actor.user_id, col(TrainingJob.idempotency_key) == key
    )
    return session.exec(statement).first()


def make_record(actor: Actor, dataset: Dataset, model: VideoModel, recipe: Recipe, key: str, steps: int) -> TrainingJob:
    """A job of a dataset and a model that `preflight` let through; not yet in the session."""
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
        needs=recipe.machine.need.word,
        idempotency_key=key,
        status=JobStatus.QUEUED,
        summary={"task": TASK_OF[model.model_type].value},
        total_steps=steps,
    )


def _dataset(session: Session, actor: Actor, dataset_id: int) -> tuple[Dataset | None, list[Problem]]:
    dataset = session.get(Dataset, dataset_id)
    if dataset is None or dataset.owner_id != actor.user_id:
        return None, [("dataset_id", "This dataset is not there any more. Choose another one.")]
    if dataset.status is not DatasetStatus.READY:
        return dataset, [("dataset_id", _WORDS[dataset.status])]
    return dataset, []


def _model(session: Session, actor: Actor, model_id: int) -> tuple[VideoModel | None, list[Problem]]:
    model = session.get(VideoModel, model_id)
    if model is None or model.owner_id not in (None, actor.user_id):
        return None, [("model_id", "This model is not there any more. Choose another one.")]
    if model.status is not ModelStatus.READY:
        why = f" {model.error}" if model.error else ""
        return model, [("model_id", f"This model is not ready.{why} Choose another one.")]
    return model, []


def _match(dataset: Dataset, model: VideoModel) -> list[Problem]:
    if model.model_type not in FITS[dataset.task]:
        kind = model.model_type.value.removeprefix("video_")
        return [("model_id", f"{model.name} is made for {kind}, and {dataset.name} for {dataset.task.value}.")]
    if dataset.task is Task.CLASSIFICATION and len(dataset.class_names) < 2:
        return [("dataset_id", "Classification needs at least two classes, and this dataset has fewer.")]
    return []


def _targets(model: VideoModel, recipe: Recipe) -> list[Problem]:
    known = [str(group["suffix"]) for group in layer_groups(model)]
    unknown = [name for name in recipe.qlora.target_modules if name not in known]
    if not known or not unknown or not recipe.qlora.enabled:
        return []
    return [("qlora.target_modules", f"{model.name} has no layer {', '.join(unknown)}. It has: {', '.join(known)}.")]


def _enough(dataset: Dataset, train_clips: int) -> list[Problem]:
    if train_clips < 2:
        return [("dataset_id", f"{dataset.name} leaves {train_clips} clips to learn from. Add more clips.")]
    return []
