"""Versions of a dataset: each edit makes a new one, edits can be undone, and older versions can be read."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import cast

from sqlalchemy import select as sql_select
from sqlmodel import Session, SQLModel, col, select

from orchestrator.domain.datasets import Clip, ClipStatus, DatasetEdit
from orchestrator.domain.users import Actor
from orchestrator.services.datasets.catalog import get_dataset
from orchestrator.services.datasets.curation.history import revert
from orchestrator.services.paging import Page, fetch_page

_TRAINED_COLUMNS = (
    "id",
    "path",
    "label",
    "caption",
    "split",
    "content_hash",
    "name",
    "frames",
    "prompt",
    "annotations",
    "start_s",
    "end_s",
    "width",
    "height",
    "duration_s",
)


@dataclass(frozen=True, slots=True)
class EditRow:
    """One edit: the version that it made, its description, and whether it was undone."""

    id: int
    version: int
    what: str
    clips: int
    undone: bool
    created_at: datetime


def list_edits(
    session: Session, actor: Actor, dataset_id: int, limit: int = 50, cursor: str | None = None
) -> Page[EditRow]:
    """The edits of a dataset, the newest first.

    Raises:
        Invalid: field `limit` or `cursor`. NotFound.
    """
    get_dataset(session, actor, dataset_id)
    where = [col(DatasetEdit.dataset_id) == dataset_id]
    page = fetch_page(session, DatasetEdit, where, {"id": col(DatasetEdit.id)}, "-id", limit, cursor)
    return Page([edit_row(edit) for edit in page.items], page.next, page.total)


def edit_row(edit: DatasetEdit) -> EditRow:
    """The row of a stored edit."""
    assert edit.id is not None
    return EditRow(edit.id, edit.version, edit.what, len(edit.changes), edit.undone, edit.created_at)


def clips_at(session: Session, dataset_id: int, version: int) -> list[Clip]:
    """The usable clips of a version with the values that they had in it, ordered by id; detached from the session.

    Later edits are reverted one by one: each is stored with the values before it.
    """
    statement = select(Clip).where(Clip.dataset_id == dataset_id, col(Clip.since) <= version).order_by(col(Clip.id))
    clips = list(session.exec(statement))
    for clip in clips:
        session.expunge(clip)
    by_id = {str(clip.id): clip for clip in clips}
    later = select(DatasetEdit).where(DatasetEdit.dataset_id == dataset_id, col(DatasetEdit.version) > version)
    for edit in session.exec(later.order_by(col(DatasetEdit.version).desc(), col(DatasetEdit.id).desc())):
        for clip_id, fields in edit.changes.items():
            if clip := by_id.get(clip_id):
                revert(clip, fields)
    return [clip for clip in clips if clip.status is ClipStatus.OK]


def stream_clips_at(session: Session, dataset_id: int, version: int) -> Iterator[Clip]:
    """The same clips one by one, for a reader of many: rows with the columns of a clip that say what is trained on.

    They are read in pieces unless edits have to be reverted.
    """
    newer = select(DatasetEdit.id).where(DatasetEdit.dataset_id == dataset_id, col(DatasetEdit.version) > version)
    if session.exec(newer.limit(1)).first() is not None:
        yield from clips_at(session, dataset_id, version)
        return
    clips = SQLModel.metadata.tables["clips"].c  # without the ORM, which takes twice as long for a row
    usable = (clips.dataset_id == dataset_id, clips.since <= version, clips.status == ClipStatus.OK)
    statement = sql_select(*(clips[name] for name in _TRAINED_COLUMNS)).where(*usable).order_by(clips.id)
    rows = session.execute(statement, execution_options={"yield_per": 2_000})
    yield from cast("Iterator[Clip]", rows)


def count_clips(count: int) -> str:
    """1 -> "1 clip", 1200 -> "1,200 clips", for the description of an edit."""
    return "1 clip" if count == 1 else f"{count:,} clips"
