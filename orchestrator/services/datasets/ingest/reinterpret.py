"""Reads a dataset again with another layout, without a new upload: its annotation files were kept for this."""

import shutil
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from sqlmodel import Session, col, select

from orchestrator.domain.annotations import Span
from orchestrator.domain.audit import Act
from orchestrator.domain.base import utcnow
from orchestrator.domain.datasets import (
    DETECTING_LAYOUT,
    REINTERPRETING,
    REVIEW,
    Clip,
    ClipProblem,
    ClipStatus,
    Dataset,
    DatasetEdit,
    DatasetStatus,
    Upload,
    UploadStatus,
)
from orchestrator.domain.errors import Conflict
from orchestrator.domain.machines import PREP
from orchestrator.domain.redis_keys import TASK_INGEST
from orchestrator.domain.users import Actor
from orchestrator.services.access import owned_dataset
from orchestrator.services.after_commit import after_commit
from orchestrator.services.audit.recording import record
from orchestrator.services.datasets.catalog import has_files
from orchestrator.services.datasets.curation.history import Changes, changes_between, edited_values
from orchestrator.services.datasets.files import dataset_folder, is_system_file, list_files
from orchestrator.services.datasets.ingest.import_clips import SPAN_TOLERANCE_S, is_cut_already, reason_not_to_use
from orchestrator.services.datasets.ingest.layouts.detect import LAYOUTS
from orchestrator.services.datasets.ingest.layouts.entry import DetectedLayout
from orchestrator.services.datasets.ingest.layouts.frame_folders import read_manifest
from orchestrator.services.datasets.ingest.layouts.reading import ReadingOptions, parse_reading_options
from orchestrator.services.datasets.ingest.layouts.tree import TEXT_ENDINGS
from orchestrator.services.datasets.ingest.staging import link_file
from orchestrator.services.datasets.ingest.uploads import import_share, refuse_if_busy
from orchestrator.services.datasets.rows import DatasetRow, dataset_row
from orchestrator.services.queue import enqueue, ingest_key
from orchestrator.settings import get_settings

ONLY_RATE = "only_rate"
"""Key of a layout: whether only the rate of films made of pictures is changed."""
ClipKey = tuple[str, Span | None]
"""The name of a film in the upload, and the span of it that a clip is."""


def request_reinterpretation(session: Session, actor: Actor, dataset_id: int, values: Mapping[str, Any]) -> DatasetRow:
    """Has a worker read the files again with these options (layouts/reading.py).

    For files that wait in `review` only the layout is detected again, and they wait again.

    Raises:
        Invalid: `problems` by field. Conflict: the dataset is the demo, is processed now, or has no files. NotFound.
    """
    dataset = owned_dataset(session, actor, dataset_id)
    in_review = dataset.status is DatasetStatus.PROCESSING and dataset.stage == REVIEW
    if not in_review:
        refuse_if_busy(dataset)
    options = parse_reading_options(values, LAYOUTS)
    complete = select(Upload.id).where(Upload.dataset_id == dataset_id, Upload.status == UploadStatus.COMPLETE)
    imported = has_files(session, dataset_id)
    last = parse_reading_options(dataset.layout.get("reading"), LAYOUTS)
    only_rate = imported and not in_review and _changes_only_rate(session, dataset_id, last, options)
    if not imported and session.exec(complete).first() is None:
        raise Conflict("The files are not stored any more. Add them again.")
    reading = {name: getattr(options, name) for name in options.__slots__}
    dataset.layout = {**dataset.layout, "reading": reading, ONLY_RATE: only_rate}
    dataset.status, dataset.error, dataset.updated_at = DatasetStatus.PROCESSING, "", utcnow()
    dataset.stage = DETECTING_LAYOUT if in_review else REINTERPRETING if imported else ""
    dataset.progress_done = dataset.progress_total = 0
    session.add(dataset)
    session.flush()
    share = import_share(session, dataset)
    after = {"layout": options.layout}
    record(session, actor, Act.DATASET_IMPORT_REQUESTED, dataset_id, dataset.name, after=after)
    after_commit(session, lambda: enqueue(TASK_INGEST, ingest_key(dataset_id), PREP, share, dataset_id=dataset_id))
    return dataset_row(dataset)


def _changes_only_rate(session: Session, dataset_id: int, last: ReadingOptions, options: ReadingOptions) -> bool:
    """Whether nothing but the rate of the films made of pictures changes, so that no file is read again."""
    made = read_manifest(unused_files_folder(dataset_folder(dataset_id))).films
    if not made or not options.frame_rate or replace(last, frame_rate=options.frame_rate) != options:
        return False
    rates = session.exec(
        select(Clip.name, Clip.fps).where(
            Clip.dataset_id == dataset_id, Clip.path != "", Clip.fps != options.frame_rate
        )
    )
    return any(name in made for name, _ in rates)


def unused_files_folder(folder: Path) -> Path:
    """The folder of files that another layout may need: annotation files, and videos without annotation."""
    return folder / "aside"


def keep_for_reinterpretation(staging: Path, folder: Path, layout: DetectedLayout) -> None:
    """Moves the files that another layout may need out of the staging folder; damaged and other files are not kept."""
    listed = {entry.name for entry in layout.entries}
    for name in list_files(staging):
        path = staging / name
        is_annotation = path.suffix.lower() in TEXT_ENDINGS
        is_unannotated = name in listed and not _was_probed(layout, name)
        if is_system_file(name) or not (is_annotation or is_unannotated):
            continue
        target = unused_files_folder(folder) / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(path, target)


def _was_probed(layout: DetectedLayout, name: str) -> bool:
    """Whether the video had an annotation and was probed; if it is still in the staging folder, it is damaged."""
    return any(entry.name == name and not entry.problem and entry.annotations for entry in layout.entries)


def clips_with_files(session: Session, dataset_id: int) -> dict[ClipKey, Clip]:
    """The clips whose files are in the storage, by their names in the upload and their spans; without duplicates."""
    clips = session.exec(
        select(Clip).where(Clip.dataset_id == dataset_id, Clip.path != "").order_by(col(Clip.id).desc())
    )
    return {(clip.name, clip.span): clip for clip in clips if clip.problem_kind is not ClipProblem.DUPLICATE}


def restage_files(existing: Mapping[ClipKey, Clip], folder: Path, staging: Path) -> list[str]:
    """Restores the upload in the staging folder: stored clips and kept files are linked under their original names.

    Returns:
        The names of the files, relative to the staging folder.
    """
    root, kept = get_settings().storage_dir, unused_files_folder(folder)
    films = {name: clip for (name, _), clip in existing.items()}
    for name, clip in films.items():
        link_file(root / clip.path, staging / name)
    for path in [path for path in kept.rglob("*") if path.is_file()] if kept.is_dir() else []:
        if path.relative_to(kept).as_posix() not in films:  # it is not a clip
            link_file(path, staging / path.relative_to(kept))
    return [path.relative_to(staging).as_posix() for path in staging.rglob("*") if path.is_file()]


def with_stored_spans(layout: DetectedLayout, existing: Mapping[ClipKey, Clip]) -> DetectedLayout:
    """The layout with the spans that its clips have in the storage, where the import fitted them to their films."""
    stored: dict[str, list[Clip]] = defaultdict(list)
    for clip in existing.values():
        stored[clip.name].append(clip)
    entries_of = Counter(entry.name for entry in layout.entries)
    entries = [
        replace(entry, span=_stored_span(entry.span, stored[entry.name], entries_of[entry.name] == 1))
        if entry.span and entry.name in stored and entry.key not in existing
        else entry
        for entry in layout.entries
    ]
    return replace(layout, entries=entries)


def _stored_span(span: Span, clips: list[Clip], alone: bool) -> Span | None:
    for clip in clips:
        if clip.span is None and alone and is_cut_already(span, clip.duration_s):
            return None
        if clip.span and clip.span.start_s == span.start_s and 0 < span.end_s - clip.span.end_s <= SPAN_TOLERANCE_S:
            return clip.span
    return span


def correct_clips(
    session: Session, dataset_id: int, layout: DetectedLayout, existing: Mapping[ClipKey, Clip], names: set[str]
) -> None:
    """Applies the annotations of the new layout to the existing clips, as one edit that can be undone.

    A clip that the new layout does not have, such as a whole film of which it has spans, is left out.
    """
    dataset = session.get_one(Dataset, dataset_id)
    entries = {entry.key: entry for entry in layout.entries}
    changes: Changes = {}
    for key, stored in existing.items():
        clip, entry = session.get_one(Clip, stored.id), entries.get(key)
        reason = reason_not_to_use(dataset.task, entry, layout) if entry else _not_in_layout(clip)
        before = edited_values(clip)
        if entry and not reason:
            clip.annotate(entry.annotations)
            clip.split = entry.split
        if clip.status is not ClipStatus.QUARANTINED or clip.problem:  # not left out by the user
            clip.status = ClipStatus.QUARANTINED if reason else ClipStatus.OK
            clip.problem_kind, clip.problem = (reason[0], reason[1][:500]) if reason else (None, "")
        if changed := changes_between(before, edited_values(clip)):
            changes[str(clip.id)] = changed
        session.add(clip)
    without_file = select(Clip).where(Clip.dataset_id == dataset_id, Clip.status == ClipStatus.BAD, Clip.path == "")
    for clip in session.exec(without_file):
        if not clip.content_hash or clip.name in names:
            session.delete(clip)  # the new layout lists it again
    session.flush()
    if changes:
        what = f"Read again: {layout.title}"[:200]
        edit = DatasetEdit(dataset_id=dataset_id, version=dataset.version + 1, what=what, changes=changes)
        session.add(edit)


def _not_in_layout(clip: Clip) -> tuple[ClipProblem, str]:
    """Why an existing clip is left out that the new layout does not have."""
    short = clip.name.rpartition("/")[2]
    if clip.span:
        return ClipProblem.NOT_ANNOTATED, f"No line names the span {clip.span} of {short}."
    return ClipProblem.NOT_ANNOTATED, f"Spans of {short} are clips now, and not the whole film."
