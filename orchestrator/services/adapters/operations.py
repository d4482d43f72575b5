"""Merges and pushes of adapters: requested here, carried out by a worker, which reports its progress."""

import shutil
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

from sqlmodel import Session, col, select

from orchestrator.domain.adapters import (
    ACTIVE_OPERATIONS,
    OPERATION_STAGES,
    Adapter,
    AdapterOperation,
    OperationKind,
    OperationStatus,
    ResultKind,
)
from orchestrator.domain.audit import Act
from orchestrator.domain.base import utcnow
from orchestrator.domain.errors import Conflict, Invalid
from orchestrator.domain.hub_ids import HUB_ID
from orchestrator.domain.json_schemas import OneOf
from orchestrator.domain.machines import PREP
from orchestrator.domain.redis_keys import TASK_ADAPTER
from orchestrator.domain.users import Actor
from orchestrator.services.access import owned_adapter
from orchestrator.services.adapters.catalog import existing_folder
from orchestrator.services.adapters.files import home_folder, merged_folder, partial_folder
from orchestrator.services.after_commit import after_commit
from orchestrator.services.audit.recording import record
from orchestrator.services.db import session_scope
from orchestrator.services.fair_turns import UNKNOWN_BYTES, Share
from orchestrator.services.hub import hub_credential
from orchestrator.services.queue import adapter_work_key, enqueue
from orchestrator.services.vault import seal
from orchestrator.services.zips import up_to_date_zip

MAX_LISTED = 50
ADAPTER, MERGED = "adapter", "merged"
"""What a push uploads."""


@dataclass(frozen=True, slots=True)
class OperationRow:
    """One merge or push, without its token."""

    id: int
    adapter_id: int
    kind: Annotated[str, OneOf(OperationKind)]
    status: Annotated[str, OneOf(OperationStatus)]
    stage: Annotated[str, OneOf(OPERATION_STAGES, "")]
    done: int
    total: int
    error: str
    what: str
    """For a push: adapter or merged."""
    repo: str
    private: bool
    url: str
    """Its page on the Hub once it is pushed."""
    created_at: datetime
    finished_at: datetime | None


def list_operations(session: Session, actor: Actor, adapter_id: int) -> list[OperationRow]:
    """The merges and pushes of an adapter, the newest first."""
    owned_adapter(session, actor, adapter_id)
    return [operation_row(operation) for operation in _operations_of(session, adapter_id)]


def request_merge(session: Session, actor: Actor, adapter_id: int) -> OperationRow:
    """Has a worker merge base and adapter into one model; a merge that runs or is done is returned instead.

    Raises:
        Conflict: it is a complete model already, or its files no longer exist. NotFound.
    """
    adapter = owned_adapter(session, actor, adapter_id)
    if adapter.kind is ResultKind.MODEL:
        raise Conflict(f"{adapter.name} v{adapter.version} is a complete model already. There is nothing to merge.")
    existing_folder(adapter)
    for operation in _operations_of(session, adapter_id):
        done = operation.status is OperationStatus.DONE and merged_folder(adapter_id).is_dir()
        if operation.kind is OperationKind.MERGE and (operation.status in ACTIVE_OPERATIONS or done):
            return operation_row(operation)
    record(session, actor, Act.ADAPTER_MERGE_REQUESTED, adapter_id, f"{adapter.name} v{adapter.version}")
    return _add(session, AdapterOperation(adapter_id=adapter_id, kind=OperationKind.MERGE))


def request_push(
    session: Session,
    actor: Actor,
    adapter_id: int,
    repo: str,
    token: str,
    private: bool = True,
    what: str = ADAPTER,
    credential_id: int = 0,
) -> OperationRow:
    """Has a worker upload the adapter, or its merged model, to the Hugging Face Hub.

    Args:
        repo: owner/name; created if it does not exist.
        token: a Hub token with write permission; stored encrypted for this push only, then deleted.
        what: `ADAPTER` or `MERGED`.
        credential_id: a stored Hub token, used where `token` is "".

    Raises:
        Invalid: `problems` by field. Conflict: a push runs already, or nothing is merged yet. NotFound.
    """
    adapter = owned_adapter(session, actor, adapter_id)
    problems: list[tuple[str, str]] = []
    if not HUB_ID.fullmatch(repo.strip()) or "--" in repo or ".." in repo:
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
    running = [other for other in _operations_of(session, adapter_id) if other.status in ACTIVE_OPERATIONS]
    if any(other.kind is OperationKind.PUSH for other in running):
        raise Conflict(f"{adapter.name} v{adapter.version} is being pushed already. Wait until that is over.")
    request: dict[str, Any] = {"repo": repo.strip(), "private": private, "what": what}
    request |= {"sealed_token": seal({"token": token})} if token else {"credential_id": stored}
    after = {"repo": repo.strip(), "visible": not private, "what": what}
    record(session, actor, Act.ADAPTER_PUSH_REQUESTED, adapter_id, f"{adapter.name} v{adapter.version}", after=after)
    return _add(session, AdapterOperation(adapter_id=adapter_id, kind=OperationKind.PUSH, request=request))


def folder_to_push(adapter: Adapter, what: str) -> Path:
    """The folder that a push uploads.

    Raises:
        Conflict: it does not exist.
    """
    if what == ADAPTER:
        return existing_folder(adapter)
    folder = merged_folder(adapter.id or 0)
    if not folder.is_dir():
        raise Conflict("Nothing is merged yet. Merge it first, then push the merged model.")
    return folder


def merged_zip(session: Session, actor: Actor, adapter_id: int) -> Path:
    """The merged model as one zip, created at the first request.

    Raises:
        Conflict: it is not merged. NotFound.
    """
    adapter = owned_adapter(session, actor, adapter_id)
    folder = folder_to_push(adapter, MERGED)
    label = f"{adapter.name}-v{adapter.version}-merged"
    return up_to_date_zip(folder, home_folder(adapter_id) / f"{label}.zip", label)


def start_operation(operation_id: int) -> tuple[AdapterOperation, Adapter] | None:
    """Marks an operation as running, for the worker that took its message.

    Returns:
        The operation and its adapter; None when it has ended or was deleted.
    """
    with session_scope() as session:
        operation = session.get(AdapterOperation, operation_id)
        adapter = session.get(Adapter, operation.adapter_id) if operation else None
        if operation is None or adapter is None or operation.status not in ACTIVE_OPERATIONS:
            return None
        operation.status = OperationStatus.RUNNING
        session.add(operation)
        return operation, adapter


def report_progress(operation_id: int, stage: str, done: int = 0, total: int = 0) -> bool:
    """Records the progress of a running operation.

    Returns:
        False when it was cancelled, so that the worker stops.
    """
    with session_scope() as session:
        operation = session.get(AdapterOperation, operation_id)
        if operation is None or operation.status is not OperationStatus.RUNNING:
            return False
        operation.stage, operation.done, operation.total = stage, done, total
        session.add(operation)
        return True


def finish_operation(operation_id: int, result: dict[str, Any]) -> None:
    """Marks an operation as done and deletes the token that it was given."""
    _end(operation_id, OperationStatus.DONE, result=result)


def fail_operation(operation_id: int, sentence: str) -> str:
    """Marks an operation as failed, for the reason in `sentence`; deletes the partial result of a merge.

    Returns:
        "failed", for the log of the queue.
    """
    operation = _end(operation_id, OperationStatus.FAILED, error=sentence[:1000])
    if operation is not None and operation.kind is OperationKind.MERGE:
        shutil.rmtree(partial_folder(merged_folder(operation.adapter_id)), ignore_errors=True)
    return "failed"


def operation_row(operation: AdapterOperation) -> OperationRow:
    """The row of a stored operation."""
    assert operation.id is not None
    return OperationRow(
        id=operation.id,
        adapter_id=operation.adapter_id,
        kind=operation.kind.value,
        status=operation.status.value,
        stage=operation.stage,
        done=operation.done,
        total=operation.total,
        error=operation.error,
        what=str(operation.request.get("what") or ""),
        repo=str(operation.request.get("repo") or ""),
        private=bool(operation.request.get("private", True)),
        url=str(operation.result.get("url") or ""),
        created_at=operation.created_at,
        finished_at=operation.finished_at,
    )


def enqueue_operation(session: Session, operation_id: int) -> None:
    """Puts the message for a worker into the queue after the commit."""
    share, key = operation_share(session, operation_id), adapter_work_key(operation_id)
    after_commit(session, lambda: enqueue(TASK_ADAPTER, key, PREP, share, work_id=operation_id))


def operation_share(session: Session, operation_id: int) -> Share:
    """Whose adapter it is; a merge reads and writes a whole base, whose size is known to the worker only."""
    owner = select(Adapter.owner_id).join(AdapterOperation, col(AdapterOperation.adapter_id) == col(Adapter.id))
    return Share(session.exec(owner.where(AdapterOperation.id == operation_id)).first() or 0, UNKNOWN_BYTES)


def _operations_of(session: Session, adapter_id: int) -> list[AdapterOperation]:
    operations = select(AdapterOperation).where(AdapterOperation.adapter_id == adapter_id)
    return list(session.exec(operations.order_by(col(AdapterOperation.id).desc()).limit(MAX_LISTED)))


def _add(session: Session, operation: AdapterOperation) -> OperationRow:
    session.add(operation)
    session.flush()
    row = operation_row(operation)
    enqueue_operation(session, row.id)
    return row


def _end(operation_id: int, status: OperationStatus, **changes: Any) -> AdapterOperation | None:
    with session_scope() as session:
        operation = session.get(AdapterOperation, operation_id)
        if operation is None or operation.status not in ACTIVE_OPERATIONS:
            return None
        operation.status, operation.finished_at = status, utcnow()
        operation.request = {key: value for key, value in operation.request.items() if key != "sealed_token"}
        for name, value in changes.items():
            setattr(operation, name, value)
        session.add(operation)
        return operation
