"""Delivers notifications that are due and schedules retries; called by the controller.

Receivers are served side by side and in turns, so that a slow or dead one delays no other person's notifications.
"""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import structlog
from sqlalchemy import func
from sqlmodel import Session, col, select

from orchestrator.domain.base import utcnow
from orchestrator.domain.notifications import Notification, NotificationDelivery, NotificationPreference
from orchestrator.domain.users import User
from orchestrator.services.db import session_scope
from orchestrator.services.notifications.channels import NotDelivered, post_webhook, send_email
from orchestrator.services.notifications.preferences import webhook_secret_of
from orchestrator.settings import get_settings

log = structlog.get_logger()
RETRY_WAITS_S = (10, 60, 300, 1_800, 7_200)
"""Seconds before each retry; after the last one a delivery is given up."""
_RECEIVERS_AT_ONCE = 4
_BATCH = 20
"""Deliveries of one person by one channel in a round."""
_ROUND = 200


@dataclass(frozen=True, slots=True)
class _DueDelivery:
    """Everything that a delivery needs, so that no transaction is open while it is sent."""

    delivery_id: int
    user_id: int
    channel: str
    url: str
    secret: str
    address: str
    body: dict[str, Any]
    link: str


def deliver_due() -> int:
    """Tries each delivery that is due once; no transaction is open while a receiver answers.

    Returns:
        How many were delivered.
    """
    receivers: dict[tuple[int, str], list[_DueDelivery]] = {}
    with session_scope() as session:
        for delivery in _due(session):
            receivers.setdefault((delivery.user_id, delivery.channel), []).append(delivery)
    with ThreadPoolExecutor(_RECEIVERS_AT_ONCE, "notifications") as executor:
        return sum(executor.map(_deliver_in_order, receivers.values()))


def _deliver_in_order(deliveries: list[_DueDelivery]) -> int:
    """Sends those of one receiver; how many were delivered. After a failure the rest waits for the next round."""
    for delivered, delivery in enumerate(deliveries):
        problem = _send(delivery)
        with session_scope() as session:
            _record_try(session, delivery.delivery_id, problem)
        if problem:
            return delivered
    return len(deliveries)


def _due(session: Session) -> list[_DueDelivery]:
    order = col(NotificationDelivery.next_at), col(NotificationDelivery.id)
    receiver = col(Notification.user_id), col(NotificationDelivery.channel)
    turn = func.row_number().over(partition_by=receiver, order_by=order)
    ranked = (
        select(col(NotificationDelivery.id).label("id"), turn.label("turn"))
        .join(Notification, col(Notification.id) == col(NotificationDelivery.notification_id))
        .where(col(NotificationDelivery.done_at).is_(None), col(NotificationDelivery.next_at) <= utcnow())
        .subquery()
    )
    statement = (
        select(NotificationDelivery, Notification, NotificationPreference, User)
        .join(ranked, ranked.c.id == col(NotificationDelivery.id))
        .join(Notification, col(Notification.id) == col(NotificationDelivery.notification_id))
        .join(User, col(User.id) == col(Notification.user_id))
        .join(NotificationPreference, col(NotificationPreference.user_id) == col(Notification.user_id))
        .where(ranked.c.turn <= _BATCH)
        .order_by(ranked.c.turn, *order)
        .limit(_ROUND)
    )
    return [_due_delivery(*row) for row in session.exec(statement)]


def _due_delivery(
    delivery: NotificationDelivery, notification: Notification, preference: NotificationPreference, user: User
) -> _DueDelivery:
    base = get_settings().resolved_public_url
    link = f"{base}/jobs/{notification.job_id}" if notification.job_id else base
    body = {
        "id": str(notification.id),
        "kind": notification.kind,
        "title": notification.title,
        "body": notification.body,
        "job_id": str(notification.job_id) if notification.job_id else None,
        "url": link,
        "created_at": notification.created_at.isoformat(),
    }
    return _DueDelivery(
        delivery.id or 0,
        notification.user_id,
        delivery.channel,
        preference.webhook_url,
        webhook_secret_of(preference),
        user.email,
        body,
        link,
    )


def _send(delivery: _DueDelivery) -> str:
    """Sends it; why that failed, or ""."""
    try:
        if delivery.channel == "email":
            send_email(delivery.address, delivery.body["title"], delivery.body["body"], delivery.link)
        elif delivery.url and not delivery.secret:
            return "The webhook's secret was stored under another secret key. Save the notifications under Settings."
        elif delivery.url:
            post_webhook(delivery.url, delivery.secret, delivery.body)
    except NotDelivered as error:
        return str(error)
    except Exception as error:  # an unexpected error of one address must not stop all other deliveries
        log.exception("notification.delivery_failed", delivery=delivery.delivery_id)
        return f"It could not be sent ({type(error).__name__})."
    return ""


def _record_try(session: Session, delivery_id: int, problem: str) -> None:
    delivery = session.get(NotificationDelivery, delivery_id)
    if delivery is None:
        return
    delivery.tries, delivery.error = delivery.tries + 1, problem[:300]
    if not problem or delivery.tries > len(RETRY_WAITS_S):
        delivery.done_at = utcnow()
    else:
        delivery.next_at = utcnow() + timedelta(seconds=RETRY_WAITS_S[delivery.tries - 1])
    session.add(delivery)
