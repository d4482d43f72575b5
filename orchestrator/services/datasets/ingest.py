"""Turns uploads into clips: unpack, look at each one, and leave either a whole dataset or one sentence and nothing."""

import errno
import hashlib
import os
import secrets
import shutil
import time
import zipfile
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import structlog
from sqlalchemy import delete
from sqlmodel import Session, col, select

from orchestrator.domain.base import utcnow
from orchestrator.domain.datasets import Clip, ClipStatus, Dataset, DatasetStatus, Task, Upload, UploadStatus
from orchestrator.domain.errors import AppError, Invalid
from orchestrator.services.datasets.archives import unpack
from orchestrator.services.datasets.files import dataset_folder, free_name, is_litter, upload_path
from orchestrator.services.datasets.layout import Placed, place
from orchestrator.services.db import session_scope
from orchestrator.settings import get_settings

log = structlog.get_logger()
_REPORT_S = 0.5
_MIN_CLIPS, _MIN_CLASSES = 2, 2


@dataclass(frozen=True, slots=True)
class ClipFacts:
    """What looking at a file gave; `problem` is the sentence that refuses it, else empty."""

    frames: int = 0
    fps: float = 0.0
    width: int = 0
    height: int = 0
    duration_s: float = 0.0
    codec: str = ""
    problem: str = ""


Look = Callable[[Path, str, Path], ClipFacts]
"""(file, name to say, where its film strip goes) -> facts. Passed in, so that services need no video library."""


def ingest_dataset(dataset_id: int, look: Look, go_on: Callable[[], bool] = lambda: True) -> str:
    """Reads the complete uploads of a dataset in `processing`; its status at the end.

    Args:
        go_on: asked before each clip; False: another worker reads this dataset now, leave everything to it.
    """
    with session_scope() as session:
        dataset = session.get(Dataset, dataset_id)
        if dataset is None or dataset.status is not DatasetStatus.PROCESSING:
            return "nothing to do"
        task, uploads = dataset.task, _uploads(session, dataset_id)
        known = set(session.exec(select(Clip.content_hash).where(Clip.dataset_id == dataset_id)).all())
    folder = dataset_folder(dataset_id)
    staging = folder / f"incoming-{secrets.token_hex(4)}"
    try:
        for old in folder.glob("incoming-*"):
            shutil.rmtree(old, ignore_errors=True)  # of a worker that was killed
        staging.mkdir(parents=True)
        names = _lay_out(uploads, staging)
        clips = _look_at_all(dataset_id, task, staging, names, known, look, go_on)
        if clips is None:
            return "left to another worker"
        with session_scope() as session:
            _record(session, dataset_id, clips, uploads)
    except AppError as error:
        return _refuse(dataset_id, error.message, uploads)
    except OSError as error:
        if error.errno in (errno.ENAMETOOLONG, errno.ENOTDIR, errno.EISDIR, errno.EEXIST):
            return _refuse(dataset_id, "Some names in it cannot be written here. Use shorter, plain ones.", uploads)
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        return _refuse(dataset_id, "The disk is full. Free some space, then upload the files again.", uploads)
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    for upload in uploads:
        upload_path(upload.id).unlink(missing_ok=True)
    return "ready"


def _uploads(session: Session, dataset_id: int) -> list[Upload]:
    complete = select(Upload).where(Upload.dataset_id == dataset_id, Upload.status == UploadStatus.COMPLETE)
    return list(session.exec(complete.order_by(col(Upload.created_at))))


def _lay_out(uploads: list[Upload], staging: Path) -> list[str]:
    """Unpacks zips and links single files into the staging folder; the names inside it."""
    limit = get_settings().max_upload_bytes
    for upload in uploads:
        source = upload_path(upload.id)
        if not source.exists():
            raise Invalid(f"The bytes of {upload.filename} are gone. Upload it again.")
        if upload.filename.lower().endswith(".zip") or zipfile.is_zipfile(source):
            if not zipfile.is_zipfile(source):
                raise Invalid(f"{upload.filename} is not a zip, or it is damaged. Zip the folder again and upload it.")
            unpack(source, staging, limit, upload.filename)
            continue
        target = staging / upload.filename
        target.parent.mkdir(parents=True, exist_ok=True)
        _link(source, free_name(target))
    names = [path.relative_to(staging).as_posix() for path in staging.rglob("*") if path.is_file()]
    names = [name for name in names if not is_litter(name)]
    if not names:
        raise Invalid("Nothing was uploaded. Add videos, or a zip with one folder for each class.")
    return names


def _link(source: Path, target: Path) -> None:
    """The upload stays until everything is recorded, so that a killed worker can begin again."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


def _look_at_all(
    dataset_id: int,
    task: Task,
    staging: Path,
    names: list[str],
    known: set[str],
    look: Look,
    go_on: Callable[[], bool],
) -> list[Clip] | None:
    placed = [p for p in place(names) if not _is_caption(p, names)]
    made: list[Clip] = []
    seen: dict[str, str] = {}
    next_report = 0.0
    for number, item in enumerate(placed):
        if not go_on():
            return None
        if time.monotonic() >= next_report:
            next_report = time.monotonic() + _REPORT_S
            _report(dataset_id, number, len(placed))
        clip = _look_at(dataset_id, task, staging, item, look)
        if clip.status is ClipStatus.OK and clip.content_hash in seen:
            clip.status, clip.problem = ClipStatus.BAD, f"Is the same video as {seen[clip.content_hash]}."[:500]
        elif clip.status is ClipStatus.OK:
            seen[clip.content_hash] = clip.name
        if not clip.content_hash or clip.content_hash not in known:
            made.append(clip)
    _report(dataset_id, len(placed), len(placed))
    return made


def _look_at(dataset_id: int, task: Task, staging: Path, item: Placed, look: Look) -> Clip:
    """The record of one file; a good one is moved to its place in the storage."""
    source = staging / item.name
    clip = Clip(dataset_id=dataset_id, name=item.name[-255:], path="", label=item.label, split=item.split)
    clip.size_bytes = source.stat().st_size
    if not item.is_video:
        return _bad(clip, f"{source.name} is not a video.")
    clip.content_hash = _hash(source)
    if task is Task.CLASSIFICATION and not item.label:
        return _bad(clip, f"{source.name} lies in no folder. Put the clips of each class into a folder of its own.")
    if task is not Task.CLASSIFICATION:
        clip.caption = _caption(source)
        if not clip.caption:
            return _bad(clip, f"{source.name} has no caption. Put a text file of the same name beside it.")
    folder = dataset_folder(dataset_id)
    stem = clip.content_hash[:24]
    strip = folder / "thumbs" / f"{stem}.jpg"
    facts = look(source, source.name, strip)
    if facts.problem:
        return _bad(clip, facts.problem)
    target = folder / "clips" / f"{stem}{source.suffix.lower()}"
    target.parent.mkdir(parents=True, exist_ok=True)
    os.replace(source, target)
    root = get_settings().storage_dir
    clip.path, clip.thumbnail_path = str(target.relative_to(root)), str(strip.relative_to(root))
    clip.frames, clip.fps, clip.duration_s = facts.frames, facts.fps, facts.duration_s
    clip.width, clip.height, clip.codec = facts.width, facts.height, facts.codec[:32]
    return clip


def _record(session: Session, dataset_id: int, clips: list[Clip], uploads: list[Upload]) -> None:
    """Writes everything in one transaction, or raises and writes nothing."""
    dataset = session.get_one(Dataset, dataset_id)
    session.add_all(clips)
    session.flush()
    rows = session.exec(select(Clip.label, Clip.status, Clip.size_bytes).where(Clip.dataset_id == dataset_id)).all()
    good = [(label, size) for label, status, size in rows if status is ClipStatus.OK]
    counts = Counter(label for label, _ in good)
    _demand(dataset.task, counts, clips)
    dataset.version += 1 if dataset.clip_count else 0  # the first reading makes version 1
    dataset.class_names = sorted(counts) if dataset.task is Task.CLASSIFICATION else []
    dataset.clip_count, dataset.bad_count = len(good), len(rows) - len(good)
    dataset.size_bytes = sum(size for _, size in good)
    dataset.status, dataset.error, dataset.updated_at = DatasetStatus.READY, "", utcnow()
    session.add(dataset)
    session.exec(delete(Upload).where(col(Upload.id).in_([upload.id for upload in uploads])))


def _demand(task: Task, counts: Counter[str], clips: list[Clip]) -> None:
    """Enough to learn from, or the sentence that says what is missing."""
    if not counts:
        first = next((clip.problem for clip in clips if clip.problem), "")
        raise Invalid(f"None of the files can be used. {first}".strip())
    if task is not Task.CLASSIFICATION:
        return
    if len(counts) < _MIN_CLASSES:
        raise Invalid(f"There is only one class, {next(iter(counts))}. Add a folder with clips of a second one.")
    small = sorted(label for label, count in counts.items() if count < _MIN_CLIPS)
    if small:
        raise Invalid(f"Each class needs at least {_MIN_CLIPS} good clips; too few in: {', '.join(small[:8])}.")


def _refuse(dataset_id: int, sentence: str, uploads: list[Upload]) -> str:
    """Keeps the sentence, and nothing of what was brought this time."""
    with session_scope() as session:
        dataset = session.get(Dataset, dataset_id)
        if dataset is None:
            return "deleted"
        kept = session.exec(select(Clip.path, Clip.thumbnail_path).where(Clip.dataset_id == dataset_id)).all()
        dataset.status, dataset.error, dataset.updated_at = DatasetStatus.ERROR, sentence[:1000], utcnow()
        session.add(dataset)
        session.exec(delete(Upload).where(col(Upload.id).in_([upload.id for upload in uploads])))
    wanted = {name for pair in kept for name in pair}
    root = get_settings().storage_dir
    for path in dataset_folder(dataset_id).rglob("*"):
        if path.is_file() and str(path.relative_to(root)) not in wanted:
            path.unlink(missing_ok=True)
    for upload in uploads:
        upload_path(upload.id).unlink(missing_ok=True)
    return "error"


def _report(dataset_id: int, done: int, total: int) -> None:
    with session_scope() as session:
        dataset = session.get(Dataset, dataset_id)
        if dataset is not None:
            dataset.progress_done, dataset.progress_total = done, total
            session.add(dataset)


def _bad(clip: Clip, problem: str) -> Clip:
    clip.status, clip.problem = ClipStatus.BAD, problem[:500]
    return clip


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _is_caption(item: Placed, names: list[str]) -> bool:
    return item.name.lower().endswith(".txt") and not item.is_video


def _caption(source: Path) -> str:
    path = source.with_suffix(".txt")
    return path.read_text(errors="replace").strip()[:4000] if path.is_file() else ""
