"""What a question of the playground waits for before the worker takes it, as a sentence."""

from sqlmodel import Session

from orchestrator.domain import formatting
from orchestrator.domain.users import Actor
from orchestrator.services.activity import running_now
from orchestrator.services.workers import list_workers


def waiting_stage(session: Session, actor: Actor) -> str:
    """Names the training that takes the worker's time meanwhile; answers have to wait for it, or are slower."""
    alive = [worker for worker in list_workers(session, actor) if worker.alive]
    if not alive or not all(worker.busy for worker in alive):
        return "Waiting for the worker"
    worker = next((worker for worker in alive if worker.job_name), alive[0])
    running = running_now(session, actor)
    share = f" ({formatting.percent(running.progress)})" if running.job_id == worker.job_id and running.started else ""
    name = worker.job_name or "another user's job"
    return f"The worker is training {name}{share}. The answer takes longer meanwhile."
