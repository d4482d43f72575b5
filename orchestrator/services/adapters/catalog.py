"""The adapters a person has: list, read, put into production, download, delete."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, func, or_
from sqlmodel import Session, col, select

from orchestrator.domain.adapters import WORK_ACTIVE, Adapter, AdapterLine, AdapterWork, WorkKind
from orchestrator.domain.errors import Conflict, Invalid
from orchestrator.domain.tasks import Task
from orchestrator.domain.users import Actor
from orchestrator.services.access import owned_adapter
from orchestrator.services.adapters.files import FileRow, adapter_folder, home_folder, list_files, remove_files
from orchestrator.services.adapters.rows import AdapterRow, LineFacts, adapter_row
from orchestrator.services.after_commit import after_commit
from orchestrator.services.paging import Page, contains, fetch_page
from orchestrator.services.zips import fresh_zip

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
    """The actor's versions.

    Args:
        q: found in the adapter's, dataset's or base's name.
        name: one line, exactly.
        status: `production` for the versions in use, or "".
        newest: one row a line: its highest version.
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
    same = {Adapter.model_id: model_id, Adapter.dataset_id: dataset_id, Adapter.job_id: job_id, Adapter.name: name}
    where += [col(column) == wanted for column, wanted in same.items() if wanted]
    if status == "production":
        where.append(_in_production())
    elif status:
        raise Invalid("Choose production, or leave it empty.", "status")
    if newest:
        where.append(col(Adapter.id).in_(_newest_ids(actor)))
    page = fetch_page(session, Adapter, where, SORTS, sort, limit, cursor)
    return Page(_rows(session, page.items), page.next, page.total)


def get_adapter(session: Session, actor: Actor, adapter_id: int) -> AdapterRow:
    """One version of the actor's.

    Raises:
        NotFound: there is none, or it is somebody else's.
    """
    return _rows(session, [owned_adapter(session, actor, adapter_id)])[0]


def line_of(session: Session, actor: Actor, adapter_id: int) -> list[AdapterRow]:
    """Every version of the same line, the newest first."""
    adapter = owned_adapter(session, actor, adapter_id)
    found = select(Adapter).where(Adapter.line_id == adapter.line_id).order_by(col(Adapter.version).desc())
    return _rows(session, session.exec(found).all())


def adapter_files(session: Session, actor: Actor, adapter_id: int) -> list[FileRow]:
    """What a download holds."""
    return list_files(adapter_folder(owned_adapter(session, actor, adapter_id)))


def promote(session: Session, actor: Actor, adapter_id: int, production: bool = True) -> AdapterRow:
    """Makes this version the one of its line that is in production, in place of any other; or takes it out."""
    adapter = owned_adapter(session, actor, adapter_id)
    line = session.get_one(AdapterLine, adapter.line_id, with_for_update=True)
    if production:
        line.production_version = adapter.version
    elif line.production_version == adapter.version:
        line.production_version = None
    session.add(line)
    session.flush()
    return get_adapter(session, actor, adapter_id)


def adapter_zip(session: Session, actor: Actor, adapter_id: int) -> Path:
    """The adapter's folder as one zip, made at the first request.

    Raises:
        Conflict: its files are gone. NotFound.
    """
    adapter = owned_adapter(session, actor, adapter_id)
    folder = whole_folder(adapter)
    label = f"{adapter.name}-v{adapter.version}"
    return fresh_zip(folder, home_folder(adapter.id or 0) / f"{label}.zip", label)


def whole_folder(adapter: Adapter) -> Path:
    """The folder with the weights.

    Raises:
        Conflict: it is gone.
    """
    folder = adapter_folder(adapter)
    if not folder.is_dir():
        raise Conflict(f"The files of {adapter.name} v{adapter.version} are gone from the disk. Train it again.")
    return folder


def dependents(session: Session, actor: Actor, adapter_id: int) -> list[str]:
    """What a deletion would touch, as sentences for whoever is asked to confirm."""
    adapter = owned_adapter(session, actor, adapter_id)
    line = session.get_one(AdapterLine, adapter.line_id)
    found: list[str] = []
    if line.production_version == adapter.version:
        found.append(f"It is the version of {adapter.name} in production; the line is left without one.")
    works = select(AdapterWork).where(AdapterWork.adapter_id == adapter_id).order_by(col(AdapterWork.id))
    for work in session.exec(works):
        if work.kind is WorkKind.MERGE and work.result:
            found.append("Its merged model is deleted with it; a base model that was registered from it stays.")
        if work.kind is WorkKind.PUSH and work.result:
            found.append(f"What was pushed to {work.result.get('repo', 'the Hub')} stays there.")
    return list(dict.fromkeys(found))


def delete_adapter(session: Session, actor: Actor, adapter_id: int) -> None:
    """Deletes one version with its files; its job stays, and its number never comes back.

    Raises:
        Conflict: it is being merged or pushed. NotFound.
    """
    adapter = owned_adapter(session, actor, adapter_id)
    busy = select(AdapterWork.kind).where(
        AdapterWork.adapter_id == adapter_id, col(AdapterWork.status).in_(WORK_ACTIVE)
    )
    if kind := session.exec(busy).first():
        doing = "merged" if kind is WorkKind.MERGE else "pushed"
        raise Conflict(f"{adapter.name} v{adapter.version} is being {doing}. Wait until that is over.")
    line = session.get_one(AdapterLine, adapter.line_id, with_for_update=True)
    if line.production_version == adapter.version:
        line.production_version = None
        session.add(line)
    session.delete(adapter)
    session.flush()
    session.expunge(adapter)
    after_commit(session, lambda: remove_files(adapter))


def _in_production() -> ColumnElement[bool]:
    used = select(AdapterLine.id).where(
        AdapterLine.id == Adapter.line_id, AdapterLine.production_version == Adapter.version
    )
    return used.exists()


def _newest_ids(actor: Actor) -> Any:
    """Ids rise with versions inside a line."""
    return select(func.max(Adapter.id)).where(Adapter.owner_id == actor.user_id).group_by(col(Adapter.line_id))


def _rows(session: Session, adapters: Iterable[Adapter]) -> list[AdapterRow]:
    found = list(adapters)
    ids = {adapter.line_id for adapter in found}
    counted = (
        select(AdapterLine.id, AdapterLine.production_version, func.max(Adapter.version), func.count())
        .join(Adapter, col(Adapter.line_id) == col(AdapterLine.id))
        .where(col(AdapterLine.id).in_(ids))
        .group_by(col(AdapterLine.id), col(AdapterLine.production_version))
    )
    lines = {line_id: LineFacts(newest, many, used) for line_id, used, newest, many in session.exec(counted)}
    return [adapter_row(adapter, lines[adapter.line_id]) for adapter in found]
