"""Starts a training again that was too large for its machine: a smaller batch, accumulated for longer."""

from sqlmodel import Session

from orchestrator.domain.errors import Conflict
from orchestrator.domain.recipes import parse_recipe, smaller_batch
from orchestrator.domain.training_jobs import FINAL
from orchestrator.domain.users import Actor
from orchestrator.services.access import owned_job
from orchestrator.services.training.jobs import clone_values
from orchestrator.services.training.launch import launch_job
from orchestrator.services.training.rows import JobRow


def retry_smaller(session: Session, actor: Actor, job_id: int) -> JobRow:
    """Launches it once more with a smaller batch; each step still sees as many clips.

    That trains the same, but not for a retriever: it tells a clip apart from the others of its batch, now fewer.
    Asked twice for the same job, it answers with the same new job.

    Raises:
        Conflict: the job still runs, its batch is one clip already, or its dataset or model is gone.
    """
    job = owned_job(session, actor, job_id)
    if job.status not in FINAL:
        raise Conflict(f"{job.name} is still {job.status.value}.")
    values = clone_values(session, actor, job_id)
    optim = dict(values["recipe"].get("optim") or {})
    smaller = smaller_batch(int(optim.get("batch_size") or 1), int(optim.get("gradient_accumulation") or 1))
    if smaller is None:
        raise Conflict("Its batch is a single clip already. Use fewer frames or a smaller frame size.")
    if values["dataset_id"] is None or values["model_id"] is None:
        raise Conflict("Its dataset or its base model is gone, so it cannot run again.")
    optim["batch_size"], optim["gradient_accumulation"] = smaller
    recipe = parse_recipe(values["recipe"] | {"optim": optim})
    key = f"retry-{job_id}-{job.attempt}"
    return launch_job(session, actor, values["dataset_id"], values["model_id"], recipe, key)
