"""Does what was asked for with an adapter, in the prep worker: merges it into its base, or pushes it to the Hub."""

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
from orchestrator.domain.recipes import parse_recipe
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
    """Merges or pushes; the word of how it ended."""
    lease = Lease(adapter_lease(work_id), int(time.time() * 1000))
    lease.keep()
    try:
        taken = operations.start_operation(work_id)
        if taken is None:
            return "nothing to do"
        work, adapter = taken
        act = _merge if work.kind is OperationKind.MERGE else _push
        result = act(work, adapter, lambda: not lease.fenced)
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
        if "No space left on device" in str(error):  # safetensors has an error of its own for it
            return operations.fail_operation(
                work_id, "The disk is full; nothing of it was kept. Free some space, then try again."
            )
        log.exception("adapter_work.failed", work=work_id)
        return operations.fail_operation(work_id, f"It broke off ({type(error).__name__}). The worker's log says more.")
    finally:
        lease.release()


def base_folder(adapter: Adapter) -> Path:
    """The base that the adapter was trained on, in the revision that it was.

    Raises:
        Invalid: it is not there any more.
    """
    bundled = existing_folder(adapter) / "base"
    if bundled.is_dir():
        return bundled
    with session_scope() as session:
        model = session.get(VideoModel, adapter.model_id) if adapter.model_id else None
        here = model is not None and bool(model.path) and os.path.isdir(model.path)
        if model is None or not here:
            raise Invalid(f"The base model {adapter.model_name} is not there any more. Register it again, then merge.")
        if adapter.model_revision and model.revision and model.revision != adapter.model_revision:
            raise Invalid(f"{adapter.model_name} holds other weights now than this adapter was trained on.")
        return Path(model.path)


def _hub_id(adapter: Adapter) -> str:
    """The base's id on the Hub, where it came from there."""
    with session_scope() as session:
        model = session.get(VideoModel, adapter.model_id) if adapter.model_id else None
        return model.source_ref if model is not None and model.source is ModelSource.HUB else ""


def _merge(work: AdapterOperation, adapter: Adapter, go_on: Callable[[], bool]) -> dict[str, Any]:
    from jobs.adapters.merge import STEPS, merge

    number = work.id or 0
    base, target = base_folder(adapter), merged_folder(adapter.id or 0)

    def on_progress(stage: str, step: int) -> bool:
        return operations.report_progress(number, stage, step, STEPS) and go_on()

    folder = merge(existing_folder(adapter), base, parse_recipe(adapter.recipe), adapter.task, target, on_progress)
    return {"bytes": sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())}


def _token(adapter: Adapter, wish: dict[str, Any]) -> dict[str, Any]:
    """The token that was lent for this push, or the stored one that was chosen.

    Raises:
        Invalid: it is not there any more. NotFound: the stored one was deleted meanwhile.
    """
    if wish.get("credential_id"):
        with session_scope() as session:
            return credential_secret(session, adapter.owner_id, int(wish["credential_id"]))
    if not wish.get("sealed_token"):
        raise Invalid("The token is not there any more. Push again.")
    return unseal(wish["sealed_token"])


def _push(work: AdapterOperation, adapter: Adapter, go_on: Callable[[], bool]) -> dict[str, Any]:
    """Has a child process send the files, which knows this one token and reaches public addresses only."""
    number, wish = work.id or 0, work.request
    source = {
        "type": "push",
        "repo": wish["repo"],
        "private": bool(wish.get("private", True)),
        "files": str(operations.folder_to_push(adapter, str(wish["what"]))),
        "message": f"{adapter.name} v{adapter.version}",
        "base_model": _hub_id(adapter),
    }
    home = tempfile.mkdtemp(prefix="loreel-push-")
    request = fetch_request(source, _token(adapter, wish), Path(home))
    result: dict[str, Any] = {}
    try:
        for told in fetch_messages(request, go_on):
            if "problem" in told:
                raise Invalid(str(told["problem"]))
            if "url" in told:
                result = {"repo": wish["repo"], "url": told["url"], "commit": told["commit"]}
            elif "files" in told:
                return result
            elif not operations.report_progress(number, "sending", told["done"], told["total"]):
                break
    finally:
        shutil.rmtree(home, ignore_errors=True)
    raise Invalid("Pushing was called off.")
