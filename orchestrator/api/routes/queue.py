"""The queue by REST: its state, pause and limits, priorities, draining of workers, sweeps."""

from typing import Annotated, Any

from fastapi import Header
from pydantic import BaseModel, Field

from orchestrator.api.authentication import CurrentUser
from orchestrator.api.checked_route import checked_router
from orchestrator.api.routes.jobs import NOT_IN_RECIPE, JobBody
from orchestrator.api.serialization import Id, list_json, to_json
from orchestrator.services.db import session_scope
from orchestrator.services.training import queue_control, queue_position, sweeps

router = checked_router(tags=["queue"])


class QueueBody(BaseModel):
    """What to change; `per_user: null` removes the limit."""

    paused: bool | None = None
    per_user: int | None = None


class DrainBody(BaseModel):
    """true: the worker takes no more jobs; false: it takes jobs again."""

    draining: bool = True


class PriorityBody(BaseModel):
    """low, normal or high."""

    priority: str


class SweepBody(JobBody):
    """The body of a job, and lists of values by recipe field: `{"optim.learning_rate": [1e-3, 2e-3]}`."""

    sweep: Annotated[dict[str, list[Any]], Field(max_length=12)]


@router.get("/queue")
def get_queue(actor: CurrentUser) -> dict[str, Any]:
    with session_scope() as session:
        return to_json(queue_control.queue_row(session, actor))


@router.patch("/queue")
def steer_queue(actor: CurrentUser, body: QueueBody) -> dict[str, Any]:
    unlimited = "per_user" in body.model_fields_set and body.per_user is None
    with session_scope() as session:
        return to_json(queue_control.steer_queue(session, actor, body.paused, body.per_user, unlimited))


@router.post("/workers/{name}/drain", status_code=202)
def drain(actor: CurrentUser, name: str, body: DrainBody | None = None) -> dict[str, Any]:
    draining = body is None or body.draining
    with session_scope() as session:
        queue_control.drain_worker(session, actor, name, draining)
    return {"name": name, "draining": draining}


@router.patch("/jobs/{job_id}")
def set_priority(actor: CurrentUser, job_id: Id, body: PriorityBody) -> dict[str, Any]:
    with session_scope() as session:
        return to_json(queue_control.set_priority(session, actor, job_id, body.priority))


@router.get("/jobs/{job_id}/place", operation_id="place_api_v1_jobs__job_id__place_get")
def position(actor: CurrentUser, job_id: Id) -> dict[str, Any]:
    """The position of a waiting job in the queue; zeros when it does not wait."""
    with session_scope() as session:
        place = queue_position.find_position(session, actor, job_id)
    return to_json(place or queue_position.QueuePosition(0, 0, None, ""))


@router.post("/sweeps", status_code=201)
def launch_sweep(
    actor: CurrentUser, body: SweepBody, idempotency_key: Annotated[str, Header(max_length=80)] = ""
) -> dict[str, Any]:
    base = body.model_dump(exclude=NOT_IN_RECIPE)
    things, version = (body.dataset_id, body.model_id), body.dataset_version or 0
    with session_scope() as session:
        sweep = sweeps.launch_sweep(session, actor, *things, base, body.sweep, idempotency_key, version)
    return to_json(sweep)


@router.get("/sweeps")
def list_sweeps(actor: CurrentUser, limit: int = 50) -> dict[str, Any]:
    with session_scope() as session:
        return list_json(sweeps.list_sweeps(session, actor, limit))


@router.get("/sweeps/{sweep_id}")
def get_sweep(actor: CurrentUser, sweep_id: Id) -> dict[str, Any]:
    with session_scope() as session:
        return to_json(sweeps.get_sweep(session, actor, sweep_id))


@router.post("/sweeps/{sweep_id}/stop", status_code=202)
def stop_sweep(actor: CurrentUser, sweep_id: Id) -> dict[str, Any]:
    stopped = sweeps.stop_sweep(actor, sweep_id)
    with session_scope() as session:
        return to_json(sweeps.get_sweep(session, actor, sweep_id), stopped=stopped)
