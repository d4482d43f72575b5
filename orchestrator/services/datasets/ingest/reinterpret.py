"""Reads a dataset again with another layout, without a new upload: its annotation files were kept for this."""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sqlmodel import Session, col, select

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
from orchestrator.services.datasets.catalog import has_files
from orchestrator.services.datasets.curation.versions import Changes
from orchestrator.services.datasets.files import is_system_file, is_video, list_files
from orchestrator.services.datasets.ingest.import_clips import annotation_problem
from orchestrator.services.datasets.ingest.layouts.detect import LAYOUTS
from orchestrator.services.datasets.ingest.layouts.entry import DetectedLayout
from orchestrator.services.datasets.ingest.layouts.reading import parse_reading_options
from orchestrator.services.datasets.ingest.layouts.tree import TEXT_ENDINGS
from orchestrator.services.datasets.ingest.staging import link_file
from orchestrator.services.datasets.ingest.uploads import refuse_if_busy
from orchestrator.services.datasets.rows import DatasetRow, dataset_row
from orchestrator.services.queue import enqueue, ingest_key
from orchestrator.settings import get_settings

_FIELDS = ("label", "caption", "prompt", "split")


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
    if not imported and session.exec(complete).first() is None:
        raise Conflict("The files are not stored any more. Add them again.")
    dataset.layout = {**dataset.layout, "reading": {name: getattr(options, name) for name in options.__slots__}}
    dataset.status, dataset.error, dataset.updated_at = DatasetStatus.PROCESSING, "", utcnow()
    dataset.stage = DETECTING_LAYOUT if in_review else REINTERPRETING if imported else ""
    dataset.progress_done = dataset.progress_total = 0
    session.add(dataset)
    session.flush()
    after_commit(session, lambda: enqueue(TASK_INGEST, ingest_key(dataset_id), PREP, dataset_id=dataset_id))
    return dataset_row(dataset)


def unused_files_folder(folder: Path) -> Path:
    """The folder of files that another layout may need: annotation files, and videos without annotation."""
    return folder / "aside"


def keep_for_reinterpretation(staging: Path, folder: Path, layout: DetectedLayout) -> None:
    """Moves the files that another layout may need out of the staging folder; damaged and other files are not kept."""
    listed = {entry.name for entry in layout.entries}
    for name in list_files(staging):
        path = staging / name
        is_annotation = path.suffix.lower() in TEXT_ENDINGS
        is_unannotated = is_video(name) and name in listed and not _was_probed(layout, name)
        if is_system_file(name) or not (is_annotation or is_unannotated):
            continue
        target = unused_files_folder(folder) / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(path, target)


def _was_probed(layout: DetectedLayout, name: str) -> bool:
    """Whether the video had an annotation and was probed; if it is still in the staging folder, it is damaged."""
    return any(entry.name == name and not entry.problem and (entry.label or entry.caption) for entry in layout.entries)


def clips_with_files(session: Session, dataset_id: int) -> dict[str, Clip]:
    """The clips whose files are in the storage, by their names in the upload; without duplicates."""
    clips = session.exec(
        select(Clip).where(Clip.dataset_id == dataset_id, Clip.path != "").order_by(col(Clip.id).desc())
    )
    return {clip.name: clip for clip in clips if clip.problem_kind is not ClipProblem.DUPLICATE}


def restage_files(existing: Mapping[str, Clip], folder: Path, staging: Path) -> list[str]:
    """Restores the upload in the staging folder: stored clips and kept files are linked under their original names.

    Returns:
        The names of the files, relative to the staging folder.
    """
    root, kept = get_settings().storage_dir, unused_files_folder(folder)
    for name, clip in existing.items():
        link_file(root / clip.path, staging / name)
    for path in [path for path in kept.rglob("*") if path.is_file()] if kept.is_dir() else []:
        if path.relative_to(kept).as_posix() not in existing:  # it is not a clip
            link_file(path, staging / path.relative_to(kept))
    return [path.relative_to(staging).as_posix() for path in staging.rglob("*") if path.is_file()]


def correct_clips(
    session: Session, dataset_id: int, layout: DetectedLayout, existing: Mapping[str, Clip], names: set[str]
) -> None:
    """Applies the annotations of the new layout to the existing clips, as one edit that can be undone."""
    dataset = session.get_one(Dataset, dataset_id)
    changes: Changes = {}
    for entry in layout.entries:
        if entry.name not in existing:
            continue
        clip = session.get_one(Clip, existing[entry.name].id)
        problem = annotation_problem(dataset.task, entry, layout)
        values: dict[str, Any] = {name: getattr(entry, name) for name in _FIELDS} if not problem else {}
        if clip.status is not ClipStatus.QUARANTINED or clip.problem:  # not left out by the user
            values["status"] = ClipStatus.QUARANTINED if problem else ClipStatus.OK
            clip.problem, clip.problem_kind = problem[:500], ClipProblem.NOT_ANNOTATED if problem else None
        for name, value in values.items():
            if (before := getattr(clip, name)) != value:
                changes.setdefault(str(clip.id), {})[name] = [str(before), str(value)]
                setattr(clip, name, value)
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
