"""Reads a dataset once more in another way, without a new upload: what describes the clips was kept aside for it."""

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
from orchestrator.services.datasets.files import is_litter
from orchestrator.services.datasets.ingest.import_clips import lack_of
from orchestrator.services.datasets.ingest.layouts.detect import LAYOUTS
from orchestrator.services.datasets.ingest.layouts.entry import Understood
from orchestrator.services.datasets.ingest.layouts.reading import parse_reading
from orchestrator.services.datasets.ingest.layouts.tree import TEXT_ENDINGS, is_video
from orchestrator.services.datasets.ingest.staging import link_in, names_below
from orchestrator.services.datasets.ingest.uploads import refuse_while_read
from orchestrator.services.datasets.rows import DatasetRow, dataset_row
from orchestrator.services.queue import enqueue, ingest_key
from orchestrator.settings import get_settings

_FIELDS = ("label", "caption", "prompt", "split")


def request_reread(session: Session, actor: Actor, dataset_id: int, values: Mapping[str, Any]) -> DatasetRow:
    """A worker shall read the files once more, as `values` says (layouts/reading.py).

    What waits in `review` is only understood anew, and waits again.

    Raises:
        Invalid: `problems` by field. Conflict: the demo, being read now, or nothing was kept of it. NotFound.
    """
    dataset = owned_dataset(session, actor, dataset_id)
    waits = dataset.status is DatasetStatus.PROCESSING and dataset.stage == REVIEW
    if not waits:
        refuse_while_read(dataset)
    reading = parse_reading(values, LAYOUTS)
    waiting = select(Upload.id).where(Upload.dataset_id == dataset_id, Upload.status == UploadStatus.COMPLETE)
    there = has_files(session, dataset_id)
    if not there and session.exec(waiting).first() is None:
        raise Conflict("Nothing of the files was kept. Add them again.")
    dataset.layout = {**dataset.layout, "reading": {name: getattr(reading, name) for name in reading.__slots__}}
    dataset.status, dataset.error, dataset.updated_at = DatasetStatus.PROCESSING, "", utcnow()
    dataset.stage = DETECTING_LAYOUT if waits else REINTERPRETING if there else ""
    dataset.progress_done = dataset.progress_total = 0
    session.add(dataset)
    session.flush()
    after_commit(session, lambda: enqueue(TASK_INGEST, ingest_key(dataset_id), PREP, dataset_id=dataset_id))
    return dataset_row(dataset)


def aside_folder(folder: Path) -> Path:
    """Where a dataset keeps what is no clip yet: describing files, and videos that nothing was said about."""
    return folder / "aside"


def set_aside(staging: Path, folder: Path, seen: Understood) -> None:
    """Keeps what another reading may need; what could not be opened, and what is no video, is not kept."""
    unsaid = {entry.name for entry in seen.entries}
    for name in names_below(staging):
        path = staging / name
        described = path.suffix.lower() in TEXT_ENDINGS
        if is_litter(name) or not (described or (is_video(name) and name in unsaid and not _opened(seen, name))):
            continue
        target = aside_folder(folder) / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(path, target)


def _opened(seen: Understood, name: str) -> bool:
    """A video that had its words was looked at: if it still lies here, it is damaged."""
    return any(entry.name == name and not entry.problem and (entry.label or entry.caption) for entry in seen.entries)


def clips_with_files(session: Session, dataset_id: int) -> dict[str, Clip]:
    """The clips whose files are in the storage, by their names in the upload."""
    found = session.exec(
        select(Clip).where(Clip.dataset_id == dataset_id, Clip.path != "").order_by(col(Clip.id).desc())
    )
    return {clip.name: clip for clip in found if clip.problem_kind is not ClipProblem.DUPLICATE}


def lay_out_again(there: Mapping[str, Clip], folder: Path, staging: Path) -> list[str]:
    """The upload as it was: clips and what was kept aside, linked under their old names."""
    root, aside = get_settings().storage_dir, aside_folder(folder)
    for name, clip in there.items():
        link_in(root / clip.path, staging / name)
    for path in [path for path in aside.rglob("*") if path.is_file()] if aside.is_dir() else []:
        if path.relative_to(aside).as_posix() not in there:  # it has become a clip since
            link_in(path, staging / path.relative_to(aside))
    return [path.relative_to(staging).as_posix() for path in staging.rglob("*") if path.is_file()]


def correct_clips(
    session: Session, dataset_id: int, seen: Understood, there: Mapping[str, Clip], names: set[str]
) -> None:
    """What the new reading says of clips that are there already: one edit, which can be undone."""
    dataset = session.get_one(Dataset, dataset_id)
    changes: Changes = {}
    for entry in seen.entries:
        if entry.name not in there:
            continue
        clip = session.get_one(Clip, there[entry.name].id)
        lack = lack_of(dataset.task, entry, seen)
        values: dict[str, Any] = {name: getattr(entry, name) for name in _FIELDS} if not lack else {}
        if clip.status is not ClipStatus.QUARANTINED or clip.problem:  # nobody left it out
            values["status"] = ClipStatus.QUARANTINED if lack else ClipStatus.OK
            clip.problem, clip.problem_kind = lack[:500], ClipProblem.NOT_ANNOTATED if lack else None
        for name, value in values.items():
            if (before := getattr(clip, name)) != value:
                changes.setdefault(str(clip.id), {})[name] = [str(before), str(value)]
                setattr(clip, name, value)
        session.add(clip)
    gone = select(Clip).where(Clip.dataset_id == dataset_id, Clip.status == ClipStatus.BAD, Clip.path == "")
    for clip in session.exec(gone):
        if not clip.content_hash or clip.name in names:
            session.delete(clip)  # said anew by this reading
    session.flush()
    if changes:
        what = f"Read again: {seen.title}"[:200]
        edit = DatasetEdit(dataset_id=dataset_id, version=dataset.version + 1, what=what, changes=changes)
        session.add(edit)
