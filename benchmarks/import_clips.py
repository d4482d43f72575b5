"""The import of 1,000 clips (probe, film strip, fingerprint, rows), against bare PyAV decoding of the same."""

import time
from pathlib import Path

import av

from benchmarks.ledger import ledger
from benchmarks.target import Target
from jobs.ingest import look
from jobs.video.looker import Looker
from jobs.video.synthetic import demo_frames, write_mp4
from orchestrator.domain.datasets import Dataset, DatasetStatus, Upload, UploadStatus
from orchestrator.domain.users import Actor
from orchestrator.services.datasets.files import upload_path
from orchestrator.services.datasets.ingest import ingest_dataset
from orchestrator.services.db import session_scope

TARGETS: dict[str, Target] = {"against_bare_decoding": {"min": 0.8}}
CLIPS, DRAWN = 1_000, 40
assert look  # the child's own eyes: imported here so that its import is not measured


def _clips(folder: Path) -> list[Path]:
    """A thousand different files of forty drawings: a free box at the end makes each its own."""
    motions = ("circling", "zooming", "bouncing", "blinking")
    drawn = [write_mp4(folder / f"d{i}.mp4", demo_frames(motions[i % 4], i)).read_bytes() for i in range(DRAWN)]
    paths = []
    for i in range(CLIPS):
        path = folder / f"{i}.mp4"
        path.write_bytes(drawn[i % DRAWN] + (12).to_bytes(4, "big") + b"free" + i.to_bytes(4, "big"))
        paths.append(path)
    return paths


def _bring(actor: Actor, paths: list[Path]) -> int:
    with session_scope() as session:
        dataset = Dataset(owner_id=actor.user_id, name="thousand", status=DatasetStatus.PROCESSING)
        session.add(dataset)
        session.flush()
        for i, path in enumerate(paths):
            row = Upload(
                id=f"u{i}", owner_id=actor.user_id, dataset_id=dataset.id, length=path.stat().st_size, filename=""
            )
            row.filename, row.status = f"class {i % 4}/{i}.mp4", UploadStatus.COMPLETE
            session.add(row)
            upload_path(row.id).parent.mkdir(parents=True, exist_ok=True)
            upload_path(row.id).write_bytes(path.read_bytes())
        return dataset.id or 0


def _decode(paths: list[Path]) -> float:
    began = time.perf_counter()
    for path in paths:
        with av.open(str(path)) as container:
            container.streams.video[0].thread_type = "NONE"
            for _ in container.decode(video=0):
                pass
    return time.perf_counter() - began


def run() -> dict[str, float]:
    """Clips a second of the import and of the bare decoding on one core each, and their ratio."""
    with ledger() as actor:
        folder = upload_path("x").parent.parent / "bench"
        folder.mkdir(parents=True)
        paths = _clips(folder)
        bare = _decode(paths)
        dataset_id = _bring(actor, paths)
        with Looker() as looker:
            began = time.perf_counter()
            assert ingest_dataset(dataset_id, looker) == "ready"
            took = time.perf_counter() - began
    figures = {"clips_per_s": CLIPS / took, "bare_clips_per_s": CLIPS / bare, "against_bare_decoding": bare / took}
    return {name: round(value, 2) for name, value in figures.items()}
