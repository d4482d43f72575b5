"""Sends notices out beside the controller's work: a slow mail server must not hold a verdict up."""

import threading

import structlog

from orchestrator.services.notifications.delivery import deliver_due

log = structlog.get_logger()


class NotificationSender:
    """One round at a time, in a thread; `tick` starts the next one when the last is over."""

    def __init__(self) -> None:
        self._round: threading.Thread | None = None

    def tick(self) -> None:
        """Starts a round unless one is under way."""
        if self._round is None or not self._round.is_alive():
            self._round = threading.Thread(target=_deliver, daemon=True, name="courier")
            self._round.start()


def _deliver() -> None:
    try:
        deliver_due()
    except Exception:  # the next round tries again; the controller goes on in any case
        log.exception("courier.round_failed")
