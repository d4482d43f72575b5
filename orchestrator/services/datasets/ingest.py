"""Turns uploads into clips: unpack, look at each one, and leave either a whole dataset or one sentence and nothing."""

import errno
import hashlib
import os
import secrets
import shutil
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path, PurePosixPath

import structlog
from sqlalchemy import delete
from sqlmodel import Session, col, select

from orchestrator.domain.base import utcnow
from orchestrator.domain.clip_facts import ClipFacts
from orchestrator.domain.datasets import Clip, ClipStatus, Dataset, DatasetStatus, Task, Upload, UploadStatus
from orchestrator.domain.errors import AppError, Conflict, Invalid
from orchestrator.services.datasets.files import dataset_folder, upload_path
from orchestrator.services.datasets.in_turn import in_turn
from orchestrator.services.datasets.layouts.detect import understand
from orchestrator.services.datasets.layouts.entry import Entry, Understood
from orchestrator.services.datasets.layouts.summary import summary
from orchestrator.services.datasets.layouts.tree import Tree, is_video
from orchestrator.services.datasets.staging import lay_out
from orchestrator.services.db import session_scope
from orchestrator.settings import get_settings

log = structlog.get_logger()
_REPORT_S = 0.5
_MIN_CLIPS, _MIN_CLASSES = 2, 2


Look = Callable[[Path, str, Path], ClipFacts]
"""(file, name to say, where its film strip goes) -> facts. Passed in, so that services need no video library."""


def ingest_dataset(dataset_id: int, look: Look, go_on: Callable[[], bool] = lambda: True, at_once: int = 1) -> str:
    """Reads the complete uploads of a dataset in `processing`; its status at the end.

    Args:
        go_on: asked before each clip; False: another worker reads this dataset now, leave everything to it.
        at_once: how many clips are handed to `look` at the same time, each from a thread.
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
        seen = understand(Tree(staging, lay_out(uploads, staging)))
        clips = _look_at_all(dataset_id, task, staging, seen, known, look, go_on, at_once)
        if clips is None:
            return "left to another worker"
        with session_scope() as session:
            _record(session, dataset_id, clips, uploads, seen)
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
    for part in (folder / "thumbs").glob("*.part"):
        part.unlink(missing_ok=True)  # of a child that died while it wrote
    for upload in uploads:
        upload_path(upload.id).unlink(missing_ok=True)
    return "ready"


def _uploads(session: Session, dataset_id: int) -> list[Upload]:
    complete = select(Upload).where(Upload.dataset_id == dataset_id, Upload.status == UploadStatus.COMPLETE)
    return list(session.exec(complete.order_by(col(Upload.created_at))))


def _look_at_all(
    dataset_id: int,
    task: Task,
    staging: Path,
    understood: Understood,
    known: set[str],
    look: Look,
    go_on: Callable[[], bool],
    at_once: int,
) -> list[Clip] | None:
    placed = understood.entries
    made: list[Clip] = []
    seen: dict[str, str] = {}
    next_report = 0.0

    def see(item: Entry) -> Clip:
        return _look_at(dataset_id, _lack(task, item, understood), staging, item, look, known)

    for number, clip in enumerate(in_turn(see, placed, at_once, go_on)):
        if time.monotonic() >= next_report:
            next_report = time.monotonic() + _REPORT_S
            _report(dataset_id, number, len(placed))
        if clip is None:
            return None
        if clip.status is ClipStatus.OK and clip.content_hash in seen:
            clip.status, clip.problem = ClipStatus.BAD, f"Is the same video as {seen[clip.content_hash]}."[:500]
        elif clip.status is ClipStatus.OK:
            seen[clip.content_hash] = clip.name
        if not clip.content_hash or clip.content_hash not in known:
            made.append(clip)
    _report(dataset_id, len(placed), len(placed))
    return made


def _lack(task: Task, item: Entry, understood: Understood) -> str:
    """The sentence for a clip that says nothing to learn, else ""."""
    short = PurePosixPath(item.name).name
    if item.problem or (item.label if task is Task.CLASSIFICATION else item.caption):
        return item.problem
    what = "label" if task is Task.CLASSIFICATION else "caption"
    if understood.files and understood.key != "sidecars":
        return f"{short} has no {what} in {PurePosixPath(understood.files[0]).name}."
    if task is Task.CLASSIFICATION:
        return f"{short} lies in no folder. Put the clips of each class into a folder of its own."
    return f"{short} has no caption. Put a text file of the same name beside it."


def _look_at(dataset_id: int, lack: str, staging: Path, item: Entry, look: Look, known: set[str]) -> Clip:
    """The record of one file; a good one that is new is moved to its place in the storage."""
    source = staging / item.name
    clip = Clip(dataset_id=dataset_id, name=item.name[-255:], path="", label=item.label, split=item.split)
    clip.caption, clip.prompt = item.caption, item.prompt
    if not source.is_file():
        return _bad(clip, item.problem or f"{source.name} was not uploaded.")
    clip.size_bytes = source.stat().st_size
    if is_video(item.name):
        clip.content_hash = _hash(source)
    if lack:
        return _bad(clip, lack)
    if clip.content_hash in known:
        return clip
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
    clip.perceptual_hash = facts.perceptual_hash
    return clip


def _record(
    session: Session, dataset_id: int, clips: list[Clip], uploads: list[Upload], understood: Understood
) -> None:
    """Writes everything in one transaction, or raises and writes nothing."""
    dataset = session.get(Dataset, dataset_id)
    if dataset is None or dataset.status is not DatasetStatus.PROCESSING:
        raise Conflict("It was called off meanwhile.")
    session.add_all(clips)
    session.flush()
    rows = session.exec(select(Clip.label, Clip.status, Clip.size_bytes).where(Clip.dataset_id == dataset_id)).all()
    good = [(label, size) for label, status, size in rows if status is ClipStatus.OK]
    counts = Counter(label for label, _ in good)
    _demand(dataset.task, counts, clips, understood)
    dataset.layout = summary(understood)
    dataset.version += 1 if dataset.clip_count else 0  # the first reading makes version 1
    for clip in clips:
        clip.since = dataset.version
    dataset.class_names = sorted(counts) if dataset.task is Task.CLASSIFICATION else []
    dataset.clip_count, dataset.bad_count = len(good), len(rows) - len(good)
    dataset.size_bytes = sum(size for _, size in good)
    dataset.status, dataset.error, dataset.updated_at = DatasetStatus.READY, "", utcnow()
    session.add(dataset)
    session.exec(delete(Upload).where(col(Upload.id).in_([upload.id for upload in uploads])))


def _demand(task: Task, counts: Counter[str], clips: list[Clip], understood: Understood) -> None:
    """Enough to learn from, or the sentence that says what is missing."""
    if not counts:
        # A describing file that could not be used is the cause; the clips without labels are what follows.
        by_place = understood.key in ("folders", "sidecars")
        first = understood.notes[0] if by_place and understood.notes else ""
        first = first or next((clip.problem for clip in clips if clip.problem), "")
        raise Invalid(f"None of the files can be used. {first}".strip())
    if task is not Task.CLASSIFICATION:
        return
    if len(counts) < _MIN_CLASSES:
        raise Invalid(f"There is only one class, {next(iter(counts))}. Add a folder with clips of a second one.")
    small = sorted(label for label, count in counts.items() if count < _MIN_CLIPS)
    if small:
        raise Invalid(f"Each class needs at least {_MIN_CLIPS} good clips; too few in: {', '.join(small[:8])}.")


def refuse(dataset_id: int, sentence: str) -> str:
    """Ends a dataset in `processing` with a sentence, before anything of it was read."""
    return _refuse(dataset_id, sentence, [])


def _refuse(dataset_id: int, sentence: str, uploads: list[Upload]) -> str:
    """Keeps the sentence, and nothing of what was brought this time."""
    with session_scope() as session:
        dataset = session.get(Dataset, dataset_id)
        if dataset is None or dataset.status is not DatasetStatus.PROCESSING:
            return "called off"
        kept = session.exec(select(Clip.path, Clip.thumbnail_path).where(Clip.dataset_id == dataset_id)).all()
        dataset.status, dataset.error, dataset.updated_at = DatasetStatus.ERROR, sentence[:1000], utcnow()
        dataset.stage = ""
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
