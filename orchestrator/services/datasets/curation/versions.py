"""Versions of a dataset: each edit makes a new one, edits can be undone, and older versions can be read."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlmodel import Session, col, select

from orchestrator.domain.annotations import Annotations
from orchestrator.domain.datasets import Clip, ClipStatus, DatasetEdit, Split
from orchestrator.domain.users import Actor
from orchestrator.services.datasets.catalog import get_dataset
from orchestrator.services.paging import Page, fetch_page

Changes = dict[str, dict[str, list[str]]]
"""{clip id: {field: [before, after]}}"""


def _seconds(value: str) -> float | None:
    return None if value == str(None) else float(value)


_PARSERS: dict[str, Callable[[str], Any]] = {
    "split": Split,
    "status": ClipStatus,
    "annotations": Annotations.parse,
    "start_s": _seconds,
    "end_s": _seconds,
}


EDITED_COLUMNS = ("label", "caption", "prompt", "annotations", "start_s", "end_s", "split", "status")
"""The columns of a clip that edits change, and whose history is kept."""


def edited_values(clip: Clip) -> dict[str, str]:
    """The values of the edited columns, as the record of an edit keeps them."""
    return {name: str(getattr(clip, name)) for name in EDITED_COLUMNS}


def changes_between(before: Mapping[str, str], after: Mapping[str, str]) -> dict[str, list[str]]:
    """The changed columns of one clip: {field: [before, after]}."""
    return {name: [before[name], after[name]] for name in before if before[name] != after[name]}


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


def parse_value(field: str, value: str) -> Any:
    """A value from the record of an edit, in the type of its column."""
    return _PARSERS[field](value) if field in _PARSERS else value


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
                for name, (before, _) in fields.items():
                    setattr(clip, name, parse_value(name, before))
    return [clip for clip in clips if clip.status is ClipStatus.OK]


def count_clips(count: int) -> str:
    """1 -> "1 clip", 1200 -> "1,200 clips", for the description of an edit."""
    return "1 clip" if count == 1 else f"{count:,} clips"
