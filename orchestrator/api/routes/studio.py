"""The studio by REST: health of its parts, and its workers."""

from typing import Any

from fastapi import Response

from orchestrator.api.authentication import CurrentUser
from orchestrator.api.checked_route import checked_router
from orchestrator.api.serialization import list_json
from orchestrator.services import workers
from orchestrator.services.db import session_scope
from orchestrator.stack.readiness import stores_and_workers

router = checked_router(tags=["studio"])


@router.get("/health")
async def health(response: Response) -> dict[str, Any]:
    """Needs no login; tells states and the number of workers, no names. Answers within two seconds."""
    database, redis, alive = await stores_and_workers()
    if not (database and redis):
        response.status_code = 503
        response.headers["Retry-After"] = "5"
    words = {True: "ok", False: "down"}
    status = "ok" if database and redis else "degraded"
    return {"status": status, "database": words[database], "redis": words[redis], "workers": alive}


@router.get("/workers")
def list_workers(actor: CurrentUser) -> dict[str, Any]:
    with session_scope() as session:
        return list_json(workers.list_workers(session, actor))
