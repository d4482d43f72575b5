"""The controller: each second it makes queue, runs and database agree; one acts, the others wait to take over."""

import os
import signal
import socket
import threading
import time

import redis
import structlog

from jobs.controller.housekeeping import Housekeeping
from jobs.controller.leader import LeaderLease
from jobs.controller.notification_sender import NotificationSender
from jobs.controller.reconcile import Reconciler
from orchestrator.beats import Beat
from orchestrator.logs import configure_logging
from orchestrator.private_files import keep_files_private
from orchestrator.release import NewerData, check_release
from orchestrator.services.db import DATABASE_AWAY, session_scope, why_away
from orchestrator.services.redis import connect
from orchestrator.settings import get_settings

log = structlog.get_logger()
TICK_S = 1.0
STANDBY_S = 2.0
"""How often a controller that is not the leader asks for the lease."""


def run(stopping: threading.Event) -> None:
    """Acts until it is asked to stop, while it is the leader. Waits while Redis or the database is away."""
    lease = LeaderLease(f"{socket.gethostname()}:{os.getpid()}")
    client = connect(retries=0, socket_timeout=5.0)
    reconciler, housekeeping, notifications = Reconciler(client), Housekeeping(client), NotificationSender()
    outage, beat = "", Beat("controller")
    while not stopping.is_set():
        began = time.monotonic()
        beat.touch()
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
            outage = _log_outage(outage, "")
        except redis.RedisError as error:
            outage, leads = _log_outage(outage, "redis", str(error)), True
        except DATABASE_AWAY as error:
            outage, leads = _log_outage(outage, "database", why_away(error)), True
        stopping.wait(max(0.1, (TICK_S if leads else STANDBY_S) - (time.monotonic() - began)))
    beat.end()
    try:
        with session_scope() as session:
            lease.release(session)
    except DATABASE_AWAY as error:  # it expires by itself
        log.warning("controller.lease_not_released", error=why_away(error))


def _log_outage(before: str, now: str, error: str = "") -> str:
    """One line when a store goes away and one when it is back; returns which one is away now."""
    if now and now != before:
        log.warning("controller.waiting", store=now, error=error)
    elif before and not now:
        log.info("controller.goes_on", store=before)
    return now


def main() -> int:
    """`python -m jobs.controller`: ends in order on SIGTERM and SIGINT."""
    configure_logging("controller")
    try:
        check_release(get_settings().data_dir)
    except NewerData as newer:
        log.error("controller.newer_data", hint=str(newer))
        return 1
    keep_files_private(get_settings().data_dir)
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    run(stopping)
    return 0
