"""The controller: each second it makes queue, runs and database agree; one acts, the others wait to take over."""

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
STANDBY_S = 2.0
"""How often a controller that is not the leader asks for the lease."""


def run(stopping: threading.Event) -> None:
    """Acts until it is asked to stop, while it is the leader."""
    lease = LeaderLease(f"{socket.gethostname()}:{os.getpid()}")
    client = connect(retries=0, socket_timeout=5.0)
    reconciler, housekeeping, notifications = Reconciler(client), Housekeeping(client), NotificationSender()
    redis_away = False
    while not stopping.is_set():
        began = time.monotonic()
        try:
            with session_scope() as session:
                leads = lease.claim(session)
            if leads:
                with session_scope() as session:
                    repairs = reconciler.tick(session)
                for repair in repairs:
                    log.info("controller.repaired", what=repair)
                if lease.is_leader:
                    notifications.tick()
                    housekeeping.tick()
            redis_away = False
        except redis.RedisError as error:
            if not redis_away:
                log.warning("controller.no_redis", error=str(error))
            redis_away, leads = True, True
        except OperationalError as error:
            log.warning("controller.database_busy", error=str(error.orig))
            leads = True
        stopping.wait(max(0.1, (TICK_S if leads else STANDBY_S) - (time.monotonic() - began)))
    with session_scope() as session:
        lease.release(session)


def main() -> int:
    """`python -m jobs.controller`: ends in order on SIGTERM and SIGINT."""
    configure_logging("controller")
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    run(stopping)
    return 0
