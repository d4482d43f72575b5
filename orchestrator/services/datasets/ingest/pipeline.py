"""Imports uploads as clips: unpack, detect the layout, probe, record. A failed import changes nothing."""

import errno
import secrets
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import structlog
from sqlalchemy import delete, insert
from sqlmodel import Session, SQLModel, col, select

from orchestrator.domain.annotations import Span
from orchestrator.domain.base import utcnow
from orchestrator.domain.datasets import (
    DETECTING_LAYOUT,
    REINTERPRETING,
    REVIEW,
    Clip,
    ClipStatus,
    Dataset,
    DatasetEdit,
    DatasetStatus,
    Upload,
    UploadStatus,
)
from orchestrator.domain.errors import AppError, Conflict, DiskFull, Invalid, Unavailable
from orchestrator.domain.tasks import TASKS, Task
from orchestrator.services.datasets.counts import update_counts
from orchestrator.services.datasets.curation.history import Fields
from orchestrator.services.datasets.files import dataset_folder, may_be_video, remove_unpacked
from orchestrator.services.datasets.ingest.archive_notes import ARCHIVES, findings_before
from orchestrator.services.datasets.ingest.frame_films import frame_folders_of, keep_manifest, make_films
from orchestrator.services.datasets.ingest.frame_rate import change_frame_rate
from orchestrator.services.datasets.ingest.import_clips import (
    Content,
    NewClip,
    Probe,
    ProbeSpans,
    columns,
    content_of,
    film_notes,
    import_clips,
    reason_not_to_use,
    unusable_clips,
)
from orchestrator.services.datasets.ingest.layouts.detect import LAYOUTS, detect_layout
from orchestrator.services.datasets.ingest.layouts.entry import DetectedLayout
from orchestrator.services.datasets.ingest.layouts.frame_folders import FrameFolders
from orchestrator.services.datasets.ingest.layouts.reading import parse_reading_options
from orchestrator.services.datasets.ingest.layouts.summary import SAMPLES, summary
from orchestrator.services.datasets.ingest.layouts.tree import Tree
from orchestrator.services.datasets.ingest.layouts.unused_files import descriptions_looked_at, first_reason
from orchestrator.services.datasets.ingest.reinterpret import (
    ONLY_RATE,
    clips_with_files,
    correct_clips,
    keep_for_reinterpretation,
    restage_files,
    unused_files_folder,
    with_stored_spans,
)
from orchestrator.services.datasets.ingest.reuploads import merge_annotations
from orchestrator.services.datasets.ingest.review import await_review, layout_before_review, layout_preview
from orchestrator.services.datasets.ingest.staging import (
    ArrivedUpload,
    archive_findings,
    restore_unpacked,
    stage_uploads,
    store_unpacked,
)
from orchestrator.services.datasets.media.strips import film_strip_of
from orchestrator.services.datasets.not_used import NOT_USED, from_json, to_json
from orchestrator.services.datasets.rows import REUPLOAD_NOTE
from orchestrator.services.datasets.text_repair import storable
from orchestrator.services.db import session_scope
from orchestrator.services.store_errors import of_store
from orchestrator.services.uploads.part_file import delete_upload_files
from orchestrator.settings import get_settings

log = structlog.get_logger()
_MIN_CLIPS, _MIN_CLASSES, _MAX_LOOKED_AT = 2, 2, 3
_ROWS_AT_ONCE = 5_000
"""Rows of one statement; those of 100,000 clips at once would take as much memory as all the rest of an import."""
_REVIEW_SAMPLES = 8
"""Samples of a layout that waits for a review."""


class NotEnoughAnnotations(Invalid):
    """All files could be read, but there are too few labels or captions; another layout may help."""


def ingest_dataset(
    dataset_id: int,
    probe: Probe,
    should_continue: Callable[[], bool] = lambda: True,
    concurrency: int = 1,
    probe_spans: ProbeSpans | None = None,
) -> str:
    """Imports the complete uploads of a dataset in `processing`, or reads its files again with another layout.

    In the stage `DETECTING_LAYOUT` no clip is probed, and it ends in the stage `REVIEW` (review.py).

    Args:
        should_continue: asked before each batch; False when another worker has taken over this dataset.
        concurrency: how many batches are handed to `probe` at the same time, each from a thread.
        probe_spans: looks at the frames of spans; without it they have the film strip of their film.

    Returns:
        "ready", "error", "kept" (a failed import left the clips from before), or why nothing was done; for the log.
    """
    with session_scope() as session:
        dataset = session.get(Dataset, dataset_id)
        if dataset is None or dataset.status is not DatasetStatus.PROCESSING or dataset.stage == REVIEW:
            return "nothing to do"
        reinterprets, only_detects = dataset.stage == REINTERPRETING, dataset.stage == DETECTING_LAYOUT
        task, last_summary = dataset.task, dict(dataset.layout)
        options = parse_reading_options(dataset.layout.get("reading"), LAYOUTS)
        uploads = [] if reinterprets else _complete_uploads(session, dataset_id)
        existing = clips_with_files(session, dataset_id) if reinterprets else {}
        known = _known_contents(session, dataset_id)
    if reinterprets and last_summary.get(ONLY_RATE):
        try:
            return change_frame_rate(dataset_id, options.frame_rate, should_continue)
        except Invalid as error:
            return _fail(dataset_id, error.message, [])
    folder = dataset_folder(dataset_id)
    staging = folder / f"incoming-{secrets.token_hex(4)}"
    layout_summary: dict[str, Any] = {}
    try:
        for old in folder.glob("incoming-*"):
            shutil.rmtree(old, ignore_errors=True)  # of a worker that was killed
        with _reader_errors():
            names = restore_unpacked(folder, uploads, staging)
            if not names:
                staging.mkdir(parents=True)
                names = restage_files(existing, folder, staging) if reinterprets else stage_uploads(uploads, staging)
            frames = frame_folders_of(staging, names, options.frame_rate)
            frames.stated_rates |= {name: clip.fps for (name, _), clip in existing.items() if name in frames.made}
            _refuse_other_rate(frames, options.frame_rate)
            tree = Tree(staging, names, frames)
            layout = with_stored_spans(detect_layout(tree, options), existing)
            archives = archive_findings(staging) or findings_before(last_summary)
            layout_summary = summary(
                archives.add_to(layout), tree, options, samples=_REVIEW_SAMPLES if only_detects else SAMPLES
            )
            layout_summary[ARCHIVES] = archives.to_json()
            tree_names = set(tree.names) if reinterprets else set[str]()
            del tree  # its tables and its index are as large as the clips
        if only_detects:
            store_unpacked(folder, uploads, staging)
            result = await_review(dataset_id, layout_summary | {"preview": layout_preview(task, layout)})
            if result != REVIEW:  # cancelled meanwhile
                remove_unpacked(dataset_id)
            return result
        added = replace(layout, entries=[entry for entry in layout.entries if entry.key not in existing])
        known = {content_of(clip) for clip in existing.values()} if reinterprets else known
        stored = _stored_in_other_datasets(dataset_id)
        with _reader_errors():
            made = make_films(staging, frames, should_continue, concurrency)
            clips = made and import_clips(
                dataset_id,
                task,
                staging,
                added,
                known,
                probe,
                should_continue,
                concurrency,
                stored,
                made.failed,
                probe_spans,
            )
        if made is None or clips is None:
            return "left to another worker"
        layout_summary["notes"] = [*layout_summary["notes"], *made.notes(), *film_notes(clips)]
        layout_summary[NOT_USED] = to_json([*from_json(layout_summary[NOT_USED]), *unusable_clips(clips)])
        new = [clip for clip in clips if not clip.content_hash or content_of(clip) not in known]
        with _reader_errors(), session_scope() as session:
            if reinterprets:
                correct_clips(session, dataset_id, layout, existing, tree_names)
            else:
                reuploaded = [clip for clip in clips if content_of(clip) in known]
                if note := merge_annotations(session, dataset_id, reuploaded):
                    layout_summary[REUPLOAD_NOTE] = note
            _record(session, dataset_id, new, uploads, layout, layout_summary, options.by_hand)
        keep_manifest(staging, unused_files_folder(folder))
        keep_for_reinterpretation(staging, folder, added)
    except NotEnoughAnnotations as error:
        return _fail(dataset_id, error.message, uploads, layout_summary)
    except AppError as error:
        if only_detects and "preview" in last_summary:  # the chosen options cannot be followed: the review goes on
            store_unpacked(folder, uploads, staging)
            return await_review(dataset_id, {}, error.message)
        # Options that cannot be followed must not delete the uploads.
        return _fail(dataset_id, error.message, uploads, last_summary if options.layout and not layout_summary else {})
    except OSError as error:
        if error.errno in (errno.ENAMETOOLONG, errno.ENOTDIR, errno.EISDIR, errno.EEXIST, errno.EILSEQ):
            return _fail(dataset_id, "Some names in it cannot be written here. Use shorter, plain ones.", uploads)
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        return _fail(dataset_id, "The disk is full. Free some space, then upload the files again.", uploads)
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    delete_upload_files(upload.id for upload in uploads)
    return "ready"


def _refuse_other_rate(frames: FrameFolders, chosen: float) -> None:
    """Refuses another rate for films that were added already, where more than the rate changes.

    Raises:
        Invalid: there are such films.
    """
    others = [film for film in frames.films if film in frames.made and chosen and frames.rate_of(film) != chosen]
    if others:
        raise Invalid(
            f"{others[0].rpartition('.')[0]} plays at {frames.rate_of(others[0]):g} frames a second. Change the rate "
            "alone first; then read the files with other settings.",
            "frame_rate",
        )


@contextmanager
def _reader_errors() -> Iterator[None]:
    """Ends an import at once where a reader fails on the content of a file: another try would fail in the same way.

    Raises:
        Invalid: instead of an error that no reader expected, which is logged.
    """
    try:
        yield
    except (AppError, OSError):
        raise
    except Exception as error:
        if isinstance(of_store(error), Unavailable | DiskFull):
            raise  # an outage passes: another try may succeed
        log.exception("reader_failed", kind=type(error).__name__)
        raise Invalid(
            "The files have a structure that no reader here expects, so none was imported. The administrator finds the "
            "details in the worker's log. Leave out the files that describe the clips, or pack class folders as a zip."
        ) from error


def _complete_uploads(session: Session, dataset_id: int) -> list[ArrivedUpload]:
    complete = select(Upload.id, Upload.filename).where(
        Upload.dataset_id == dataset_id, Upload.status == UploadStatus.COMPLETE
    )
    return [ArrivedUpload(*row) for row in session.exec(complete.order_by(col(Upload.created_at)))]


def _known_contents(session: Session, dataset_id: int) -> set[Content]:
    """The films and spans that the dataset has already."""
    stored = select(Clip.content_hash, Clip.start_s, Clip.end_s).where(Clip.dataset_id == dataset_id)
    return {
        (content_hash, None if start_s is None or end_s is None else Span(start_s, end_s))
        for content_hash, start_s, end_s in session.exec(stored)
    }


def _stored_in_other_datasets(dataset_id: int) -> dict[str, str]:
    """The files of the owner's other datasets, by content hash."""
    root = get_settings().storage_dir
    with session_scope() as session:
        owner_id = session.get_one(Dataset, dataset_id).owner_id
        files = (
            select(Clip.content_hash, Clip.path)
            .join(Dataset, col(Dataset.id) == col(Clip.dataset_id))
            .where(Dataset.owner_id == owner_id, Dataset.id != dataset_id, Clip.path != "")
            .where(col(Dataset.is_demo).is_(False))
        )
        return {content_hash: f"{root}/{path}" for content_hash, path in session.exec(files)}


def _record(
    session: Session,
    dataset_id: int,
    clips: list[NewClip],
    uploads: list[ArrivedUpload],
    layout: DetectedLayout,
    layout_summary: dict[str, Any],
    by_hand: bool = False,
) -> None:
    """Records the import in one transaction.

    Args:
        by_hand: accepts clips without annotation, which the user writes later.

    Raises:
        Conflict: the import was cancelled. Invalid: there are too few clips to train on.
    """
    dataset = session.get(Dataset, dataset_id)
    if dataset is None or dataset.status is not DatasetStatus.PROCESSING:
        raise Conflict("It was cancelled meanwhile.")
    has_clips = select(Clip.id).where(Clip.dataset_id == dataset_id, Clip.path != "").limit(1)
    version = dataset.version + (1 if session.exec(has_clips).first() else 0)  # the first import makes version 1
    for clip in clips:
        clip.since = version
    session.flush()
    for first in range(0, len(clips), _ROWS_AT_ONCE):
        # Without the ORM, which would create an object for each row.
        rows = [columns(clip) for clip in clips[first : first + _ROWS_AT_ONCE]]
        session.connection().execute(insert(SQLModel.metadata.tables["clips"]), rows)
    counts = update_counts(session, dataset)
    annotatable = select(Clip.id).where(Clip.dataset_id == dataset_id, Clip.status != ClipStatus.BAD).limit(1)
    if not (by_hand and session.exec(annotatable).first()):
        _require_enough(dataset.task, counts, clips, layout)
    dataset.layout, dataset.version = layout_summary, version
    dataset.status, dataset.error, dataset.updated_at = DatasetStatus.READY, "", utcnow()
    dataset.stage = ""
    session.add(dataset)
    session.exec(delete(Upload).where(col(Upload.id).in_([upload.id for upload in uploads])))


def _require_enough(task: Task, counts: Counter[str], clips: list[NewClip], layout: DetectedLayout) -> None:
    """Checks that there is enough to train on.

    Raises:
        NotEnoughAnnotations: another layout may help. Invalid: no file can be used.
    """
    if not counts:
        # The cause is an annotation file that could not be used; clips without labels are its consequence.
        by_path = layout.key in ("folders", "sidecars")
        reason = layout.notes[0] if by_path and layout.notes else ""
        reason = reason or next((clip.problem for clip in clips if clip.problem), "") or first_reason(layout.not_used)
        unannotated = any(
            may_be_video(entry.name) and reason_not_to_use(task, entry, layout) for entry in layout.entries
        )
        raise (NotEnoughAnnotations if unannotated else Invalid)(
            " ".join(["None of the files can be used.", reason, *_looked_at(layout, reason)]).strip()
        )
    if not TASKS[task].has_classes:
        return
    if len(counts) < _MIN_CLASSES:
        only = next(iter(counts))
        step = layout.notes[0] if layout.notes else "Add a folder with clips of a second one."
        raise NotEnoughAnnotations(" ".join([f"There is only one class, {only}. {step}", *_looked_at(layout, step)]))
    # Single clips in all classes mean that the layout was misread; labels of stated times were not.
    if max(counts.values()) < _MIN_CLIPS and not any(entry.span for entry in layout.entries):
        some = ", ".join(sorted(counts)[:8])
        raise NotEnoughAnnotations(f"No class has {_MIN_CLIPS} usable clips, so none is left for validation: {some}.")


def _looked_at(layout: DetectedLayout, stated: str) -> list[str]:
    """Sentences about the text files that were looked at and not used, outside of those that `stated` has already."""
    sentences = descriptions_looked_at(layout.not_used)
    others = [sentence for sentence in sentences if sentence.partition(":")[0] not in stated]
    more = (
        [f"{len(others) - _MAX_LOOKED_AT:,} further text files are not used."] if len(others) > _MAX_LOOKED_AT else []
    )
    return others[:_MAX_LOOKED_AT] + more


def fail_import(dataset_id: int, sentence: str) -> str:
    """Ends the import of a dataset in `processing` with a sentence, before any of its files was read."""
    return _fail(dataset_id, sentence, [])


def _fail(
    dataset_id: int, sentence: str, uploads: list[ArrivedUpload], layout_summary: dict[str, Any] | None = None
) -> str:
    """Records why an import failed; the clips from before stay.

    Args:
        layout_summary: the layout, where it may be the cause: the uploads of a new dataset then wait for other options.

    Returns:
        "kept" where the dataset has clips from before, else "error"; "called off" where it is not processed any more.
    """
    with session_scope() as session:
        dataset = session.get(Dataset, dataset_id)
        if dataset is None or dataset.status is not DatasetStatus.PROCESSING:
            return "called off"
        files = session.exec(select(Clip.path, Clip.thumbnail_path).where(Clip.dataset_id == dataset_id)).all()
        was_ready = any(path for path, _ in files)
        edits = session.exec(select(DatasetEdit.changes).where(DatasetEdit.dataset_id == dataset_id)).all()
        former = {name for changes in edits for fields in changes.values() for name in _files_in(fields)}
        dataset.status = DatasetStatus.READY if was_ready else DatasetStatus.ERROR
        dataset.error, dataset.stage, dataset.updated_at = storable(sentence)[:1000], "", utcnow()
        keep_uploads = bool(layout_summary) and not was_ready
        dataset.layout = layout_summary if layout_summary and keep_uploads else layout_before_review(dataset.layout)
        session.add(dataset)
        if not keep_uploads:
            session.exec(delete(Upload).where(col(Upload.id).in_([upload.id for upload in uploads])))
    _delete_orphans(dataset_id, {name for pair in files for name in pair} | former)
    if not keep_uploads:
        delete_upload_files(upload.id for upload in uploads)
    return "kept" if was_ready else "error"


def _files_in(fields: Fields) -> list[str]:
    """The files of former versions of a clip, which an undo needs."""
    return [name for column in ("path", "thumbnail_path") for name in fields.get(column, ())]


def _delete_orphans(dataset_id: int, used: set[str]) -> None:
    """Deletes the files of a dataset that belong to no clip.

    Args:
        used: the paths of clips and film strips, relative to the storage root.
    """
    root, folder = get_settings().storage_dir, dataset_folder(dataset_id)
    remove_unpacked(dataset_id)
    for path in folder.rglob("*"):
        keep = film_strip_of(str(path.relative_to(root))) in used or unused_files_folder(folder) in path.parents
        if path.is_file() and not keep:
            path.unlink(missing_ok=True)
