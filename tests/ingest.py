"""Imports a dataset at once, with the sandboxed programs that a worker uses."""

from jobs.video.probe_pool import ProbePool
from orchestrator.services.datasets.ingest.pipeline import ingest_dataset


def import_now(dataset_id: int) -> str:
    """What `jobs.datasets.ingest.run_ingest` does once the files are there, without its lease."""
    with ProbePool(size=1) as pool:
        return ingest_dataset(dataset_id, pool, probe_spans=pool.spans)
