"""Imports a dataset in the prep worker: fetches its source if there is one, then has the service read the files."""

import contextlib
import time

from sqlmodel import select

from jobs.fetch.dataset_source import STOPPED, fetch_source
from jobs.processes.lease import Lease
from jobs.video.probe_pool import ProbePool
from orchestrator.domain.datasets import Dataset, DatasetStatus
from orchestrator.domain.redis_keys import ingest_lease
from orchestrator.services.datasets.curation.doctor import report_of
from orchestrator.services.datasets.ingest.pipeline import fail_import, ingest_dataset
from orchestrator.services.datasets.rows import dataset_row
from orchestrator.services.datasets.statistics import statistics_of
from orchestrator.services.datasets.stored_results import is_stored
from orchestrator.services.db import DATABASE_AWAY, session_scope

_CHECK_EVERY_S = 0.5


def run_ingest(dataset_id: int) -> str:
    """Fetches, unpacks, probes and stores the clips; the status of the dataset at the end."""
    # Of two messages for the same dataset the later one counts: it is sent when the first one's worker has died.
    lease = Lease(ingest_lease(dataset_id), int(time.time() * 1000))
    lease.keep()
    try:
        import_guard = ImportGuard(dataset_id, lease)
        problem = fetch_source(dataset_id, import_guard)
        if problem:
            return "cancelled" if problem == STOPPED else fail_import(dataset_id, problem)
        with ProbePool() as pool:
            result = ingest_dataset(dataset_id, pool, import_guard, pool.size + 1, pool.spans)
        prepare_results(dataset_id)
        return result
    finally:
        lease.release()


def prepare_results(dataset_id: int) -> None:
    """Computes the statistics and the doctor's report of a large dataset here, so that the web only reads them."""
    with session_scope() as session:
        dataset = session.get(Dataset, dataset_id)
        if dataset is None or dataset.status is not DatasetStatus.READY:
            return
        row = dataset_row(dataset)
        if is_stored(row):
            statistics_of(session, row)
            report_of(session, row)


class ImportGuard:
    """Says whether the import should continue: not once it was cancelled, deleted, or taken over by another worker.

    The last answer holds while the database is away.
    """

    def __init__(self, dataset_id: int, lease: Lease) -> None:
        self._dataset_id, self._lease = dataset_id, lease
        self._checked_at, self._continues = 0.0, True

    def __call__(self) -> bool:
        now = time.monotonic()
        if self._continues and now - self._checked_at >= _CHECK_EVERY_S:
            self._checked_at = now
            with contextlib.suppress(*DATABASE_AWAY), session_scope() as session:
                status = session.exec(select(Dataset.status).where(Dataset.id == self._dataset_id)).first()
                self._continues = status is DatasetStatus.PROCESSING
        return self._continues and not self._lease.fenced
