"""The adapters of a user: list, read, put into production, download, delete."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, func, or_
from sqlmodel import Session, col, select

from orchestrator.domain.adapters import ACTIVE_OPERATIONS, Adapter, AdapterLine, AdapterOperation, OperationKind
from orchestrator.domain.audit import Act
from orchestrator.domain.errors import Conflict, Invalid
from orchestrator.domain.tasks import Task
from orchestrator.domain.users import Actor
from orchestrator.services.access import owned_adapter
from orchestrator.services.adapters.files import FileRow, adapter_folder, home_folder, list_files, remove_files
from orchestrator.services.adapters.rows import AdapterRow, LineFacts, adapter_row, parent_id_of
from orchestrator.services.after_commit import after_commit
from orchestrator.services.audit.recording import record
from orchestrator.services.paging import Page, contains, fetch_page
from orchestrator.services.zips import up_to_date_zip

SORTS = {
    "created_at": col(Adapter.created_at),
    "name": func.lower(col(Adapter.name)),
    "version": col(Adapter.version),
    "dataset": col(Adapter.dataset_name),
    "model": col(Adapter.model_name),
    "size_bytes": col(Adapter.size_bytes),
}


def list_adapters(
    session: Session,
    actor: Actor,
    q: str = "",
    task: str = "",
    model_id: int | None = None,
    dataset_id: int | None = None,
    job_id: int | None = None,
    name: str = "",
    status: str = "",
    newest: bool = False,
    sort: str = "-created_at",
    limit: int = 50,
    cursor: str | None = None,
) -> Page[AdapterRow]:
    """The actor's adapter versions.

    Args:
        q: text in the name of the adapter, its dataset or its base.
        name: the exact name of one line.
        status: `production` for the versions in production, or "" for all.
        newest: only the highest version of each line.
    """
    where: list[ColumnElement[bool]] = [col(Adapter.owner_id) == actor.user_id]
    if q.strip():
        where.append(
            or_(*(contains(col(text), q) for text in (Adapter.name, Adapter.dataset_name, Adapter.model_name)))
        )
    if task:
        if task not in list(Task):
            raise Invalid(f"Choose from: {', '.join(Task)}.", "task")
        where.append(col(Adapter.task) == task)
    filters = {Adapter.model_id: model_id, Adapter.dataset_id: dataset_id, Adapter.job_id: job_id, Adapter.name: name}
    where += [col(column) == value for column, value in filters.items() if value]
    if status == "production":
        where.append(_in_production())
    elif status:
        raise Invalid("Choose production, or leave it empty.", "status")
    if newest:
        where.append(col(Adapter.id).in_(_newest_ids(actor)))
    page = fetch_page(session, Adapter, where, SORTS, sort, limit, cursor)
    return Page(_rows(session, page.items), page.next, page.total)


def get_adapter(session: Session, actor: Actor, adapter_id: int) -> AdapterRow:
    """One adapter version of the actor's.

    Raises:
        NotFound: it does not exist, or belongs to another user.
    """
    return _rows(session, [owned_adapter(session, actor, adapter_id)])[0]


def list_versions(session: Session, actor: Actor, adapter_id: int) -> list[AdapterRow]:
    """All versions of the same line, the newest first."""
    adapter = owned_adapter(session, actor, adapter_id)
    versions = select(Adapter).where(Adapter.line_id == adapter.line_id).order_by(col(Adapter.version).desc())
    return _rows(session, session.exec(versions).all())


def adapter_files(session: Session, actor: Actor, adapter_id: int) -> list[FileRow]:
    """The files of an adapter, which are those of its download."""
    return list_files(adapter_folder(owned_adapter(session, actor, adapter_id)))


def model_card(session: Session, actor: Actor, adapter_id: int) -> str:
    """The README.md of an adapter; "" where its files are not on the disk any more."""
    try:
        return (adapter_folder(owned_adapter(session, actor, adapter_id)) / "README.md").read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        return ""


def promote(session: Session, actor: Actor, adapter_id: int, production: bool = True) -> AdapterRow:
    """Puts this version into production, in place of any other of its line; with `production=False` takes it out."""
    adapter = owned_adapter(session, actor, adapter_id)
    line = session.get_one(AdapterLine, adapter.line_id, with_for_update=True)
    if production:
        line.production_version = adapter.version
    elif line.production_version == adapter.version:
        line.production_version = None
    session.add(line)
    session.flush()
    act = Act.ADAPTER_PROMOTED if production else Act.ADAPTER_DEMOTED
    record(session, actor, act, adapter_id, f"{adapter.name} v{adapter.version}")
    return get_adapter(session, actor, adapter_id)


def adapter_zip(session: Session, actor: Actor, adapter_id: int) -> Path:
    """The adapter's folder as one zip, created at the first request.

    Raises:
        Conflict: its files no longer exist. NotFound.
    """
    adapter = owned_adapter(session, actor, adapter_id)
    folder = existing_folder(adapter)
    label = f"{adapter.name}-v{adapter.version}"
    return up_to_date_zip(folder, home_folder(adapter.id or 0) / f"{label}.zip", label)


def existing_folder(adapter: Adapter) -> Path:
    """The folder with the weights, which must exist.

    Raises:
        Conflict: it does not.
    """
    folder = adapter_folder(adapter)
    if not folder.is_dir():
        raise Conflict(f"The files of {adapter.name} v{adapter.version} are no longer on the disk. Train it again.")
    return folder


def dependents(session: Session, actor: Actor, adapter_id: int) -> list[str]:
    """What a deletion would affect, as sentences for the confirmation dialog."""
    adapter = owned_adapter(session, actor, adapter_id)
    line = session.get_one(AdapterLine, adapter.line_id)
    sentences: list[str] = []
    if line.production_version == adapter.version:
        sentences.append(f"It is the version of {adapter.name} in production; the line is left without one.")
    operations = (
        select(AdapterOperation).where(AdapterOperation.adapter_id == adapter_id).order_by(col(AdapterOperation.id))
    )
    for operation in session.exec(operations):
        if operation.kind is OperationKind.MERGE and operation.result:
            sentences.append("Its merged model is deleted with it; a base model that was registered from it stays.")
        if operation.kind is OperationKind.PUSH and operation.result:
            sentences.append(f"What was pushed to {operation.result.get('repo', 'the Hub')} stays there.")
    return list(dict.fromkeys(sentences))


def delete_adapter(session: Session, actor: Actor, adapter_id: int) -> None:
    """Deletes one version with its files. Its job stays, and its version number is not reused.

    Raises:
        Conflict: it is being merged or pushed. NotFound.
    """
    adapter = owned_adapter(session, actor, adapter_id)
    running = select(AdapterOperation.kind).where(
        AdapterOperation.adapter_id == adapter_id, col(AdapterOperation.status).in_(ACTIVE_OPERATIONS)
    )
    if kind := session.exec(running).first():
        action = "merged" if kind is OperationKind.MERGE else "pushed"
        raise Conflict(f"{adapter.name} v{adapter.version} is being {action}. Wait until that is over.")
    line = session.get_one(AdapterLine, adapter.line_id, with_for_update=True)
    if line.production_version == adapter.version:
        line.production_version = None
        session.add(line)
    session.delete(adapter)
    session.flush()
    record(session, actor, Act.ADAPTER_DELETED, adapter_id, f"{adapter.name} v{adapter.version}")
    session.expunge(adapter)
    after_commit(session, lambda: remove_files(adapter))


def _in_production() -> ColumnElement[bool]:
    in_production = select(AdapterLine.id).where(
        AdapterLine.id == Adapter.line_id, AdapterLine.production_version == Adapter.version
    )
    return in_production.exists()


def _newest_ids(actor: Actor) -> Any:
    """The highest id of each line: ids rise with versions."""
    return select(func.max(Adapter.id)).where(Adapter.owner_id == actor.user_id).group_by(col(Adapter.line_id))


def _rows(session: Session, adapters: Iterable[Adapter]) -> list[AdapterRow]:
    adapters = list(adapters)
    line_ids = {adapter.line_id for adapter in adapters}
    statement = (
        select(AdapterLine.id, AdapterLine.production_version, func.max(Adapter.version), func.count())
        .join(Adapter, col(Adapter.line_id) == col(AdapterLine.id))
        .where(col(AdapterLine.id).in_(line_ids))
        .group_by(col(AdapterLine.id), col(AdapterLine.production_version))
    )
    rows = session.exec(statement)
    lines = {line_id: LineFacts(newest, count, production) for line_id, production, newest, count in rows}
    parents = _names(session, adapters)
    return [
        adapter_row(adapter, lines[adapter.line_id], parents.get((adapter.owner_id, parent_id_of(adapter)), ""))
        for adapter in adapters
    ]


def _names(session: Session, adapters: Iterable[Adapter]) -> dict[tuple[int, int | None], str]:
    """Name and version of the adapters that these continued from, by owner and id."""
    ids = {parent for adapter in adapters if (parent := parent_id_of(adapter))}
    if not ids:
        return {}
    found = session.exec(select(Adapter).where(col(Adapter.id).in_(ids)))
    return {(parent.owner_id, parent.id): f"{parent.name} v{parent.version}" for parent in found}
