"""Notifications of users: created with a delivery for each channel they chose, listed, marked as read."""

from sqlalchemy import delete, func, update
from sqlmodel import Session, col, select

from orchestrator.domain.base import utcnow
from orchestrator.domain.notifications import Notification, NotificationDelivery, NotificationPreference
from orchestrator.domain.users import Actor
from orchestrator.services.after_commit import after_commit
from orchestrator.services.live_events import publish_notice
from orchestrator.services.notifications.rows import NotificationList, NotificationRow
from orchestrator.settings import get_settings

MAX_KEPT = 500
"""Notifications that are kept per user; the oldest are deleted first."""


def notify(session: Session, user_id: int, kind: str, title: str, body: str = "", job_id: int | None = None) -> None:
    """Creates a notification, its deliveries, and after the commit the live event for the user's open tabs.

    Args:
        kind: one of `domain.notifications.KINDS`.
        title, body: shortened to the length of their columns.
    """
    notification = Notification(user_id=user_id, kind=kind, title=title[:160], body=body[:500], job_id=job_id)
    session.add(notification)
    session.flush()
    assert notification.id is not None
    preference = session.get(NotificationPreference, user_id)
    if preference is not None and kind in preference.kinds.split(","):
        channels = ["webhook"] if preference.webhook_url else []
        channels += ["email"] if preference.email and get_settings().smtp_host else []
        session.add_all(NotificationDelivery(notification_id=notification.id, channel=channel) for channel in channels)
    _delete_oldest(session, user_id)
    row = _row(notification)
    after_commit(session, lambda: publish(user_id, row))


def publish(user_id: int, row: NotificationRow | None) -> None:
    """Sends the user's open tabs a new notification, or (None) the news that some were read in another tab."""
    if row is None:
        publish_notice(user_id)
    else:
        publish_notice(user_id, row.id, row.kind, row.title, row.body, row.job_id)


def list_notifications(
    session: Session, actor: Actor, limit: int = 30, before: int | None = None, unread: bool = False
) -> NotificationList:
    """The actor's notifications, newest first.

    Args:
        before: only those with a lower id, for the next page.
        unread: only unread ones.
    """
    mine = [col(Notification.user_id) == actor.user_id]
    where = [*mine]
    if before is not None:
        where.append(col(Notification.id) < before)
    if unread:
        where.append(col(Notification.read_at).is_(None))
    newest = select(Notification).where(*where).order_by(col(Notification.id).desc()).limit(max(1, min(limit, 200)))
    count = select(func.count(col(Notification.id))).where(*mine, col(Notification.read_at).is_(None))
    return NotificationList([_row(notification) for notification in session.exec(newest)], session.exec(count).one())


def mark_read(session: Session, actor: Actor, ids: list[int] | None = None) -> int:
    """Marks notifications of the actor as read; without `ids` all of them.

    Returns:
        How many were unread before.
    """
    where = [col(Notification.user_id) == actor.user_id, col(Notification.read_at).is_(None)]
    if ids is not None:
        where.append(col(Notification.id).in_(ids[:MAX_KEPT]))
    changed = session.exec(update(Notification).where(*where).values(read_at=utcnow())).rowcount
    if changed:
        after_commit(session, lambda: publish(actor.user_id, None))
    return changed


def _delete_oldest(session: Session, user_id: int) -> None:
    newest = select(Notification.id).where(Notification.user_id == user_id).order_by(col(Notification.id).desc())
    oldest = session.exec(newest.offset(MAX_KEPT).limit(1)).first()
    if oldest is not None:
        session.exec(delete(Notification).where(col(Notification.user_id) == user_id, col(Notification.id) <= oldest))


def _row(notification: Notification) -> NotificationRow:
    assert notification.id is not None
    return NotificationRow(
        notification.id,
        notification.kind,
        notification.title,
        notification.body,
        notification.job_id,
        notification.created_at,
        notification.read_at is not None,
    )
