"""Tells people what happened to their jobs: a row for the bell, a delivery for each door they wished for."""

from typing import Any

from sqlalchemy import delete, func, update
from sqlmodel import Session, col, select

from orchestrator.domain.base import utcnow
from orchestrator.domain.notifications import NoticeDelivery, NoticeWish, Notification
from orchestrator.domain.redis_keys import notice_channel
from orchestrator.domain.users import Actor
from orchestrator.services.after_commit import after_commit
from orchestrator.services.live_events import broadcast
from orchestrator.services.notifications.rows import NoticeRow, Notices
from orchestrator.settings import get_settings

KEPT = 500
"""Notices of a person at most; the oldest go first."""


def notify(session: Session, user_id: int, kind: str, title: str, body: str = "", job_id: int | None = None) -> None:
    """Writes a notice and rings the bell after the commit."""
    notice = Notification(user_id=user_id, kind=kind, title=title[:160], body=body[:500], job_id=job_id)
    session.add(notice)
    session.flush()
    assert notice.id is not None
    wish = session.get(NoticeWish, user_id)
    if wish is not None and kind in wish.kinds.split(","):
        doors = ["webhook"] if wish.webhook_url else []
        doors += ["email"] if wish.email and get_settings().smtp_host else []
        session.add_all(NoticeDelivery(notification_id=notice.id, channel=door) for door in doors)
    _forget_old(session, user_id)
    row = _row(notice)
    after_commit(session, lambda: ring(user_id, row))


def ring(user_id: int, row: NoticeRow | None) -> None:
    """Tells the person's open tabs: a new notice, or (None) that something was read elsewhere. SQL has it anyway."""
    fields: dict[str, Any] = {}
    if row is not None:
        fields = {"id": row.id, "what": row.kind, "title": row.title, "body": row.body, "about": row.job_id}
    broadcast(notice_channel(user_id), "notice", **fields)


def list_notices(
    session: Session, actor: Actor, limit: int = 30, before: int | None = None, unread: bool = False
) -> Notices:
    """The actor's notices, newest first; `before`: older than this id."""
    mine = [col(Notification.user_id) == actor.user_id]
    wanted = [*mine]
    if before is not None:
        wanted.append(col(Notification.id) < before)
    if unread:
        wanted.append(col(Notification.read_at).is_(None))
    newest = select(Notification).where(*wanted).order_by(col(Notification.id).desc()).limit(max(1, min(limit, 200)))
    count = select(func.count(col(Notification.id))).where(*mine, col(Notification.read_at).is_(None))
    return Notices([_row(notice) for notice in session.exec(newest)], session.exec(count).one())


def mark_read(session: Session, actor: Actor, ids: list[int] | None = None) -> int:
    """Marks the named notices of the actor as read, or all of them; says how many were not before."""
    where = [col(Notification.user_id) == actor.user_id, col(Notification.read_at).is_(None)]
    if ids is not None:
        where.append(col(Notification.id).in_(ids[:KEPT]))
    changed = session.exec(update(Notification).where(*where).values(read_at=utcnow())).rowcount
    if changed:
        after_commit(session, lambda: ring(actor.user_id, None))
    return changed


def _forget_old(session: Session, user_id: int) -> None:
    newest = select(Notification.id).where(Notification.user_id == user_id).order_by(col(Notification.id).desc())
    oldest = session.exec(newest.offset(KEPT).limit(1)).first()
    if oldest is not None:
        session.exec(delete(Notification).where(col(Notification.user_id) == user_id, col(Notification.id) <= oldest))


def _row(notice: Notification) -> NoticeRow:
    assert notice.id is not None
    return NoticeRow(
        notice.id,
        notice.kind,
        notice.title,
        notice.body,
        notice.job_id,
        notice.created_at,
        notice.read_at is not None,
    )
