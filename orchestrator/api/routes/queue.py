"""The queue by REST: its state, pause and limits, priorities, draining of workers, sweeps."""

from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Header
from pydantic import BaseModel, Field

from orchestrator.api.answers.jobs import StoppedSweep
from orchestrator.api.authentication import CurrentUser
from orchestrator.api.documented_route import documented_router
from orchestrator.api.routes.jobs import JobBody
from orchestrator.api.rules import NO_FLAG, Flag, one_of, rule
from orchestrator.api.schema.recipe_bodies import sweep_values
from orchestrator.api.serialization import Id, complete_page, extended
from orchestrator.domain.queueing import PRIORITIES
from orchestrator.services.db import session_scope
from orchestrator.services.paging import Page
from orchestrator.services.training import queue_control, queue_position, sweeps
from orchestrator.services.training.defaults import with_defaults
from orchestrator.services.training.queue_control import QueueRow
from orchestrator.services.training.rows import JobRow
from orchestrator.services.training.sweeps import SweepRow

router = documented_router(tags=["queue"])


class QueueBody(BaseModel):
    """What to change; `per_user: null` removes the limit."""

    paused: Flag | None = None
    per_user: Annotated[int, NO_FLAG, rule(minimum=1, maximum=queue_control.MOST_PER_USER)] | None = None


class DrainBody(BaseModel):
    """true: the worker takes no more jobs; false: it takes jobs again."""

    draining: Flag = True


@dataclass(frozen=True, slots=True)
class Draining:
    """Whether a worker takes more jobs."""

    name: str
    draining: bool
    """True: it takes no more."""


class PriorityBody(BaseModel):
    """low, normal or high."""

    priority: Annotated[str, one_of(PRIORITIES)]


class SweepBody(JobBody):
    """The body of a job, and lists of values by recipe field: `{"optim.learning_rate": [1e-3, 2e-3]}`."""

    output_name: Annotated[str, rule(pattern=r"^([a-z0-9][a-z0-9._-]*)?$")] = "adapter"
    """The jobs are called so, with numbers behind."""
    sweep: Annotated[
        dict[str, Annotated[list[Any], rule(minItems=1)]],
        Field(max_length=12),
        rule(minProperties=1, **sweep_values()),
    ]


@router.get("/queue")
def get_queue(actor: CurrentUser) -> QueueRow:
    with session_scope() as session:
        return queue_control.queue_row(session, actor)


@router.patch("/queue")
def steer_queue(actor: CurrentUser, body: QueueBody) -> QueueRow:
    unlimited = "per_user" in body.model_fields_set and body.per_user is None
    with session_scope() as session:
        return queue_control.steer_queue(session, actor, body.paused, body.per_user, unlimited)


@router.post("/workers/{name}/drain", status_code=202)
def drain(actor: CurrentUser, name: str, body: DrainBody | None = None) -> Draining:
    draining = body is None or body.draining
    with session_scope() as session:
        queue_control.drain_worker(session, actor, name, draining)
    return Draining(name, draining)


@router.patch("/jobs/{job_id:int}")
def set_priority(actor: CurrentUser, job_id: Id, body: PriorityBody) -> JobRow:
    with session_scope() as session:
        return queue_control.set_priority(session, actor, job_id, body.priority)


@router.get("/jobs/{job_id}/place", operation_id="place_api_v1_jobs__job_id__place_get", summary="Place")
def position(actor: CurrentUser, job_id: Id) -> queue_position.QueuePosition:
    """The position of a waiting job in the queue; zeros when it does not wait."""
    with session_scope() as session:
        found = queue_position.find_position(session, actor, job_id)
    return found or queue_position.QueuePosition(0, 0, None, "")


@router.post("/sweeps", status_code=201)
def launch_sweep(
    actor: CurrentUser, body: SweepBody, idempotency_key: Annotated[str, Header(max_length=80)] = ""
) -> SweepRow:
    with session_scope() as session:
        base = with_defaults(session, actor, *body.ids, body.given())
        version = body.dataset_version or 0
        return sweeps.launch_sweep(session, actor, *body.ids, base, body.sweep, idempotency_key, version)


@router.get("/sweeps")
def list_sweeps(actor: CurrentUser, limit: int = 50) -> Page[SweepRow]:
    with session_scope() as session:
        return complete_page(sweeps.list_sweeps(session, actor, limit))


@router.get("/sweeps/{sweep_id}")
def get_sweep(actor: CurrentUser, sweep_id: Id) -> SweepRow:
    with session_scope() as session:
        return sweeps.get_sweep(session, actor, sweep_id)


@router.post("/sweeps/{sweep_id}/stop", status_code=202)
def stop_sweep(actor: CurrentUser, sweep_id: Id) -> StoppedSweep:
    stopped = sweeps.stop_sweep(actor, sweep_id)
    with session_scope() as session:
        return extended(StoppedSweep, sweeps.get_sweep(session, actor, sweep_id), stopped=stopped)
