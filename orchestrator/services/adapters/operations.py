"""Merges and pushes of adapters: asked for here, done by a worker, told of as they go."""

import re
import shutil
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlmodel import Session, col, select

from orchestrator.domain.adapters import WORK_ACTIVE, Adapter, AdapterWork, ResultKind, WorkKind, WorkStatus
from orchestrator.domain.base import utcnow
from orchestrator.domain.errors import Conflict, Invalid, NotFound
from orchestrator.domain.machines import PREP
from orchestrator.domain.redis_keys import TASK_ADAPTER
from orchestrator.domain.users import Actor
from orchestrator.services.access import owned_adapter
from orchestrator.services.adapters.catalog import whole_folder
from orchestrator.services.adapters.files import half_of, home_folder, merged_folder
from orchestrator.services.after_commit import after_commit
from orchestrator.services.db import session_scope
from orchestrator.services.hub import hub_credential
from orchestrator.services.queue import adapter_work_key, enqueue
from orchestrator.services.vault import seal
from orchestrator.services.zips import fresh_zip

ADAPTER, MERGED = "adapter", "merged"
"""What a push sends."""
REPO = re.compile(r"^[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9][\w.-]{0,95}$")


@dataclass(frozen=True, slots=True)
class WorkRow:
    """One merge or push as pages and REST show it; the token is nowhere in it."""

    id: int
    adapter_id: int
    kind: str
    status: str
    stage: str
    done: int
    total: int
    error: str
    what: str
    """For a push: adapter or merged."""
    repo: str
    private: bool
    url: str
    """Where it can be seen once it is pushed."""
    created_at: datetime
    finished_at: datetime | None


def list_works(session: Session, actor: Actor, adapter_id: int) -> list[WorkRow]:
    """The newest first."""
    owned_adapter(session, actor, adapter_id)
    return [work_row(work) for work in _works(session, adapter_id)]


def request_merge(session: Session, actor: Actor, adapter_id: int) -> WorkRow:
    """Has a worker write base and adapter as one whole model; one that is under way or done is not begun again.

    Raises:
        Conflict: it is a whole model already, or its files are gone. NotFound.
    """
    adapter = owned_adapter(session, actor, adapter_id)
    if adapter.kind is ResultKind.MODEL:
        raise Conflict(f"{adapter.name} v{adapter.version} is a whole model already. There is nothing to merge.")
    whole_folder(adapter)
    for work in _works(session, adapter_id):
        done = work.status is WorkStatus.DONE and merged_folder(adapter_id).is_dir()
        if work.kind is WorkKind.MERGE and (work.status in WORK_ACTIVE or done):
            return work_row(work)
    return _begin(session, AdapterWork(adapter_id=adapter_id, kind=WorkKind.MERGE))


def request_push(
    session: Session,
    actor: Actor,
    adapter_id: int,
    repo: str,
    token: str,
    private: bool = True,
    what: str = ADAPTER,
    credential_id: int = 0,
) -> WorkRow:
    """Has a worker send the adapter, or its merged model, to the Hugging Face Hub.

    Args:
        repo: owner/name; made if it is not there.
        token: a Hub token that may write; sealed, used for this push only, then forgotten.
        credential_id: a stored Hub token instead, where none is typed.

    Raises:
        Invalid: `problems` by field. Conflict: one is on its way, or there is nothing merged. NotFound.
    """
    adapter = owned_adapter(session, actor, adapter_id)
    problems: list[tuple[str, str]] = []
    if not REPO.match(repo.strip()) or "--" in repo or ".." in repo:
        problems.append(("repo", "Enter an id like owner/name: letters, digits, dots, dashes and underscores."))
    token = token.strip()
    if len(token) > 400 or not token.isprintable() or not (token or credential_id):
        problems.append(("token", "Enter a Hub token that may write, or choose a stored one. It begins with hf_."))
    if what not in (ADAPTER, MERGED):
        problems.append(("what", "Choose adapter or merged."))
    if problems:
        raise Invalid(problems[0][1], problems[0][0], problems)
    stored = hub_credential(session, actor, credential_id) if credential_id and not token else 0
    folder_to_push(adapter, what)
    if any(work.kind is WorkKind.PUSH and work.status in WORK_ACTIVE for work in _works(session, adapter_id)):
        raise Conflict(f"{adapter.name} v{adapter.version} is being pushed already. Wait until that is over.")
    wish: dict[str, Any] = {"repo": repo.strip(), "private": private, "what": what}
    wish |= {"sealed_token": seal({"token": token})} if token else {"credential_id": stored}
    return _begin(session, AdapterWork(adapter_id=adapter_id, kind=WorkKind.PUSH, wish=wish))


def folder_to_push(adapter: Adapter, what: str) -> Path:
    """The folder that a push sends.

    Raises:
        Conflict: it is not there.
    """
    if what == ADAPTER:
        return whole_folder(adapter)
    folder = merged_folder(adapter.id or 0)
    if not folder.is_dir():
        raise Conflict("Nothing is merged yet. Merge it first, then push the merged model.")
    return folder


def merged_zip(session: Session, actor: Actor, adapter_id: int) -> Path:
    """The merged model as one zip, made at the first request.

    Raises:
        Conflict: it is not merged. NotFound.
    """
    adapter = owned_adapter(session, actor, adapter_id)
    folder = folder_to_push(adapter, MERGED)
    label = f"{adapter.name}-v{adapter.version}-merged"
    return fresh_zip(folder, home_folder(adapter_id) / f"{label}.zip", label)


def take(work_id: int) -> tuple[AdapterWork, Adapter] | None:
    """For the worker: what is to be done; None when it is over or was deleted."""
    with session_scope() as session:
        work = session.get(AdapterWork, work_id)
        adapter = session.get(Adapter, work.adapter_id) if work else None
        if work is None or adapter is None or work.status not in WORK_ACTIVE:
            return None
        work.status = WorkStatus.RUNNING
        session.add(work)
        return work, adapter


def tell(work_id: int, stage: str, done: int = 0, total: int = 0) -> bool:
    """Notes how far it is; False when nobody wants it any more."""
    with session_scope() as session:
        work = session.get(AdapterWork, work_id)
        if work is None or work.status is not WorkStatus.RUNNING:
            return False
        work.stage, work.done, work.total = stage, done, total
        session.add(work)
        return True


def finish(work_id: int, result: dict[str, Any]) -> None:
    """It is done; a token that was lent for it is forgotten."""
    _settle(work_id, WorkStatus.DONE, result=result)


def refuse(work_id: int, sentence: str) -> str:
    """It ends with this sentence; the word of how it ended. What a killed worker had written of a merge goes."""
    work = _settle(work_id, WorkStatus.FAILED, error=sentence[:1000])
    if work is not None and work.kind is WorkKind.MERGE:
        shutil.rmtree(half_of(merged_folder(work.adapter_id)), ignore_errors=True)
    return "failed"


def work_row(work: AdapterWork) -> WorkRow:
    """The row of a record."""
    assert work.id is not None
    return WorkRow(
        id=work.id,
        adapter_id=work.adapter_id,
        kind=work.kind.value,
        status=work.status.value,
        stage=work.stage,
        done=work.done,
        total=work.total,
        error=work.error,
        what=str(work.wish.get("what") or ""),
        repo=str(work.wish.get("repo") or ""),
        private=bool(work.wish.get("private", True)),
        url=str(work.result.get("url") or ""),
        created_at=work.created_at,
        finished_at=work.finished_at,
    )


def send(session: Session, work_id: int) -> None:
    """Puts the letter in the box once the row is written."""
    after_commit(session, lambda: enqueue(TASK_ADAPTER, adapter_work_key(work_id), PREP, work_id=work_id))


def get_work(session: Session, actor: Actor, adapter_id: int, work_id: int) -> WorkRow:
    """One merge or push of the actor's adapter.

    Raises:
        NotFound.
    """
    owned_adapter(session, actor, adapter_id)
    work = session.get(AdapterWork, work_id)
    if work is None or work.adapter_id != adapter_id:
        raise NotFound("There is no such merge or push.")
    return work_row(work)


def _works(session: Session, adapter_id: int) -> list[AdapterWork]:
    found = select(AdapterWork).where(AdapterWork.adapter_id == adapter_id).order_by(col(AdapterWork.id).desc())
    return list(session.exec(found.limit(50)))


def _begin(session: Session, work: AdapterWork) -> WorkRow:
    session.add(work)
    session.flush()
    row = work_row(work)
    send(session, row.id)
    return row


def _settle(work_id: int, status: WorkStatus, **changes: Any) -> AdapterWork | None:
    with session_scope() as session:
        work = session.get(AdapterWork, work_id)
        if work is None or work.status not in WORK_ACTIVE:
            return None
        work.status, work.finished_at = status, utcnow()
        work.wish = {key: value for key, value in work.wish.items() if key != "sealed_token"}
        for name, value in changes.items():
            setattr(work, name, value)
        session.add(work)
        return work
