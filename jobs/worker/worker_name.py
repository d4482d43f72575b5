"""The name under which a worker stands in the database: unique among living workers, the same after a restart."""

import contextlib
import os
import socket
from datetime import datetime

import psutil
from sqlalchemy import update
from sqlalchemy.exc import IntegrityError
from sqlmodel import col

from orchestrator.domain.base import utcnow
from orchestrator.domain.machines import PREP
from orchestrator.domain.workers import Worker
from orchestrator.services.db import session_scope
from orchestrator.settings import get_settings


def claim_name(device_class: str, index: int) -> str:
    """Writes this process behind a free name and returns it: `LOREEL_WORKER_NAME`, or host and device class.

    Args:
        index: the first GPU of this worker, from 0; several workers of a host so get different names.
    """
    stem = get_settings().worker_name or f"{socket.gethostname()}-{device_class}"
    stem = f"{stem}-{device_class}" if device_class == PREP and not stem.endswith(PREP) else stem
    for number in range(index, index + 64):
        name = stem if number == 0 else f"{stem}-{number + 1}"
        if _claim(name, device_class):
            return name
    return f"{stem}-{os.getpid()}"


def _claim(name: str, device_class: str) -> bool:
    """False when a living worker has the name, or another one took it at the same moment."""
    host, me = socket.gethostname(), os.getpid()
    try:
        with session_scope() as session:
            worker = session.get(Worker, name)
            if worker is None:
                session.add(Worker(name=name, host=host, device_class=device_class, pid=me))
                return True
            if worker.host == host and worker.pid != me and _is_alive(worker.pid, worker.started_at):
                return False
            unchanged = (col(Worker.name) == name, col(Worker.pid) == worker.pid)
            taken = update(Worker).where(*unchanged).values(pid=me, host=host, started_at=utcnow(), job_id=None)
            return session.exec(taken).rowcount == 1
    except IntegrityError:
        return False


def _is_alive(pid: int, started_at: datetime) -> bool:
    """Whether the process is that worker, and not another program that got its number since."""
    with contextlib.suppress(psutil.Error):
        process = psutil.Process(pid)
        return "worker" in " ".join(process.cmdline()) and process.create_time() <= started_at.timestamp()
    return False
