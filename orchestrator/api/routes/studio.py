"""The studio by REST: health of its parts, and its workers."""

from dataclasses import dataclass
from typing import Literal

from fastapi import Response

from orchestrator.api.authentication import CurrentUser
from orchestrator.api.documented_route import documented_router
from orchestrator.api.schema.shapes import shape_of
from orchestrator.api.serialization import complete_page
from orchestrator.services import workers
from orchestrator.services.db import session_scope
from orchestrator.services.paging import Page
from orchestrator.services.workers import WorkerRow
from orchestrator.stack.readiness import stores_and_workers

router = documented_router(tags=["studio"])


@dataclass(frozen=True, slots=True)
class Health:
    """The state of the studio's parts."""

    status: Literal["ok", "degraded"]
    database: Literal["ok", "down"]
    redis: Literal["ok", "down"]
    workers: int
    """How many are alive."""


@router.get("/health", responses={503: {"model": shape_of(Health)}})
async def health(response: Response) -> Health:
    """Needs no login; tells states and the number of workers, no names. Answers within two seconds."""
    database, redis, alive = await stores_and_workers()
    if not (database and redis):
        response.status_code = 503
        response.headers["Retry-After"] = "5"
    status = "ok" if database and redis else "degraded"
    return Health(status, _word(database), _word(redis), alive)


def _word(answers: bool) -> Literal["ok", "down"]:
    return "ok" if answers else "down"


@router.get("/workers")
def list_workers(actor: CurrentUser) -> Page[WorkerRow]:
    with session_scope() as session:
        return complete_page(workers.list_workers(session, actor))
