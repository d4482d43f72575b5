"""The functions that messages in the queue name; each runs in a job process, forked by the worker.

Their dotted names are what lies in Redis, so they stay.
"""

import os
from typing import Any

from jobs.worker.fork_context import prewarmed_trainer, worker_name


def train(job_id: int, attempt: int) -> str:
    """One attempt of a training job."""
    from jobs.runs.attempt import run_attempt

    return run_attempt(job_id, attempt, worker_name(), prewarmed_trainer())


def ingest(dataset_id: int, **options: Any) -> str:
    """Fetches or unpacks a dataset's files and probes each clip."""
    os.nice(5)
    from jobs.datasets.ingest import run_ingest

    return run_ingest(dataset_id, **options)


def bring_model(model_id: int) -> str:
    """Fetches a base model's files, or takes those that were uploaded, and checks them."""
    os.nice(5)
    from jobs.models.import_model import run_model_import

    return run_model_import(model_id)


def rehearse(rehearsal_id: int) -> str:
    """Runs two steps of a recipe, to measure time and memory of the run."""
    os.nice(5)
    from jobs.runs.rehearsal import run_rehearsal

    return run_rehearsal(rehearsal_id)


def adapter_work(work_id: int) -> str:
    """Merges an adapter into its base, or pushes it to the Hub."""
    os.nice(5)
    from jobs.adapters.operations import run_adapter_work

    return run_adapter_work(work_id)


def transcode(dataset_id: int, turn: int = 0) -> str:
    """Makes H.264 copies of clips that browsers do not play, some of a dataset at a time."""
    os.nice(5)
    from jobs.datasets.transcode import run_transcode

    return run_transcode(dataset_id, turn)


def make_demo() -> str:
    """Draws the demo clips once, and fills the accounts' demo datasets."""
    from jobs.datasets.demo import run_demo

    return run_demo()
