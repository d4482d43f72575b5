"""The datasets of a person: list, read, create, rename, delete; and the clips of one."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, func, or_
from sqlmodel import Session, col, select

from orchestrator.domain.base import utcnow
from orchestrator.domain.datasets import Clip, ClipStatus, Dataset, DatasetStatus, Split, Upload
from orchestrator.domain.errors import Conflict, Invalid
from orchestrator.domain.tasks import DEFAULT_TASK, Task
from orchestrator.domain.training_jobs import ACTIVE, TrainingJob
from orchestrator.domain.users import Actor
from orchestrator.services.access import owned_dataset
from orchestrator.services.after_commit import after_commit
from orchestrator.services.datasets.files import remove_folder
from orchestrator.services.datasets.rows import AGAIN, ClipRow, DatasetRow, clip_row, dataset_row
from orchestrator.services.paging import Page, contains, fetch_page
from orchestrator.services.uploads.part_file import upload_path

SORTS = {
    "created_at": col(Dataset.created_at),
    "name": func.lower(col(Dataset.name)),
    "size_bytes": col(Dataset.size_bytes),
    "clip_count": col(Dataset.clip_count),
}
NAME_LIMIT, DESCRIPTION_LIMIT = 80, 2000
_MOST_IDS = 20_000
"""SQLite takes 32,766 values in one statement."""


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
    """The actor's datasets; `status` may hold several, with commas."""
    where = [col(Dataset.owner_id) == actor.user_id]
    if wanted := _words(status, DatasetStatus, "status"):
        where.append(col(Dataset.status).in_(wanted))
    if tasks := _words(task, Task, "task"):
        where.append(col(Dataset.task).in_(tasks))
    if q.strip():
        where.append(contains(Dataset.name, q))
    page = fetch_page(session, Dataset, where, SORTS, sort, limit, cursor)
    return Page([dataset_row(dataset) for dataset in page.items], page.next, page.total)


def get_dataset(session: Session, actor: Actor, dataset_id: int) -> DatasetRow:
    """One dataset of the actor.

    Raises:
        NotFound: there is none, or it is somebody else's.
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
    """A draft that waits for its files; `source` as `sources.parse_source` made it.

    Raises:
        Invalid: `problems` by field. Conflict: the name is taken.
    """
    problems = _text_problems(name, description)
    if task not in list(Task):
        problems.append(("task", f"Choose one of: {', '.join(Task)}."))
    if problems:
        raise Invalid(problems[0][1], problems[0][0], problems)
    _refuse_taken(session, actor, name)
    dataset = Dataset(
        owner_id=actor.user_id,
        name=name.strip(),
        description=description.strip(),
        task=Task(task),
        source=source or {"type": "upload"},
    )
    session.add(dataset)
    session.flush()
    return dataset_row(dataset)


def update_dataset(
    session: Session, actor: Actor, dataset_id: int, name: str | None = None, description: str | None = None
) -> DatasetRow:
    """A new name or description; None leaves it as it is.

    Raises:
        Invalid: `problems` by field. Conflict: the name is taken. NotFound.
    """
    dataset = owned_dataset(session, actor, dataset_id)
    wanted = dataset.name if name is None else name
    text = dataset.description if description is None else description
    if problems := _text_problems(wanted, text):
        raise Invalid(problems[0][1], problems[0][0], problems)
    if wanted.strip() != dataset.name:
        _refuse_taken(session, actor, wanted, dataset_id)
    dataset.name, dataset.description, dataset.updated_at = wanted.strip(), text.strip(), utcnow()
    session.add(dataset)
    session.flush()
    return dataset_row(dataset)


def dismiss_notice(session: Session, actor: Actor, dataset_id: int) -> DatasetRow:
    """Forgets what was said of the last files of a dataset that is ready; the reason of an error stays."""
    dataset = owned_dataset(session, actor, dataset_id)
    if dataset.status is DatasetStatus.READY:
        dataset.error = ""
        dataset.layout = {key: value for key, value in dataset.layout.items() if key != AGAIN}
        session.add(dataset)
        session.flush()
    return dataset_row(dataset)


def delete_dataset(session: Session, actor: Actor, dataset_id: int) -> None:
    """Deletes the rows now and the files after the commit; the demo's shared files stay.

    Raises:
        Conflict: a job still learns from it. NotFound.
    """
    dataset = owned_dataset(session, actor, dataset_id)
    active = session.exec(
        select(TrainingJob.name).where(TrainingJob.dataset_id == dataset_id, col(TrainingJob.status).in_(ACTIVE))
    ).all()
    if active:
        names = ", ".join(active[:3]) + (" and others" if len(active) > 3 else "")
        raise Conflict(f"{names} still {'learns' if len(active) == 1 else 'learn'} from this dataset. Stop it first.")
    uploads = session.exec(select(Upload.id).where(Upload.dataset_id == dataset_id)).all()
    session.delete(dataset)
    session.flush()
    after_commit(session, lambda: _remove(dataset_id, uploads))


def has_files(session: Session, dataset_id: int) -> bool:
    """Whether any clip of it lies in the storage, even if none says anything to learn from yet."""
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
    """The clips of one dataset in the order they came in.

    Args:
        status: ok, bad, quarantined; split: auto, train, validation; each may hold several, with commas.
        q: a part of the name, the label or the caption; ids: only among these.
    """
    owned_dataset(session, actor, dataset_id)
    where = _matching(dataset_id, label, status, split, q, ids)
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
    """The ids of all clips that `list_clips` would list with these filters."""
    owned_dataset(session, actor, dataset_id)
    return [i for i in session.exec(select(Clip.id).where(*_matching(dataset_id, label, status, split, q, ids))) if i]


def _matching(
    dataset_id: int, label: str, status: str, split: str, q: str, ids: Sequence[int] | None
) -> list[ColumnElement[bool]]:
    where: list[ColumnElement[bool]] = [col(Clip.dataset_id) == dataset_id]
    if label:
        where.append(col(Clip.label) == label)
    if wanted := _words(status, ClipStatus, "status"):
        where.append(col(Clip.status).in_(wanted))
    if splits := _words(split, Split, "split"):
        where.append(col(Clip.split).in_(splits))
    if ids is not None:
        where.append(col(Clip.id).in_(ids[:_MOST_IDS]))
    if q.strip():
        where.append(or_(contains(Clip.name, q), contains(Clip.label, q), contains(Clip.caption, q)))
    return where


def _words(text: str, kind: Any, field: str) -> list[Any]:
    """Comma-separated words of an enum."""
    words = [word.strip() for word in text.split(",") if word.strip()]
    known = [member.value for member in kind]
    if any(word not in known for word in words):
        raise Invalid(f"Choose from: {', '.join(known)}.", field)
    return [kind(word) for word in words]


def _text_problems(name: str, description: str) -> list[tuple[str, str]]:
    problems = []
    if not name.strip():
        problems.append(("name", "Give the dataset a name, so that you find it again."))
    elif len(name.strip()) > NAME_LIMIT:
        problems.append(("name", f"A name may have at most {NAME_LIMIT} characters."))
    if len(description) > DESCRIPTION_LIMIT:
        problems.append(("description", f"A description may have at most {DESCRIPTION_LIMIT:,} characters."))
    return problems


def _refuse_taken(session: Session, actor: Actor, name: str, but: int = 0) -> None:
    same = func.lower(Dataset.name) == name.strip().lower()
    statement = select(Dataset.id).where(Dataset.owner_id == actor.user_id, same, Dataset.id != but)
    if session.exec(statement).first() is not None:
        raise Conflict(f"You already have a dataset named {name.strip()}. Choose another name.", "name")


def _remove(dataset_id: int, uploads: Sequence[str]) -> None:
    remove_folder(dataset_id)
    for upload_id in uploads:
        upload_path(upload_id).unlink(missing_ok=True)
