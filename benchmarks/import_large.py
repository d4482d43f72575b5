"""A dataset of 100,000 tiny clips in archives with a table: the import's time and memory, and the web's CPU for it.

The clips are a few films of four frames; a free box at the end gives each file bytes of its own, because equal contents
would be one clip. The import runs in a process of its own, as in the prep worker. The web's share is what its pages and
REST do with the dataset: the list, the page of the dataset, its first clips, its statistics and the doctor's report.
"""

import io
import multiprocessing
import time
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.ledger import ledger
from benchmarks.target import Target
from jobs.datasets.ingest import run_ingest
from jobs.video.synthetic import demo_frames, write_mp4
from orchestrator.domain.datasets import Dataset, DatasetStatus, Upload, UploadStatus
from orchestrator.domain.users import Actor
from orchestrator.services.datasets import catalog
from orchestrator.services.datasets.curation import doctor
from orchestrator.services.datasets.statistics import clip_statistics
from orchestrator.services.db import engine, session_scope
from orchestrator.services.uploads.part_file import upload_path

TARGETS: dict[str, Target] = {
    "against_a_tenth": {"min": 0.9},
    "reader_peak_mb": {"max": 500.0},
    "web_cpu_s": {"max": 0.5},
}
CLIPS = 100_000
_FILMS, _CLASSES, _MOTIONS = 8, 20, ("circling", "zooming", "bouncing", "blinking")
_IN_AN_ARCHIVE = 50_000


@dataclass(frozen=True, slots=True)
class Imported:
    """What the process of an import took."""

    seconds: float
    peak_mb: float


def run(clips: int = CLIPS) -> dict[str, float]:
    """Clips a second of the import and of a tenth of it, the peak memory of its process, CPU seconds of the web."""
    figures: dict[str, float] = {}
    with ledger() as actor:
        for name, count in (("tenth_", clips // 10), ("", clips)):
            dataset_id = _uploaded(actor, f"{name or 'whole_'}clips", count)
            imported = _import(dataset_id)
            figures[f"{name}clips_per_s"] = count / imported.seconds
            figures[f"{name}reader_peak_mb"] = imported.peak_mb
            figures[f"{name}web_cpu_s"] = _web_cpu(actor, dataset_id, count)
            print({key: round(value, 2) for key, value in figures.items()}, flush=True)
    figures["against_a_tenth"] = figures["clips_per_s"] / figures["tenth_clips_per_s"]
    return {name: round(value, 2) for name, value in figures.items()}


def _uploaded(actor: Actor, name: str, clips: int) -> int:
    """A dataset with archives of clips and one table, completely uploaded."""
    with session_scope() as session:
        dataset = Dataset(owner_id=actor.user_id, name=name, status=DatasetStatus.PROCESSING)
        session.add(dataset)
        session.flush()
        films = _films(upload_path(name))
        firsts = range(0, clips, _IN_AN_ARCHIVE)
        files = {f"{first}.zip": _archive(films, range(first, min(clips, first + _IN_AN_ARCHIVE))) for first in firsts}
        for number, (file, data) in enumerate([*files.items(), ("metadata.csv", _table(clips))]):
            ids: dict[str, Any] = {"id": f"{name}{number}", "owner_id": actor.user_id, "dataset_id": dataset.id}
            session.add(Upload(**ids, filename=file, length=len(data), status=UploadStatus.COMPLETE))
            upload_path(ids["id"]).write_bytes(data)
        return dataset.id or 0


def _films(path: Path) -> list[bytes]:
    path.parent.mkdir(parents=True, exist_ok=True)
    films = []
    for i in range(_FILMS):
        frames = np.ascontiguousarray(demo_frames(_MOTIONS[i % len(_MOTIONS)], i)[::6, ::4, ::4])
        films.append(write_mp4(path.with_suffix(".mp4"), frames).read_bytes())
    path.with_suffix(".mp4").unlink()
    return films


def _archive(films: list[bytes], numbers: range) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as archive:
        for i in numbers:
            archive.writestr(_name(i), films[i % _FILMS] + (12).to_bytes(4, "big") + b"free" + i.to_bytes(4, "big"))
    return packed.getvalue()


def _table(clips: int) -> bytes:
    rows = [f"{_name(i)},class {i % _CLASSES},{'val' if i % 10 == 0 else 'train'}" for i in range(clips)]
    return "\n".join(["file_name,label,split", *rows]).encode()


def _name(i: int) -> str:
    return f"clips/{i // 1_000:03}/{i:06}.mp4"


def _import(dataset_id: int) -> Imported:
    """Imports in a fresh process; the archive is written before."""
    engine().dispose()
    context = multiprocessing.get_context("spawn")
    answers = context.Queue()
    process = context.Process(target=_import_here, args=(dataset_id, answers))
    process.start()
    imported = answers.get()
    process.join()
    return imported


def _import_here(dataset_id: int, answers: "multiprocessing.Queue[Imported]") -> None:
    began = time.perf_counter()
    assert run_ingest(dataset_id) == "ready"
    seconds = time.perf_counter() - began
    answers.put(Imported(seconds, _peak_mb()))


def _peak_mb() -> float:
    """The peak of this process alone: `ru_maxrss` begins with that of the process that started it."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def _web_cpu(actor: Actor, dataset_id: int, clips: int) -> float:
    """CPU seconds of this process for everything that is shown of the new dataset."""
    with session_scope() as session:  # what the first query of a process takes is not counted
        catalog.list_datasets(session, actor, "", "", "", "-created_at", 1, None)
    began = time.process_time()
    with session_scope() as session:
        catalog.list_datasets(session, actor, "", "", "", "-created_at", 50, None)
        assert catalog.get_dataset(session, actor, dataset_id).clip_count == clips
        assert len(catalog.list_clips(session, actor, dataset_id, limit=50).items) == min(50, clips)
    with session_scope() as session:
        assert clip_statistics(session, actor, dataset_id).classes
    with session_scope() as session:
        assert doctor.examine(session, actor, dataset_id).passed
    return time.process_time() - began
