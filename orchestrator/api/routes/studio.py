"""The studio by REST: health of its parts, and its workers."""

from typing import Any

from fastapi import Response
from redis.exceptions import RedisError
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from orchestrator.api.authentication import CurrentUser
from orchestrator.api.checked_route import checked_router
from orchestrator.api.serialization import list_json
from orchestrator.services import workers
from orchestrator.services.db import session_scope
from orchestrator.services.redis import connect

router = checked_router(tags=["studio"])


def _database() -> bool:
    try:
        with session_scope() as session:
            session.connection().execute(text("SELECT 1"))
        return True
    except SQLAlchemyError:
        return False


def _redis() -> bool:
    try:
        client = connect(retries=0, socket_timeout=1.0, socket_connect_timeout=1.0)
        try:
            return bool(client.ping())
        finally:
            client.close()
    except (RedisError, OSError):
        return False


@router.get("/health")
def health(response: Response) -> dict[str, Any]:
    """Needs no login; tells states and the number of workers, no names."""
    database, redis = _database(), _redis()
    alive = 0
    if database:
        with session_scope() as session:
            alive = workers.count_alive(session)
    if not (database and redis):
        response.status_code = 503
    words = {True: "ok", False: "down"}
    status = "ok" if database and redis else "degraded"
    return {"status": status, "database": words[database], "redis": words[redis], "workers": alive}


@router.get("/workers")
def list_workers(actor: CurrentUser) -> dict[str, Any]:
    with session_scope() as session:
        return list_json(workers.list_workers(session, actor))
