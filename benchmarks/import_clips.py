"""The import of 1,000 clips (probe, film strip, fingerprint, rows), against sequential PyAV decoding of the same.

In three shapes: as most public sets for learning actions have them (UCF-101: 320 x 240, 7 seconds at 25 frames a
second), very small ones, where what surrounds the decoding weighs most, and some like a phone's.
"""

import time
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np

from benchmarks.ledger import ledger
from benchmarks.target import Target
from jobs.video.probe_pool import ProbePool
from jobs.video.synthetic import demo_frames, write_mp4
from orchestrator.domain.datasets import Dataset, DatasetStatus, Upload, UploadStatus
from orchestrator.domain.users import Actor
from orchestrator.services.datasets.ingest.pipeline import ingest_dataset
from orchestrator.services.db import session_scope
from orchestrator.services.uploads.part_file import upload_path

TARGETS: dict[str, Target] = {
    "against_bare_decoding": {"min": 0.8},
    "phone_against_bare_decoding": {"min": 0.8},
    "small_against_bare_decoding": {"min": 0.6},
}


@dataclass(frozen=True)
class Shape:
    """So many clips made of so many drawings; a drawing has 160 x 120 pixels and 23 frames, both enlarged."""

    clips: int
    drawn: int
    scale: int = 1
    times: int = 1


SHAPES = {"": Shape(1_000, 40, 2, 8), "small_": Shape(1_000, 40), "phone_": Shape(120, 8, 4, 6)}
STRIPS, STRIP_BYTES = 500, 4_200
"""Files as large as a small clip's film strip: what the disk takes for one differs by the hour, and is named."""


def _clips(folder: Path, shape: Shape) -> list[Path]:
    """Different files of a few drawings: a free box at the end makes each its own."""
    folder.mkdir(parents=True)
    motions = ("circling", "zooming", "bouncing", "blinking")
    films = []
    for i in range(shape.drawn):
        frames = np.tile(demo_frames(motions[i % 4], i), (shape.times, 1, 1, 1))
        films.append(write_mp4(folder / f"d{i}.mp4", frames.repeat(shape.scale, 1).repeat(shape.scale, 2)).read_bytes())
    paths = []
    for i in range(shape.clips):
        path = folder / f"{i}.mp4"
        path.write_bytes(films[i % shape.drawn] + (12).to_bytes(4, "big") + b"free" + i.to_bytes(4, "big"))
        paths.append(path)
    return paths


def _bring(actor: Actor, name: str, paths: list[Path]) -> int:
    with session_scope() as session:
        dataset = Dataset(owner_id=actor.user_id, name=name, status=DatasetStatus.PROCESSING)
        session.add(dataset)
        session.flush()
        for i, path in enumerate(paths):
            row = Upload(
                id=f"{name}{i}", owner_id=actor.user_id, dataset_id=dataset.id, length=path.stat().st_size, filename=""
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


def _file_ms(folder: Path) -> float:
    """Milliseconds that a new file takes: several times as many on some disks after many were deleted."""
    folder.mkdir(parents=True)
    began = time.perf_counter()
    for i in range(STRIPS):
        (folder / f"{i}.jpg").write_bytes(bytes(STRIP_BYTES))
    return (time.perf_counter() - began) * 1000 / STRIPS


def _import(dataset_id: int, pool: ProbePool) -> float:
    began = time.perf_counter()
    assert ingest_dataset(dataset_id, pool, concurrency=pool.size + 1) == "ready"
    return time.perf_counter() - began


def run() -> dict[str, float]:
    """Clips a second and core: of the import, which uses every core, and of the bare decoding, which uses one."""
    figures: dict[str, float] = {"cores": ProbePool().size}
    with ledger() as actor:
        folder = upload_path("x").parent.parent / "bench"
        figures["file_ms"] = _file_ms(folder / "files")
        for name, shape in SHAPES.items():
            paths = _clips(folder / f"{name}clips", shape)
            dataset_id, bare = _bring(actor, f"{name}clips", paths), _decode(paths)
            with ProbePool() as pool:
                seconds = _import(dataset_id, pool)
            bare = min(bare, _decode(paths))
            figures[f"{name}clips_per_s"], figures[f"{name}bare_clips_per_s"] = (
                shape.clips / seconds,
                shape.clips / bare,
            )
            figures[f"{name}against_bare_decoding"] = bare / seconds / figures["cores"]
    return {name: round(value, 2) for name, value in figures.items()}
