"""Where a user's notifications are sent in addition to the studio: to a webhook, to the account's e-mail address."""

import secrets
from collections.abc import Sequence
from typing import Any

from sqlmodel import Session, col, select

from orchestrator.domain.audit import Act
from orchestrator.domain.errors import Conflict, Invalid
from orchestrator.domain.notifications import KINDS, Notification, NotificationDelivery, NotificationPreference
from orchestrator.domain.users import Actor
from orchestrator.domain.web_addresses import split_address
from orchestrator.services.audit.recording import record
from orchestrator.services.notifications.notifications import notify
from orchestrator.services.notifications.rows import PreferencesRow
from orchestrator.services.url_safety import http_problem
from orchestrator.services.vault import WEBHOOKS, seal, unseal
from orchestrator.settings import get_settings

MAX_WEBHOOK_URL = 500


def webhook_secret_of(preference: NotificationPreference) -> str:
    """The secret that signs the webhook's body; "" when there is none, or the secret key has changed since."""
    if not preference.webhook_secret:
        return ""
    try:
        return str(unseal(preference.webhook_secret, WEBHOOKS)["secret"])
    except Conflict:
        return ""


def get_preferences(session: Session, actor: Actor) -> PreferencesRow:
    """The actor's preferences, or the defaults."""
    preference = session.get(NotificationPreference, actor.user_id) or NotificationPreference(user_id=actor.user_id)
    last_error = (
        select(NotificationDelivery.error)
        .join(Notification, col(Notification.id) == col(NotificationDelivery.notification_id))
        .where(Notification.user_id == actor.user_id, NotificationDelivery.tries > 0)
        .order_by(col(NotificationDelivery.id).desc())
        .limit(1)
    )
    return PreferencesRow(
        webhook_url=preference.webhook_url,
        webhook_secret=webhook_secret_of(preference),
        email=preference.email,
        kinds=tuple(kind for kind in preference.kinds.split(",") if kind),
        address=actor.email,
        mail_ready=bool(get_settings().smtp_host),
        last_error=session.exec(last_error).first() or "",
    )


def save_preferences(
    session: Session, actor: Actor, webhook_url: str, email: bool, kinds: Sequence[str] = KINDS
) -> PreferencesRow:
    """Replaces the actor's preferences. A new webhook address gets a new secret.

    Raises:
        Invalid: `webhook_url` is no http address, `kinds` has an unknown kind, or `email` is set without a mail server.
    """
    address = webhook_url.strip()
    problems: list[tuple[str, str]] = []
    if address and (problem := http_problem(address)):
        problems.append(("webhook_url", problem))
    elif len(address) > MAX_WEBHOOK_URL:
        problems.append(("webhook_url", f"The address may have {MAX_WEBHOOK_URL} characters."))
    if unknown := [kind for kind in kinds if kind not in KINDS]:
        problems.append(("kinds", f"There is no kind of notification {unknown[0]!r}; choose from {', '.join(KINDS)}."))
    if email and not get_settings().smtp_host:
        problems.append(("email", "No mail server is set up on this machine; an administrator sets LOREEL_SMTP_HOST."))
    if problems:
        raise Invalid(problems[0][1], problems[0][0], problems)
    preference = session.get(NotificationPreference, actor.user_id) or NotificationPreference(user_id=actor.user_id)
    if address != preference.webhook_url or not webhook_secret_of(preference):
        secret = f"whs_{secrets.token_urlsafe(24)}"
        preference.webhook_secret = seal({"secret": secret}, WEBHOOKS) if address else ""
    before = _audited(preference)
    preference.webhook_url, preference.email = address, email
    preference.kinds = ",".join(kind for kind in KINDS if kind in kinds)
    session.add(preference)
    session.flush()
    record(session, actor, Act.NOTIFICATIONS_CHANGED, actor.user_id, actor.username, before, _audited(preference))
    return get_preferences(session, actor)


def _audited(preference: NotificationPreference) -> dict[str, Any]:
    """What the audit log keeps: of the webhook its host only, because its path may be a secret."""
    host = split_address(preference.webhook_url).hostname or ""
    return {"webhook_host": host, "email": preference.email, "kinds": preference.kinds}


def send_test(session: Session, actor: Actor) -> None:
    """Sends a test notification through every channel that the actor has set up.

    Raises:
        Invalid: there is no channel, or no kind is chosen.
    """
    preference = get_preferences(session, actor)
    if not preference.webhook_url and not preference.email:
        raise Invalid("Give a webhook address or switch e-mail on first.", "webhook_url")
    kind = preference.kinds[0] if preference.kinds else ""
    if not kind:
        raise Invalid("Choose at least one kind of notification first.", "kinds")
    notify(
        session, actor.user_id, kind, "This is a test notification", "It was sent from Settings and belongs to no job."
    )
