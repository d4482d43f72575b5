"""Notifications by REST: list them, mark them read, choose how they are delivered."""

from typing import Annotated, Any

from fastapi import Query
from pydantic import BaseModel, Field

from orchestrator.api.authentication import CurrentUser, SessionUser
from orchestrator.api.checked_route import checked_router
from orchestrator.api.serialization import BodyId, QueryId, to_json
from orchestrator.domain.notifications import KINDS
from orchestrator.services.db import session_scope
from orchestrator.services.notifications import notifications, preferences

router = checked_router(tags=["notifications"])


class ReadBody(BaseModel):
    """Which notifications to mark as read; without `ids` all of them."""

    ids: Annotated[list[BodyId], Field(max_length=1_000)] | None = None


class WishBody(BaseModel):
    """How notifications are delivered besides in the studio, and which kinds."""

    webhook_url: str = ""
    email: bool = False
    kinds: list[str] = list(KINDS)


@router.get("/notifications")
def list_notifications(
    actor: CurrentUser,
    limit: Annotated[int, Query(ge=1, le=200)] = 30,
    before: QueryId = None,
    unread: bool = False,
) -> dict[str, Any]:
    """Newest first; `next` is the `before` of the following page."""
    with session_scope() as session:
        page = notifications.list_notifications(session, actor, limit, before, unread)
    rows = [to_json(row) for row in page.items]
    cursor = str(page.items[-1].id) if len(rows) == limit else None
    return {"items": rows, "next": cursor, "total": len(rows), "unread": page.unread}


@router.post("/notifications/read")
def read_notifications(actor: CurrentUser, body: ReadBody) -> dict[str, Any]:
    with session_scope() as session:
        return {"read": notifications.mark_read(session, actor, body.ids)}


@router.get("/notifications/settings", operation_id="get_wishes_api_v1_notifications_settings_get")
def get_preferences(actor: SessionUser) -> dict[str, Any]:
    """Holds the secret of the webhook, so that a session is needed; a token is not enough."""
    with session_scope() as session:
        return to_json(preferences.get_preferences(session, actor))


@router.put("/notifications/settings", operation_id="save_wishes_api_v1_notifications_settings_put")
def save_preferences(actor: SessionUser, body: WishBody) -> dict[str, Any]:
    with session_scope() as session:
        return to_json(preferences.save_preferences(session, actor, body.webhook_url, body.email, body.kinds))


@router.post("/notifications/test", status_code=202, operation_id="test_wishes_api_v1_notifications_test_post")
def send_test(actor: SessionUser) -> dict[str, Any]:
    """Sends a test notification through every channel that is set up."""
    with session_scope() as session:
        preferences.send_test(session, actor)
    return {"sent": True}
