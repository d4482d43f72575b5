"""Sends notifications from a thread of the controller, so that a slow mail server never delays the care for runs."""

import threading

import structlog

from orchestrator.services.db import DATABASE_AWAY, why_away
from orchestrator.services.notifications.delivery import deliver_due

log = structlog.get_logger()


class NotificationSender:
    """Delivers what is due, one round at a time."""

    def __init__(self) -> None:
        self._round: threading.Thread | None = None

    def tick(self) -> None:
        """Starts a round unless one is running."""
        if self._round is None or not self._round.is_alive():
            self._round = threading.Thread(target=_deliver, daemon=True, name="notifications")
            self._round.start()


def _deliver() -> None:
    try:
        deliver_due()
    except DATABASE_AWAY as error:
        log.warning("notifications.database_away", error=why_away(error))
    except Exception:  # the next round tries again; the controller continues in any case
        log.exception("notifications.round_failed")
