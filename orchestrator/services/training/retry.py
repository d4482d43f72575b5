"""Launches a job again that ran out of memory, with a smaller batch and more gradient accumulation."""

from sqlmodel import Session

from orchestrator.domain.errors import Conflict
from orchestrator.domain.recipes import parse_recipe, smaller_batch
from orchestrator.domain.training_jobs import FINAL
from orchestrator.domain.users import Actor
from orchestrator.services.access import owned_job
from orchestrator.services.training.clone import clone_job
from orchestrator.services.training.launch import launch_job
from orchestrator.services.training.rows import JobRow


def retry_smaller(session: Session, actor: Actor, job_id: int) -> JobRow:
    """Launches the job again with a smaller batch; an optimizer step sees as many clips as before.

    The training is equivalent, except for contrastive tasks, whose loss compares the clips of one batch. Repeated calls
    for the same job return the same new job.

    Raises:
        Conflict: the job still runs, its batch is one clip already, or its dataset or model was deleted.
    """
    job = owned_job(session, actor, job_id)
    if job.status not in FINAL:
        raise Conflict(f"{job.name} is still {job.status.value}.")
    clone = clone_job(session, actor, job_id)
    optim = dict(clone.recipe.get("optim") or {})
    smaller = smaller_batch(int(optim.get("batch_size") or 1), int(optim.get("gradient_accumulation") or 1))
    if smaller is None:
        raise Conflict("Its batch is a single clip already. Use fewer frames or a smaller frame size.")
    if clone.dataset_id is None or clone.model_id is None:
        raise Conflict("Its dataset or its base model was deleted, so it cannot run again.")
    optim["batch_size"], optim["gradient_accumulation"] = smaller
    recipe = parse_recipe(clone.recipe | {"optim": optim})
    key = f"retry-{job_id}-{job.attempt}"
    # The clips of the failed run, whatever was edited since: only the batch differs.
    return launch_job(session, actor, clone.dataset_id, clone.model_id, recipe, key, clone.own_version)
