"""Reads a dataset's uploads in the prep worker: lends the service our eyes (PyAV), keeps the lease, tells the pages."""

import time
from pathlib import Path

from jobs.recovery.lease import Lease
from jobs.video.probe import ClipProbe, probe
from jobs.video.problem import BadClip
from jobs.video.resemblance import strip_hash
from jobs.video.thumbnail import make_film_strip
from orchestrator.domain.letterbox import ingest_lease
from orchestrator.services.datasets.ingest import ClipFacts, ingest_dataset


def run_ingest(dataset_id: int) -> str:
    """Unpacks, probes and records the clips; the status of the dataset at the end."""
    # Of two letters for the same dataset the later one wins: it means that the first one's worker fell silent.
    lease = Lease(ingest_lease(dataset_id), int(time.time() * 1000))
    lease.keep()
    try:
        return ingest_dataset(dataset_id, look, go_on=lambda: not lease.fenced)
    finally:
        lease.release()


def look(path: Path, name: str, strip: Path) -> ClipFacts:
    """The facts of one clip, and its film strip written to `strip`; for a bad clip the sentence that refuses it."""
    try:
        found: ClipProbe = probe(path, name)
        make_film_strip(path, strip, name)
        seen = strip_hash(strip)
    except BadClip as error:
        return ClipFacts(problem=str(error))
    return ClipFacts(found.frames, found.fps, found.width, found.height, found.duration_s, found.codec, seen)
