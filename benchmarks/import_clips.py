"""The import of 1,000 clips (probe, film strip, fingerprint, rows), against bare PyAV decoding of the same."""

import time
from pathlib import Path

import av
import numpy as np

from benchmarks.ledger import ledger
from benchmarks.target import Target
from jobs.video.looker import Lookers
from jobs.video.synthetic import demo_frames, write_mp4
from orchestrator.domain.datasets import Dataset, DatasetStatus, Upload, UploadStatus
from orchestrator.domain.users import Actor
from orchestrator.services.datasets.files import upload_path
from orchestrator.services.datasets.ingest import ingest_dataset
from orchestrator.services.db import session_scope

TARGETS: dict[str, Target] = {"against_bare_decoding": {"min": 0.8}}
CLIPS, DRAWN = 1_000, 40
PHONE_CLIPS, PHONE_SCALE, PHONE_TIMES = 120, 4, 6
"""Clips more like a phone's: 640 by 480 pixels, some 12 seconds at 10 frames a second."""
STRIPS, STRIP_BYTES = 500, 4_200
"""Files as large as a small clip's film strip: what the disk takes for one differs by the hour, and is named."""


def _clips(folder: Path, count: int, scale: int = 1, times: int = 1, drawn: int = DRAWN) -> list[Path]:
    """So many different files of a few drawings: a free box at the end makes each its own."""
    folder.mkdir(parents=True)
    motions = ("circling", "zooming", "bouncing", "blinking")
    films = []
    for i in range(drawn):
        frames = np.tile(demo_frames(motions[i % 4], i), (times, 1, 1, 1)).repeat(scale, 1).repeat(scale, 2)
        films.append(write_mp4(folder / f"d{i}.mp4", frames).read_bytes())
    paths = []
    for i in range(count):
        path = folder / f"{i}.mp4"
        path.write_bytes(films[i % drawn] + (12).to_bytes(4, "big") + b"free" + i.to_bytes(4, "big"))
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
    folder.mkdir()
    began = time.perf_counter()
    for i in range(STRIPS):
        (folder / f"{i}.jpg").write_bytes(bytes(STRIP_BYTES))
    return (time.perf_counter() - began) * 1000 / STRIPS


def _import(dataset_id: int, lookers: Lookers) -> float:
    began = time.perf_counter()
    assert ingest_dataset(dataset_id, lookers, at_once=lookers.at_once + 1) == "ready"
    return time.perf_counter() - began


def run() -> dict[str, float]:
    """Clips a second and core: of the import, which uses every core, and of the bare decoding, which uses one."""
    with ledger() as actor:
        folder = upload_path("x").parent.parent / "bench"
        paths = _clips(folder / "small", CLIPS)
        phone = _clips(folder / "phone", PHONE_CLIPS, PHONE_SCALE, PHONE_TIMES, drawn=8)
        ids = _bring(actor, "thousand", paths), _bring(actor, "phone", phone)
        bare, bare_phone, file_ms = _decode(paths), _decode(phone), _file_ms(folder / "files")
        with Lookers() as lookers:
            took, took_phone = _import(ids[0], lookers), _import(ids[1], lookers)
        bare, bare_phone = min(bare, _decode(paths)), min(bare_phone, _decode(phone))
    cores = lookers.at_once
    figures = {"clips_per_s": CLIPS / took, "cores": cores, "bare_clips_per_s": CLIPS / bare}
    figures |= {"against_bare_decoding": bare / took / cores, "phone_clips_per_s": PHONE_CLIPS / took_phone}
    figures |= {"phone_against_bare_decoding": bare_phone / took_phone / cores}
    figures["file_ms"] = file_ms
    return {name: round(value, 2) for name, value in figures.items()}
