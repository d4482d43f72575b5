"""The datasets of a user: list, read, create, rename, delete; and the clips of a dataset."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, func, or_
from sqlmodel import Session, col, select

from orchestrator.domain.audit import Act
from orchestrator.domain.base import utcnow
from orchestrator.domain.datasets import Clip, ClipStatus, Dataset, DatasetStatus, Split, Upload
from orchestrator.domain.errors import Conflict, Invalid
from orchestrator.domain.tasks import DEFAULT_TASK, Task
from orchestrator.domain.training_jobs import ACTIVE, TrainingJob
from orchestrator.domain.users import Actor
from orchestrator.services.access import owned_dataset
from orchestrator.services.after_commit import after_commit
from orchestrator.services.audit.recording import record
from orchestrator.services.datasets.annotation_conditions import with_label, with_text
from orchestrator.services.datasets.files import remove_folder
from orchestrator.services.datasets.rows import REUPLOAD_NOTE, ClipRow, DatasetRow, clip_row, dataset_row
from orchestrator.services.paging import Page, contains, fetch_page
from orchestrator.services.text_fields import edited_texts, text_problems
from orchestrator.services.uploads.part_file import delete_upload_files

SORTS = {
    "created_at": col(Dataset.created_at),
    "name": func.lower(col(Dataset.name)),
    "size_bytes": col(Dataset.size_bytes),
    "clip_count": col(Dataset.clip_count),
}
_MAX_IDS = 20_000
"""SQLite accepts at most 32,766 values in one statement."""


def list_datasets(
    session: Session,
    actor: Actor,
    q: str = "",
    status: str = "",
    task: str = "",
    sort: str = "-created_at",
    limit: int = 50,
    cursor: str | None = None,
) -> Page[DatasetRow]:
    """The actor's datasets.

    Args:
        q: text in the name.
        status, task: one or several values, separated by commas.
    """
    where = [col(Dataset.owner_id) == actor.user_id]
    if statuses := _enum_values(status, DatasetStatus, "status"):
        where.append(col(Dataset.status).in_(statuses))
    if tasks := _enum_values(task, Task, "task"):
        where.append(col(Dataset.task).in_(tasks))
    if q.strip():
        where.append(contains(Dataset.name, q))
    page = fetch_page(session, Dataset, where, SORTS, sort, limit, cursor)
    return Page([dataset_row(dataset) for dataset in page.items], page.next, page.total)


def get_dataset(session: Session, actor: Actor, dataset_id: int) -> DatasetRow:
    """One dataset of the actor.

    Raises:
        NotFound: it does not exist, or belongs to another user.
    """
    return dataset_row(owned_dataset(session, actor, dataset_id))


def create_dataset(
    session: Session,
    actor: Actor,
    name: str,
    description: str = "",
    task: str = DEFAULT_TASK.value,
    source: dict[str, Any] | None = None,
) -> DatasetRow:
    """Creates a draft that waits for its files.

    Args:
        source: as `sources.parse_source` returns it.

    Raises:
        Invalid: `problems` by field. Conflict: the name is taken.
    """
    problems = text_problems("dataset", name, description)
    if task not in list(Task):
        problems.append(("task", f"Choose one of: {', '.join(Task)}."))
    if problems:
        raise Invalid(problems[0][1], problems[0][0], problems)
    _refuse_taken_name(session, actor, name)
    dataset = Dataset(
        owner_id=actor.user_id,
        name=name.strip(),
        description=description.strip(),
        task=Task(task),
        source=source or {"type": "upload"},
    )
    session.add(dataset)
    session.flush()
    record(session, actor, Act.DATASET_CREATED, dataset.id, dataset.name, after={"task": task})
    return dataset_row(dataset)


def update_dataset(
    session: Session, actor: Actor, dataset_id: int, name: str | None = None, description: str | None = None
) -> DatasetRow:
    """Changes the name or the description; None leaves it as it is.

    Raises:
        Invalid: `problems` by field. Conflict: the name is taken. NotFound.
    """
    dataset = owned_dataset(session, actor, dataset_id)
    new_name, new_description = edited_texts("dataset", dataset, name, description)
    if new_name != dataset.name:
        _refuse_taken_name(session, actor, new_name, dataset_id)
    before = {"name": dataset.name, "description": dataset.description}
    dataset.name, dataset.description, dataset.updated_at = new_name, new_description, utcnow()
    session.add(dataset)
    session.flush()
    after = {"name": new_name, "description": new_description}
    record(session, actor, Act.DATASET_CHANGED, dataset_id, new_name, before, after)
    return dataset_row(dataset)


def dismiss_notice(session: Session, actor: Actor, dataset_id: int) -> DatasetRow:
    """Removes the notices about the last import from a ready dataset; the reason of an error stays."""
    dataset = owned_dataset(session, actor, dataset_id)
    if dataset.status is DatasetStatus.READY:
        dataset.error = ""
        dataset.layout = {key: value for key, value in dataset.layout.items() if key != REUPLOAD_NOTE}
        session.add(dataset)
        session.flush()
    return dataset_row(dataset)


def delete_dataset(session: Session, actor: Actor, dataset_id: int) -> None:
    """Deletes a dataset, and its files after the commit; the shared files of the demo stay.

    Raises:
        Conflict: an active job trains on it. NotFound.
    """
    dataset = owned_dataset(session, actor, dataset_id)
    active = session.exec(
        select(TrainingJob.name).where(TrainingJob.dataset_id == dataset_id, col(TrainingJob.status).in_(ACTIVE))
    ).all()
    if active:
        names = ", ".join(active[:3]) + (" and others" if len(active) > 3 else "")
        raise Conflict(f"{names} still {'trains' if len(active) == 1 else 'train'} on this dataset. Stop it first.")
    uploads = session.exec(select(Upload.id).where(Upload.dataset_id == dataset_id)).all()
    session.delete(dataset)
    session.flush()
    record(session, actor, Act.DATASET_DELETED, dataset_id, dataset.name, before={"clips": dataset.clip_count})
    after_commit(session, lambda: _remove_files(dataset_id, uploads))


def has_files(session: Session, dataset_id: int) -> bool:
    """Whether any of its clips has a file in the storage, also when none is annotated yet."""
    stored = select(Clip.id).where(Clip.dataset_id == dataset_id, Clip.path != "")
    return session.exec(stored.limit(1)).first() is not None


def list_clips(
    session: Session,
    actor: Actor,
    dataset_id: int,
    label: str = "",
    status: str = "",
    limit: int = 50,
    cursor: str | None = None,
    split: str = "",
    q: str = "",
    ids: Sequence[int] | None = None,
) -> Page[ClipRow]:
    """The clips of one dataset in the order in which they were added.

    Args:
        label: the exact label, alone or among several.
        status, split: one or several values, separated by commas.
        q: text in the name, or in any label, caption, question, answer or system turn.
        ids: only clips with these ids.
    """
    owned_dataset(session, actor, dataset_id)
    where = _conditions(dataset_id, label, status, split, q, ids)
    page = fetch_page(session, Clip, where, {"id": col(Clip.id)}, "id", limit, cursor)
    return Page([clip_row(clip) for clip in page.items], page.next, page.total)


def matching_clips(
    session: Session,
    actor: Actor,
    dataset_id: int,
    label: str = "",
    status: str = "",
    split: str = "",
    q: str = "",
    ids: Sequence[int] | None = None,
) -> list[int]:
    """The ids of all clips that `list_clips` lists with these filters."""
    owned_dataset(session, actor, dataset_id)
    statement = select(Clip.id).where(*_conditions(dataset_id, label, status, split, q, ids))
    return [clip_id for clip_id in session.exec(statement) if clip_id]


def _conditions(
    dataset_id: int, label: str, status: str, split: str, q: str, ids: Sequence[int] | None
) -> list[ColumnElement[bool]]:
    where: list[ColumnElement[bool]] = [col(Clip.dataset_id) == dataset_id]
    if label:
        where.append(with_label(label))
    if statuses := _enum_values(status, ClipStatus, "status"):
        where.append(col(Clip.status).in_(statuses))
    if splits := _enum_values(split, Split, "split"):
        where.append(col(Clip.split).in_(splits))
    if ids is not None:
        where.append(col(Clip.id).in_(ids[:_MAX_IDS]))
    if q.strip():
        columns = (Clip.name, Clip.label, Clip.caption, Clip.prompt)
        where.append(or_(*(contains(column, q) for column in columns), with_text(q)))
    return where


def _enum_values(text: str, kind: Any, field: str) -> list[Any]:
    """The values of an enum in a comma-separated text.

    Raises:
        Invalid: field `field`: one of them is unknown.
    """
    words = [word.strip() for word in text.split(",") if word.strip()]
    known = [member.value for member in kind]
    if any(word not in known for word in words):
        raise Invalid(f"Choose from: {', '.join(known)}.", field)
    return [kind(word) for word in words]


def _refuse_taken_name(session: Session, actor: Actor, name: str, except_id: int = 0) -> None:
    same = func.lower(Dataset.name) == name.strip().lower()
    statement = select(Dataset.id).where(Dataset.owner_id == actor.user_id, same, Dataset.id != except_id)
    if session.exec(statement).first() is not None:
        raise Conflict(f"You already have a dataset named {name.strip()}. Choose another name.", "name")


def _remove_files(dataset_id: int, upload_ids: Sequence[str]) -> None:
    remove_folder(dataset_id)
    delete_upload_files(upload_ids)
