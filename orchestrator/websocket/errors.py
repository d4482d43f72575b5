"""What a page shows and the log records when one of its events fails unexpectedly."""

import reflex as rx
import structlog

from orchestrator.services.store_errors import of_store
from orchestrator.ui.primitives.toast import toast

log = structlog.get_logger(__name__)
_BROKEN = "Something went wrong on our side. Try again; it is in the log of the web process."
_LONGEST = 600


def on_backend_error(exception: Exception) -> rx.event.EventSpec:
    """A toast; our own bug is logged once with its traceback, an outage of a store as a line."""
    refusal = of_store(exception)
    if refusal is not None:
        log.warning("event.store_unavailable", error=type(exception).__name__)
        return toast("error", refusal.message)
    log.error("event.unexpected_error", exc_info=exception)
    return toast("error", _BROKEN)


def on_frontend_error(exception: Exception) -> None:
    """What a browser reports of its own errors: one line, bounded."""
    log.warning("page.script_error", report=str(exception)[:_LONGEST])
