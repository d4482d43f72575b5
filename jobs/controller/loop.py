"""The one that keeps order: each second it makes queue, runs and ledger agree, and it sweeps what was abandoned."""

import os
import signal
import socket
import threading
import time

import redis
import structlog
from sqlalchemy.exc import OperationalError

from jobs.controller.housekeeping import Housekeeping
from jobs.controller.leader import LeaderLease
from jobs.controller.notification_sender import NotificationSender
from jobs.controller.reconcile import Reconciler
from orchestrator.logs import configure_logging
from orchestrator.services.db import session_scope
from orchestrator.services.redis import connect

log = structlog.get_logger()
TICK_S = 1.0
WAIT_S = 2.0
"""How often a second controller asks whether the first one is gone."""


def run(over: threading.Event) -> None:
    """Rules until told to stop; waits while another controller rules."""
    throne = LeaderLease(f"{socket.gethostname()}:{os.getpid()}")
    client = connect(retries=0, socket_timeout=5.0)
    reconciler, housekeeping, courier = Reconciler(client), Housekeeping(client), NotificationSender()
    away = False
    while not over.is_set():
        began = time.monotonic()
        try:
            with session_scope() as session:
                ruling = throne.claim(session)
            if ruling:
                with session_scope() as session:
                    mended = reconciler.tick(session)
                for what in mended:
                    log.info("controller.mended", what=what)
                if throne.held:
                    courier.tick()
                    housekeeping.tick()
            away = False
        except redis.RedisError as error:
            if not away:
                log.warning("controller.no_redis", error=str(error))
            away, ruling = True, True
        except OperationalError as error:
            log.warning("controller.ledger_busy", error=str(error.orig))
            ruling = True
        over.wait(max(0.1, (TICK_S if ruling else WAIT_S) - (time.monotonic() - began)))
    with session_scope() as session:
        throne.leave(session)


def main() -> int:
    """`python -m jobs.controller`: ends in order on SIGTERM and SIGINT."""
    configure_logging("controller")
    over = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: over.set())
    run(over)
    return 0
