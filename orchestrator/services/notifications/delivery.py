"""Carries what is due through its door, and tries again later what was not taken: called by the controller."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import structlog
from sqlmodel import Session, col, select

from orchestrator.domain.base import utcnow
from orchestrator.domain.notifications import NoticeDelivery, NoticeWish, Notification
from orchestrator.domain.users import User
from orchestrator.services.db import session_scope
from orchestrator.services.notifications.channels import NotDelivered, post_webhook, send_email
from orchestrator.settings import get_settings

log = structlog.get_logger()
WAITS_S = (10, 60, 300, 1_800, 7_200)
"""Seconds before each further try; after the last one it is given up."""
_AT_ONCE = 20


@dataclass(frozen=True, slots=True)
class _Parcel:
    delivery_id: int
    channel: str
    url: str
    secret: str
    address: str
    notice: dict[str, Any]
    link: str


def deliver_due() -> int:
    """Tries everything that is due once; says how much arrived. No transaction is open while the world answers."""
    with session_scope() as session:
        parcels = _due(session)
    arrived = 0
    for parcel in parcels:
        problem = _carry(parcel)
        arrived += not problem
        with session_scope() as session:
            _settle(session, parcel.delivery_id, problem)
    return arrived


def _due(session: Session) -> list[_Parcel]:
    statement = (
        select(NoticeDelivery, Notification, NoticeWish, User)
        .join(Notification, col(Notification.id) == col(NoticeDelivery.notification_id))
        .join(User, col(User.id) == col(Notification.user_id))
        .join(NoticeWish, col(NoticeWish.user_id) == col(Notification.user_id))
        .where(col(NoticeDelivery.done_at).is_(None), col(NoticeDelivery.next_at) <= utcnow())
        .order_by(col(NoticeDelivery.next_at))
        .limit(_AT_ONCE)
    )
    return [_parcel(*found) for found in session.exec(statement)]


def _parcel(delivery: NoticeDelivery, notice: Notification, wish: NoticeWish, user: User) -> _Parcel:
    base = get_settings().resolved_public_url
    link = f"{base}/jobs/{notice.job_id}" if notice.job_id else base
    body = {
        "id": str(notice.id),
        "kind": notice.kind,
        "title": notice.title,
        "body": notice.body,
        "job_id": str(notice.job_id) if notice.job_id else None,
        "url": link,
        "created_at": notice.created_at.isoformat(),
    }
    return _Parcel(delivery.id or 0, delivery.channel, wish.webhook_url, wish.webhook_secret, user.email, body, link)


def _carry(parcel: _Parcel) -> str:
    """Why it was not taken, or ""."""
    try:
        if parcel.channel == "email":
            send_email(parcel.address, parcel.notice["title"], parcel.notice["body"], parcel.link)
        elif parcel.url:
            post_webhook(parcel.url, parcel.secret, parcel.notice)
    except NotDelivered as error:
        return str(error)
    except Exception as error:  # one person's odd address must not hold everybody's notices up
        log.exception("courier.failed", delivery=parcel.delivery_id)
        return f"It could not be sent ({type(error).__name__})."
    return ""


def _settle(session: Session, delivery_id: int, problem: str) -> None:
    delivery = session.get(NoticeDelivery, delivery_id)
    if delivery is None:
        return
    delivery.tries, delivery.error = delivery.tries + 1, problem[:300]
    if not problem or delivery.tries > len(WAITS_S):
        delivery.done_at = utcnow()
    else:
        delivery.next_at = utcnow() + timedelta(seconds=WAITS_S[delivery.tries - 1])
    session.add(delivery)
