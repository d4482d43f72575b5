"""How a person wants to be told outside the studio: a webhook of their own, e-mail to their account's address."""

import secrets
from collections.abc import Sequence
from urllib.parse import urlsplit

from sqlmodel import Session, col, select

from orchestrator.domain.errors import Invalid
from orchestrator.domain.notifications import KINDS, NoticeDelivery, NoticeWish, Notification
from orchestrator.domain.users import Actor
from orchestrator.services.notifications.notices import notify
from orchestrator.services.notifications.rows import WishRow
from orchestrator.settings import get_settings


def get_wish(session: Session, actor: Actor) -> WishRow:
    """What the actor wished, or the defaults."""
    wish = session.get(NoticeWish, actor.user_id) or NoticeWish(user_id=actor.user_id)
    newest = (
        select(NoticeDelivery.error)
        .join(Notification, col(Notification.id) == col(NoticeDelivery.notification_id))
        .where(Notification.user_id == actor.user_id, NoticeDelivery.tries > 0)
        .order_by(col(NoticeDelivery.id).desc())
        .limit(1)
    )
    return WishRow(
        webhook_url=wish.webhook_url,
        webhook_secret=wish.webhook_secret,
        email=wish.email,
        kinds=tuple(kind for kind in wish.kinds.split(",") if kind),
        address=actor.email,
        mail_ready=bool(get_settings().smtp_host),
        last_error=session.exec(newest).first() or "",
    )


def save_wish(session: Session, actor: Actor, webhook_url: str, email: bool, kinds: Sequence[str] = KINDS) -> WishRow:
    """Replaces the actor's wishes. A new address gets a new secret.

    Raises:
        Invalid: `webhook_url` is no http address, `kinds` names what there is not, or `email` without a mail server.
    """
    address = webhook_url.strip()
    problems: list[tuple[str, str]] = []
    parts = urlsplit(address)
    if address and (parts.scheme not in ("http", "https") or not parts.hostname or len(address) > 500):
        problems.append(("webhook_url", "Give an address that begins with https://, or leave it empty."))
    elif parts.username or parts.password:
        problems.append(("webhook_url", "Leave name and password out of the address; the signature says who sends."))
    if unknown := [kind for kind in kinds if kind not in KINDS]:
        problems.append(("kinds", f"There is no notice {unknown[0]!r}; choose from {', '.join(KINDS)}."))
    if email and not get_settings().smtp_host:
        problems.append(("email", "No mail server is set on this machine; an administrator sets LOREEL_SMTP_HOST."))
    if problems:
        raise Invalid(problems[0][1], problems[0][0], problems)
    wish = session.get(NoticeWish, actor.user_id) or NoticeWish(user_id=actor.user_id)
    if address != wish.webhook_url:
        wish.webhook_secret = f"whs_{secrets.token_urlsafe(24)}" if address else ""
    wish.webhook_url, wish.email = address, email
    wish.kinds = ",".join(kind for kind in KINDS if kind in kinds)
    session.add(wish)
    session.flush()
    return get_wish(session, actor)


def send_test(session: Session, actor: Actor) -> None:
    """A notice through every door the actor opened, to see that it arrives."""
    wish = get_wish(session, actor)
    if not wish.webhook_url and not wish.email:
        raise Invalid("Give a webhook address or switch e-mail on first.", "webhook_url")
    kind = wish.kinds[0] if wish.kinds else ""
    if not kind:
        raise Invalid("Choose at least one kind of notice first.", "kinds")
    notify(session, actor.user_id, kind, "This is a test notice", "It was sent from Settings; no job is behind it.")
