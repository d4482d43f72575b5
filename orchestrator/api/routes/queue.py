"""The queue by REST: how it stands, pause and limits, priorities, workers that drain, sweeps."""

from typing import Annotated, Any

from fastapi import APIRouter, Header
from pydantic import BaseModel, Field

from orchestrator.api.routes.jobs import JobBody
from orchestrator.api.shapes import Id, shape
from orchestrator.api.who import Who
from orchestrator.services.db import session_scope
from orchestrator.services.training import queue_control, queue_position, sweeps

router = APIRouter(tags=["queue"])


class QueueBody(BaseModel):
    """What to change; `per_user: null` takes the limit away."""

    paused: bool | None = None
    per_user: int | None = None


class DrainBody(BaseModel):
    """True: take nothing more; false: take work again."""

    draining: bool = True


class PriorityBody(BaseModel):
    """low, normal or high."""

    priority: str


class SweepBody(JobBody):
    """A job's body, and lists of values by recipe field: `{"optim.learning_rate": [1e-3, 2e-3]}`."""

    sweep: Annotated[dict[str, list[Any]], Field(max_length=12)]


@router.get("/queue")
def get_queue(actor: Who) -> dict[str, Any]:
    with session_scope() as session:
        return shape(queue_control.queue_row(session, actor))


@router.patch("/queue")
def steer_queue(actor: Who, body: QueueBody) -> dict[str, Any]:
    unlimited = "per_user" in body.model_fields_set and body.per_user is None
    with session_scope() as session:
        return shape(queue_control.steer_queue(session, actor, body.paused, body.per_user, unlimited))


@router.post("/workers/{name}/drain", status_code=202)
def drain(actor: Who, name: str, body: DrainBody | None = None) -> dict[str, Any]:
    draining = body is None or body.draining
    with session_scope() as session:
        queue_control.drain_worker(session, actor, name, draining)
    return {"name": name, "draining": draining}


@router.patch("/jobs/{job_id}")
def set_priority(actor: Who, job_id: Id, body: PriorityBody) -> dict[str, Any]:
    with session_scope() as session:
        return shape(queue_control.set_priority(session, actor, job_id, body.priority))


@router.get("/jobs/{job_id}/place")
def place(actor: Who, job_id: Id) -> dict[str, Any]:
    """Where a waiting job stands; zeros when it does not wait."""
    with session_scope() as session:
        found = queue_position.place_of(session, actor, job_id)
    return shape(found or queue_position.Place(0, 0, None, ""))


@router.post("/sweeps", status_code=201)
def launch_sweep(
    actor: Who, body: SweepBody, idempotency_key: Annotated[str, Header(max_length=80)] = ""
) -> dict[str, Any]:
    base = body.model_dump(exclude={"dataset_id", "model_id", "sweep"})
    with session_scope() as session:
        made = sweeps.launch_sweep(session, actor, body.dataset_id, body.model_id, base, body.sweep, idempotency_key)
    return shape(made)


@router.get("/sweeps")
def list_sweeps(actor: Who, limit: int = 50) -> dict[str, Any]:
    with session_scope() as session:
        rows = [shape(row) for row in sweeps.list_sweeps(session, actor, limit)]
    return {"items": rows, "next": None, "total": len(rows)}


@router.get("/sweeps/{sweep_id}")
def get_sweep(actor: Who, sweep_id: Id) -> dict[str, Any]:
    with session_scope() as session:
        return shape(sweeps.get_sweep(session, actor, sweep_id))


@router.post("/sweeps/{sweep_id}/stop", status_code=202)
def stop_sweep(actor: Who, sweep_id: Id) -> dict[str, Any]:
    with session_scope() as session:
        stopped = sweeps.stop_sweep(session, actor, sweep_id)
        return shape(sweeps.get_sweep(session, actor, sweep_id), stopped=stopped)
