"""Runs an operation on an adapter in the prep worker: merges it into its base, or pushes it to the Hub."""

import os
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import structlog

from jobs.fetch.child import fetch_messages
from jobs.processes.lease import Lease
from orchestrator.domain.adapters import Adapter, AdapterOperation, OperationKind
from orchestrator.domain.errors import AppError, Invalid
from orchestrator.domain.models import ModelSource, VideoModel
from orchestrator.domain.recipes import parse_recipe, stored_recipe
from orchestrator.domain.redis_keys import adapter_lease
from orchestrator.services.adapters import operations
from orchestrator.services.adapters.catalog import existing_folder
from orchestrator.services.adapters.files import merged_folder
from orchestrator.services.credentials import credential_secret
from orchestrator.services.db import DATABASE_AWAY, session_scope, when_available
from orchestrator.services.fetching import fetch_request
from orchestrator.services.vault import unseal

log = structlog.get_logger()


def run_adapter_work(work_id: int) -> str:
    """Merges or pushes; returns how it ended, for the worker's log."""
    lease = Lease(adapter_lease(work_id), int(time.time() * 1000))
    lease.keep()
    try:
        started = operations.start_operation(work_id)
        if started is None:
            return "nothing to do"
        operation, adapter = started
        run = _merge if operation.kind is OperationKind.MERGE else _push
        result = run(operation, adapter, lambda: not lease.fenced)
        when_available(lambda: operations.finish_operation(work_id, result))
        return "done"
    except AppError as error:
        return operations.fail_operation(work_id, error.message)
    except MemoryError:
        return operations.fail_operation(
            work_id, "The memory ran out. Merge where there is more: twice the size of the base."
        )
    except OSError as error:
        log.warning("adapter_work.files", error=str(error))
        return operations.fail_operation(
            work_id, f"The files could not be read or written: {error.strerror}. Try again."
        )
    except DATABASE_AWAY:
        raise  # the controller sends it again
    except Exception as error:
        if "No space left on device" in str(error):  # safetensors raises an error of its own for it
            return operations.fail_operation(
                work_id, "The disk is full; nothing of it was kept. Free some space, then try again."
            )
        log.exception("adapter_work.failed", work=work_id)
        return operations.fail_operation(work_id, f"It broke off ({type(error).__name__}). The worker's log says more.")
    finally:
        lease.release()


def base_folder(adapter: Adapter) -> Path:
    """The base that the adapter was trained on, with the same weights.

    Raises:
        Invalid: it was deleted, or has other weights now.
    """
    bundled = existing_folder(adapter) / "base"
    if bundled.is_dir():
        return bundled
    with session_scope() as session:
        model = session.get(VideoModel, adapter.model_id) if adapter.model_id else None
        exists = model is not None and bool(model.path) and os.path.isdir(model.path)
        if model is None or not exists:
            raise Invalid(f"The base model {adapter.model_name} is not there any more. Register it again, then merge.")
        if adapter.model_revision and model.revision and model.revision != adapter.model_revision:
            raise Invalid(f"{adapter.model_name} holds other weights now than this adapter was trained on.")
        return Path(model.path)


def _hub_id(adapter: Adapter) -> str:
    """The id on the Hub of a base that was downloaded from there, else ""."""
    with session_scope() as session:
        model = session.get(VideoModel, adapter.model_id) if adapter.model_id else None
        return model.source_ref if model is not None and model.source is ModelSource.HUB else ""


def _merge(operation: AdapterOperation, adapter: Adapter, should_continue: Callable[[], bool]) -> dict[str, Any]:
    from jobs.adapters.merge import STEPS, merge

    operation_id = operation.id or 0
    base, target = base_folder(adapter), merged_folder(adapter.id or 0)

    def on_progress(stage: str, step: int) -> bool:
        return operations.report_progress(operation_id, stage, step, STEPS) and should_continue()

    folder = merge(
        existing_folder(adapter), base, parse_recipe(stored_recipe(adapter.recipe)), adapter.task, target, on_progress
    )
    return {"bytes": sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())}


def _token(adapter: Adapter, request: dict[str, Any]) -> dict[str, Any]:
    """The token that was given for this push, or the stored one that was chosen.

    Raises:
        Invalid: there is none any more. NotFound: the stored one was deleted since.
    """
    if request.get("credential_id"):
        with session_scope() as session:
            return credential_secret(session, adapter.owner_id, int(request["credential_id"]))
    if not request.get("sealed_token"):
        raise Invalid("The token is not there any more. Push again.")
    return unseal(request["sealed_token"])


def _push(operation: AdapterOperation, adapter: Adapter, should_continue: Callable[[], bool]) -> dict[str, Any]:
    """Uploads the files in a process of the sandbox, which has this one token and reaches public addresses only."""
    operation_id, request = operation.id or 0, operation.request
    source = {
        "type": "push",
        "repo": request["repo"],
        "private": bool(request.get("private", True)),
        "files": str(operations.folder_to_push(adapter, str(request["what"]))),
        "message": f"{adapter.name} v{adapter.version}",
        "base_model": _hub_id(adapter),
    }
    home = tempfile.mkdtemp(prefix="loreel-push-")
    upload = fetch_request(source, _token(adapter, request), Path(home))
    result: dict[str, Any] = {}
    try:
        for message in fetch_messages(upload, should_continue):
            if "problem" in message:
                raise Invalid(str(message["problem"]))
            if "url" in message:
                result = {"repo": request["repo"], "url": message["url"], "commit": message["commit"]}
            elif "files" in message:
                return result
            elif not operations.report_progress(operation_id, "sending", message["done"], message["total"]):
                break
    finally:
        shutil.rmtree(home, ignore_errors=True)
    raise Invalid("Pushing was cancelled.")
