"""Adapters by REST: the versions that jobs made, the one in production, files, merges and pushes."""

from typing import Any

from fastapi.responses import FileResponse
from pydantic import BaseModel

from orchestrator.api.authentication import CurrentUser
from orchestrator.api.checked_route import checked_router, expensive
from orchestrator.api.serialization import BodyId, Id, QueryId, list_json, page_json, to_json, zip_response
from orchestrator.services.adapters import catalog, operations, registering
from orchestrator.services.db import session_scope

router = checked_router(tags=["adapters"])


class Push(BaseModel):
    """`repo`: owner/name on the Hub; `what`: adapter, or merged for the merged model."""

    repo: str
    token: str = ""
    """Stored encrypted, used once, never shown."""
    credential_id: BodyId | None = None
    """A stored Hub token instead of `token` (`/credentials`)."""
    private: bool = True
    what: str = operations.ADAPTER


class Registration(BaseModel):
    name: str = ""
    """Empty: the name of the version."""


@router.get("/adapters")
def list_adapters(
    actor: CurrentUser,
    q: str = "",
    task: str = "",
    model_id: QueryId = None,
    dataset_id: QueryId = None,
    job_id: QueryId = None,
    name: str = "",
    status: str = "",
    newest: bool = False,
    sort: str = "-created_at",
    limit: int = 50,
    cursor: str | None = None,
) -> dict[str, Any]:
    """Every version. `newest=true`: only the newest of each name; `status=production`: those in production; `name`: the
    versions of one name."""
    with session_scope() as session:
        filters = (q, task, model_id, dataset_id, job_id, name, status, newest, sort, limit, cursor)
        return page_json(catalog.list_adapters(session, actor, *filters))


@router.get("/adapters/{adapter_id}")
def get_adapter(actor: CurrentUser, adapter_id: Id) -> dict[str, Any]:
    with session_scope() as session:
        return to_json(catalog.get_adapter(session, actor, adapter_id))


@router.get("/adapters/{adapter_id}/versions")
def versions(actor: CurrentUser, adapter_id: Id) -> dict[str, Any]:
    """Every version of the same name, the newest first."""
    with session_scope() as session:
        return list_json(catalog.list_versions(session, actor, adapter_id))


@router.get("/adapters/{adapter_id}/files")
def files(actor: CurrentUser, adapter_id: Id) -> dict[str, Any]:
    with session_scope() as session:
        return list_json(catalog.adapter_files(session, actor, adapter_id))


@router.get("/adapters/{adapter_id}/download")
@expensive
def download(actor: CurrentUser, adapter_id: Id) -> FileResponse:
    """The folder of the adapter as a zip."""
    with session_scope() as session:
        path = catalog.adapter_zip(session, actor, adapter_id)
    return zip_response(path)


@router.post("/adapters/{adapter_id}/promote")
def promote(actor: CurrentUser, adapter_id: Id) -> dict[str, Any]:
    """Puts this version into production, in place of any other version of its name."""
    with session_scope() as session:
        return to_json(catalog.promote(session, actor, adapter_id))


@router.post("/adapters/{adapter_id}/demote")
def demote(actor: CurrentUser, adapter_id: Id) -> dict[str, Any]:
    with session_scope() as session:
        return to_json(catalog.promote(session, actor, adapter_id, production=False))


@router.delete("/adapters/{adapter_id}", status_code=204)
def delete_adapter(actor: CurrentUser, adapter_id: Id) -> None:
    """Deletes this version with its files; its job stays."""
    with session_scope() as session:
        catalog.delete_adapter(session, actor, adapter_id)


@router.get("/adapters/{adapter_id}/works", operation_id="list_works_api_v1_adapters__adapter_id__works_get")
def list_operations(actor: CurrentUser, adapter_id: Id) -> dict[str, Any]:
    """Merges and pushes, the newest first: status waiting, running, done or failed with its sentence."""
    with session_scope() as session:
        return list_json(operations.list_operations(session, actor, adapter_id))


@router.post("/adapters/{adapter_id}/merge", status_code=202)
def merge(actor: CurrentUser, adapter_id: Id) -> dict[str, Any]:
    """Has a worker write base and adapter as one bf16 model; asking again changes nothing."""
    with session_scope() as session:
        return to_json(operations.request_merge(session, actor, adapter_id))


@router.get("/adapters/{adapter_id}/merged")
@expensive
def merged(actor: CurrentUser, adapter_id: Id) -> FileResponse:
    """The merged model as a zip."""
    with session_scope() as session:
        path = operations.merged_zip(session, actor, adapter_id)
    return zip_response(path)


@router.post("/adapters/{adapter_id}/register", status_code=201)
def register(actor: CurrentUser, adapter_id: Id, body: Registration | None = None) -> dict[str, Any]:
    """Adds the merged model to one's own base models."""
    with session_scope() as session:
        return to_json(registering.register_merged(session, actor, adapter_id, body.name if body else ""))


@router.post("/adapters/{adapter_id}/push", status_code=202)
def push(actor: CurrentUser, adapter_id: Id, body: Push) -> dict[str, Any]:
    """Has a worker upload it to the Hugging Face Hub."""
    with session_scope() as session:
        row = operations.request_push(
            session, actor, adapter_id, body.repo, body.token, body.private, body.what, body.credential_id or 0
        )
    return to_json(row)
