"""Reads a dataset in the prep worker: fetches what lies elsewhere, lends the service our eyes, keeps the lease."""

import time

from sqlmodel import select

from jobs.fetch.dataset_source import STOPPED, fetch_source
from jobs.processes.lease import Lease
from jobs.video.probe_pool import ProbePool
from orchestrator.domain.datasets import Dataset, DatasetStatus
from orchestrator.domain.redis_keys import ingest_lease
from orchestrator.services.datasets.ingest.pipeline import fail_import, ingest_dataset
from orchestrator.services.db import session_scope

_ASK_S = 0.5


def run_ingest(dataset_id: int) -> str:
    """Unpacks, probes and records the clips; the status of the dataset at the end."""
    # Of two letters for the same dataset the later one wins: it means that the first one's worker fell silent.
    lease = Lease(ingest_lease(dataset_id), int(time.time() * 1000))
    lease.keep()
    try:
        wanted = IngestClaim(dataset_id, lease)
        problem = fetch_source(dataset_id, wanted)
        if problem:
            return "called off" if problem == STOPPED else fail_import(dataset_id, problem)
        with ProbePool() as lookers:
            return ingest_dataset(dataset_id, lookers, should_continue=wanted, concurrency=lookers.at_once + 1)
    finally:
        lease.release()


class IngestClaim:
    """Whether somebody still wants this reading: not when it was called off, deleted, or taken over."""

    def __init__(self, dataset_id: int, lease: Lease) -> None:
        self._dataset_id, self._lease = dataset_id, lease
        self._asked_at, self._answer = 0.0, True

    def __call__(self) -> bool:
        now = time.monotonic()
        if self._answer and now - self._asked_at >= _ASK_S:
            self._asked_at = now
            with session_scope() as session:
                status = session.exec(select(Dataset.status).where(Dataset.id == self._dataset_id)).first()
            self._answer = status is DatasetStatus.PROCESSING
        return self._answer and not self._lease.fenced
