"""Notices by REST: read them, mark them read, and say how one wants to be told."""

from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel

from orchestrator.api.shapes import shape
from orchestrator.api.who import InPerson, Who
from orchestrator.domain.notifications import KINDS
from orchestrator.services.db import session_scope
from orchestrator.services.notifications import notices, preferences

router = APIRouter(tags=["notifications"])


class ReadBody(BaseModel):
    """Which notices were read; without `ids`: all."""

    ids: list[int] | None = None


class WishBody(BaseModel):
    """How one wants to be told."""

    webhook_url: str = ""
    email: bool = False
    kinds: list[str] = list(KINDS)


@router.get("/notifications")
def list_notifications(
    actor: Who,
    limit: Annotated[int, Query(ge=1, le=200)] = 30,
    before: Annotated[int | None, Query(ge=1)] = None,
    unread: bool = False,
) -> dict[str, Any]:
    """Newest first; `next` is the `before` of the following page."""
    with session_scope() as session:
        found = notices.list_notices(session, actor, limit, before, unread)
    rows = [shape(row) for row in found.items]
    more = str(found.items[-1].id) if len(rows) == limit else None
    return {"items": rows, "next": more, "total": len(rows), "unread": found.unread}


@router.post("/notifications/read")
def read_notifications(actor: Who, body: ReadBody) -> dict[str, Any]:
    with session_scope() as session:
        return {"read": notices.mark_read(session, actor, body.ids)}


@router.get("/notifications/settings")
def get_wishes(actor: InPerson) -> dict[str, Any]:
    """The webhook's secret is in it, so a token may not ask."""
    with session_scope() as session:
        return shape(preferences.get_wish(session, actor))


@router.put("/notifications/settings")
def save_wishes(actor: InPerson, body: WishBody) -> dict[str, Any]:
    with session_scope() as session:
        return shape(preferences.save_wish(session, actor, body.webhook_url, body.email, body.kinds))


@router.post("/notifications/test", status_code=202)
def test_wishes(actor: InPerson) -> dict[str, Any]:
    """Sends a test notice through every door that is open."""
    with session_scope() as session:
        preferences.send_test(session, actor)
    return {"sent": True}
