"""Notifications by REST: list them, mark them read, choose how they are delivered."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Query
from pydantic import BaseModel, Field

from orchestrator.api.authentication import CurrentUser, SessionUser
from orchestrator.api.documented_route import documented_router
from orchestrator.api.rules import Flag, NotificationKinds, WebhookUrl
from orchestrator.api.serialization import BodyId, QueryId
from orchestrator.domain.notifications import KINDS
from orchestrator.services.db import session_scope
from orchestrator.services.notifications import notifications, preferences
from orchestrator.services.notifications.rows import NotificationRow, PreferencesRow

router = documented_router(tags=["notifications"])


class ReadBody(BaseModel):
    """Which notifications to mark as read; without `ids` all of them."""

    ids: Annotated[list[BodyId], Field(max_length=1_000)] | None = None


@dataclass(frozen=True, slots=True)
class NotificationPage:
    """Some notifications, the newest first."""

    items: list[NotificationRow]
    next: str | None
    """The `before` of the following page; null on the last one."""
    total: int
    """How many are on this page."""
    unread: int
    """How many are unread on all pages."""


@dataclass(frozen=True, slots=True)
class ReadAnswer:
    """How many notifications were marked as read."""

    read: int


@dataclass(frozen=True, slots=True)
class SentAnswer:
    """A test notification is on its way."""

    sent: bool


class WishBody(BaseModel):
    """How notifications are delivered outside the studio, and which kinds."""

    webhook_url: WebhookUrl = ""
    email: Flag = False
    kinds: NotificationKinds = list(KINDS)


@router.get("/notifications")
def list_notifications(
    actor: CurrentUser,
    limit: Annotated[int, Query(ge=1, le=200)] = 30,
    before: QueryId = None,
    unread: bool = False,
) -> NotificationPage:
    """Newest first; `next` is the `before` of the following page."""
    with session_scope() as session:
        page = notifications.list_notifications(session, actor, limit, before, unread)
    cursor = str(page.items[-1].id) if len(page.items) == limit else None
    return NotificationPage(page.items, cursor, len(page.items), page.unread)


@router.post("/notifications/read")
def read_notifications(actor: CurrentUser, body: ReadBody) -> ReadAnswer:
    with session_scope() as session:
        return ReadAnswer(notifications.mark_read(session, actor, body.ids))


@router.get(
    "/notifications/settings", operation_id="get_wishes_api_v1_notifications_settings_get", summary="Get Wishes"
)
def get_preferences(actor: SessionUser) -> PreferencesRow:
    """Holds the secret of the webhook, so that a session is needed; a token is not enough."""
    with session_scope() as session:
        return preferences.get_preferences(session, actor)


@router.put(
    "/notifications/settings", operation_id="save_wishes_api_v1_notifications_settings_put", summary="Save Wishes"
)
def save_preferences(actor: SessionUser, body: WishBody) -> PreferencesRow:
    with session_scope() as session:
        return preferences.save_preferences(session, actor, body.webhook_url, body.email, body.kinds)


@router.post(
    "/notifications/test",
    status_code=202,
    operation_id="test_wishes_api_v1_notifications_test_post",
    summary="Test Wishes",
)
def send_test(actor: SessionUser) -> SentAnswer:
    """Sends a test notification through every channel that is set up."""
    with session_scope() as session:
        preferences.send_test(session, actor)
    return SentAnswer(True)
