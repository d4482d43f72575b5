"""Has a trainer made ready while somebody fills the wizard in: imports take seconds, a launch should not."""

import time

import redis
import structlog

from orchestrator.domain.redis_keys import PREWARM_CHANNEL, PREWARM_KEY, PREWARM_S
from orchestrator.services.redis import connect

log = structlog.get_logger()
_last = 0.0


def ask_for_warmth() -> None:
    """Says that somebody is about to launch. Cheap: at most one message each ten seconds a process; never raises."""
    global _last
    now = time.monotonic()
    if now - _last < 10.0:
        return
    _last = now
    try:
        client = connect(retries=0, socket_timeout=1.0)
        client.set(PREWARM_KEY, "1", ex=PREWARM_S)
        client.publish(PREWARM_CHANNEL, "1")
        client.close()
    except redis.RedisError as error:
        log.info("warmth.not_asked", error=str(error))
