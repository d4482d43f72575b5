"""Asks workers to prewarm a trainer while a user fills in the job form: its imports take seconds."""

import time

import redis
import structlog

from orchestrator.domain.redis_keys import PREWARM_CHANNEL, PREWARM_KEY, PREWARM_S
from orchestrator.services.redis import connect_quick

log = structlog.get_logger()
_last_request = 0.0


def request_prewarm() -> None:
    """Announces that a launch is likely. Cheap: at most one message in ten seconds per process; never raises."""
    global _last_request
    now = time.monotonic()
    if now - _last_request < 10.0:
        return
    _last_request = now
    try:
        client = connect_quick(retries=0)
        client.set(PREWARM_KEY, "1", ex=PREWARM_S)
        client.publish(PREWARM_CHANNEL, "1")
        client.close()
    except redis.RedisError as error:
        log.info("prewarm.not_requested", error=str(error))
