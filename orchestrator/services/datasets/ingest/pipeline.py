"""Turns uploads into clips: unpack, look at each one, and leave either a whole dataset or one sentence and nothing."""

import errno
import secrets
import shutil
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from sqlalchemy import delete, insert
from sqlmodel import Session, SQLModel, col, select

from orchestrator.domain.base import utcnow
from orchestrator.domain.datasets import (
    DETECTING_LAYOUT,
    REINTERPRETING,
    REVIEW,
    Clip,
    ClipStatus,
    Dataset,
    DatasetStatus,
    Upload,
    UploadStatus,
)
from orchestrator.domain.errors import AppError, Conflict, Invalid
from orchestrator.domain.tasks import TASKS, Task
from orchestrator.services.datasets.files import dataset_folder, remove_unpacked
from orchestrator.services.datasets.ingest.import_clips import Look, NewClip, columns, lack_of, look_at_all
from orchestrator.services.datasets.ingest.layouts.detect import LAYOUTS, understand
from orchestrator.services.datasets.ingest.layouts.entry import Understood
from orchestrator.services.datasets.ingest.layouts.reading import parse_reading
from orchestrator.services.datasets.ingest.layouts.summary import SAMPLES, summary
from orchestrator.services.datasets.ingest.layouts.tree import Tree, is_video
from orchestrator.services.datasets.ingest.reinterpret import (
    aside_folder,
    clips_with_files,
    correct_clips,
    lay_out_again,
    set_aside,
)
from orchestrator.services.datasets.ingest.reuploads import take_words
from orchestrator.services.datasets.ingest.review import await_review, preview_of, settled
from orchestrator.services.datasets.ingest.staging import Arrived, keep_unpacked, lay_out, take_unpacked
from orchestrator.services.datasets.rows import AGAIN
from orchestrator.services.db import session_scope
from orchestrator.services.uploads.part_file import upload_path
from orchestrator.settings import get_settings

_MIN_CLIPS, _MIN_CLASSES = 2, 2
_SHOWN = 8
"""Samples of a reading that somebody is to check."""


class NotEnough(Invalid):
    """Everything could be opened, but too little is said to learn from: another reading may help."""


def ingest_dataset(dataset_id: int, look: Look, go_on: Callable[[], bool] = lambda: True, at_once: int = 1) -> str:
    """Reads the complete uploads of a dataset in `processing`, or once more what it holds; its status at the end.

    Args:
        go_on: asked before each clip; False: another worker reads this dataset now, leave everything to it.
            In the stage `understanding` no clip is looked at: it ends in `review`, see review.py.
        at_once: how many clips are handed to `look` at the same time, each from a thread.
    """
    with session_scope() as session:
        dataset = session.get(Dataset, dataset_id)
        if dataset is None or dataset.status is not DatasetStatus.PROCESSING or dataset.stage == REVIEW:
            return "nothing to do"
        again, task, asks = dataset.stage == REINTERPRETING, dataset.task, dataset.stage == DETECTING_LAYOUT
        reading, last = parse_reading(dataset.layout.get("reading"), LAYOUTS), dict(dataset.layout)
        uploads = [] if again else _uploads(session, dataset_id)
        there = clips_with_files(session, dataset_id) if again else {}
        known = set(session.exec(select(Clip.content_hash).where(Clip.dataset_id == dataset_id)).all())
    folder = dataset_folder(dataset_id)
    staging = folder / f"incoming-{secrets.token_hex(4)}"
    said: dict[str, Any] = {}
    try:
        for old in folder.glob("incoming-*"):
            shutil.rmtree(old, ignore_errors=True)  # of a worker that was killed
        names = take_unpacked(folder, uploads, staging)
        if not names:
            staging.mkdir(parents=True)
            names = lay_out_again(there, folder, staging) if again else lay_out(uploads, staging)
        tree = Tree(staging, names)
        seen = understand(tree, reading)
        said = summary(seen, tree, reading, samples=_SHOWN if asks else SAMPLES)
        if asks:
            keep_unpacked(folder, uploads, staging)
            waits = await_review(dataset_id, said | {"preview": preview_of(task, seen)})
            if waits != REVIEW:  # called off meanwhile
                remove_unpacked(dataset_id)
            return waits
        fresh = replace(seen, entries=[entry for entry in seen.entries if entry.name not in there])
        known = {clip.content_hash for clip in there.values()} if again else known
        same = _elsewhere(dataset_id)
        clips = look_at_all(dataset_id, task, staging, fresh, known, look, go_on, at_once, same)
        if clips is None:
            return "left to another worker"
        new = [clip for clip in clips if not clip.content_hash or clip.content_hash not in known]
        with session_scope() as session:
            if again:
                correct_clips(session, dataset_id, seen, there, set(tree.names))
            elif told := take_words(session, dataset_id, [clip for clip in clips if clip.content_hash in known]):
                said[AGAIN] = told
            _record(session, dataset_id, new, uploads, seen, said, reading.by_hand)
        set_aside(staging, folder, fresh)
    except NotEnough as error:
        return _refuse(dataset_id, error.message, uploads, said)
    except AppError as error:
        if asks and "preview" in last:  # a correction that cannot be followed
            keep_unpacked(folder, uploads, staging)
            return await_review(dataset_id, {}, error.message)
        # A correction that cannot be followed loses nobody's files.
        return _refuse(dataset_id, error.message, uploads, last if reading.layout and not said else {})
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


def _uploads(session: Session, dataset_id: int) -> list[Arrived]:
    complete = select(Upload.id, Upload.filename).where(
        Upload.dataset_id == dataset_id, Upload.status == UploadStatus.COMPLETE
    )
    return [Arrived(*row) for row in session.exec(complete.order_by(col(Upload.created_at)))]


def _elsewhere(dataset_id: int) -> dict[str, str]:
    """Which content the owner has already, in other datasets: its file by its hash."""
    root = get_settings().storage_dir
    with session_scope() as session:
        owner_id = session.get_one(Dataset, dataset_id).owner_id
        found = (
            select(Clip.content_hash, Clip.path)
            .join(Dataset, col(Dataset.id) == col(Clip.dataset_id))
            .where(Dataset.owner_id == owner_id, Dataset.id != dataset_id, Clip.path != "")
            .where(col(Dataset.is_demo).is_(False))
        )
        return {content: f"{root}/{path}" for content, path in session.exec(found)}


def _record(
    session: Session,
    dataset_id: int,
    clips: list[NewClip],
    uploads: list[Arrived],
    understood: Understood,
    said: dict[str, Any],
    by_hand: bool = False,
) -> None:
    """Writes everything in one transaction, or raises and writes nothing."""
    dataset = session.get(Dataset, dataset_id)
    if dataset is None or dataset.status is not DatasetStatus.PROCESSING:
        raise Conflict("It was called off meanwhile.")
    here = select(Clip.id).where(Clip.dataset_id == dataset_id, Clip.path != "").limit(1)
    version = dataset.version + (1 if session.exec(here).first() else 0)  # the first reading makes version 1
    for clip in clips:
        clip.since = version
    session.flush()
    if clips:
        # Past the mapper: it would make an object of each row and throw it away.
        session.connection().execute(insert(SQLModel.metadata.tables["clips"]), [columns(clip) for clip in clips])
    rows = session.exec(select(Clip.label, Clip.status, Clip.size_bytes).where(Clip.dataset_id == dataset_id)).all()
    good = [(label, size) for label, status, size in rows if status is ClipStatus.OK]
    counts = Counter(label for label, _ in good)
    if not (by_hand and any(status is not ClipStatus.BAD for _, status, _ in rows)):
        _demand(dataset.task, counts, clips, understood)
    dataset.layout = said
    dataset.version = version
    dataset.class_names = sorted(counts) if TASKS[dataset.task].has_classes else []
    dataset.clip_count, dataset.bad_count = len(good), len(rows) - len(good)
    dataset.size_bytes = sum(size for _, size in good)
    dataset.status, dataset.error, dataset.updated_at = DatasetStatus.READY, "", utcnow()
    dataset.stage = ""
    session.add(dataset)
    session.exec(delete(Upload).where(col(Upload.id).in_([upload.id for upload in uploads])))


def _demand(task: Task, counts: Counter[str], clips: list[NewClip], understood: Understood) -> None:
    """Enough to learn from, or the sentence that says what is missing."""
    if not counts:
        # A describing file that could not be used is the cause; the clips without labels are what follows.
        by_place = understood.key in ("folders", "sidecars")
        first = understood.notes[0] if by_place and understood.notes else ""
        first = first or next((clip.problem for clip in clips if clip.problem), "")
        unsaid = any(is_video(entry.name) and lack_of(task, entry, understood) for entry in understood.entries)
        raise (NotEnough if unsaid else Invalid)(f"None of the files can be used. {first}".strip())
    if not TASKS[task].has_classes:
        return
    if len(counts) < _MIN_CLASSES:
        raise NotEnough(f"There is only one class, {next(iter(counts))}. Add a folder with clips of a second one.")
    if max(counts.values()) < _MIN_CLIPS:  # of some classes one clip is a pity, of all of them a misreading
        some = ", ".join(sorted(counts)[:8])
        raise NotEnough(
            f"No class has {_MIN_CLIPS} good clips, so that nothing could be held out to measure on: {some}."
        )


def refuse(dataset_id: int, sentence: str) -> str:
    """Ends a dataset in `processing` with a sentence, before anything of it was read."""
    return _refuse(dataset_id, sentence, [])


def _refuse(dataset_id: int, sentence: str, uploads: list[Arrived], said: dict[str, Any] | None = None) -> str:
    """Keeps the sentence, and what was there before; of what was brought this time only what another reading may use.

    Args:
        said: how it was read, where that may be the cause: then the uploads of a new dataset wait for a correction.
    """
    with session_scope() as session:
        dataset = session.get(Dataset, dataset_id)
        if dataset is None or dataset.status is not DatasetStatus.PROCESSING:
            return "called off"
        kept = session.exec(select(Clip.path, Clip.thumbnail_path).where(Clip.dataset_id == dataset_id)).all()
        # A dataset that was ready stays so: its clips are as good as before.
        there = any(path for path, _ in kept)
        dataset.status = DatasetStatus.READY if there else DatasetStatus.ERROR
        dataset.error, dataset.stage, dataset.updated_at = sentence[:1000], "", utcnow()
        waits = bool(said) and not there
        dataset.layout = said if said and waits else settled(dataset.layout)
        session.add(dataset)
        if not waits:
            session.exec(delete(Upload).where(col(Upload.id).in_([upload.id for upload in uploads])))
    _tidy(dataset_id, {name for pair in kept for name in pair})
    for upload in uploads if not waits else []:
        upload_path(upload.id).unlink(missing_ok=True)
    return "kept" if there else "error"


def _tidy(dataset_id: int, wanted: set[str]) -> None:
    """Deletes the files that belong to no clip."""
    root, folder = get_settings().storage_dir, dataset_folder(dataset_id)
    remove_unpacked(dataset_id)
    for path in folder.rglob("*"):
        keep = str(path.relative_to(root)) in wanted or aside_folder(folder) in path.parents
        if path.is_file() and not keep:
            path.unlink(missing_ok=True)
