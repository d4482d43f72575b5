"""Adapters by REST: the versions that jobs made, which one is in production, their files."""

from typing import Any

from fastapi import APIRouter
from fastapi.responses import FileResponse
from pydantic import BaseModel

from orchestrator.api.shapes import BodyId, Id, QueryId, page, shape
from orchestrator.api.who import Who
from orchestrator.services.adapters import catalog, operations, registering
from orchestrator.services.db import session_scope

router = APIRouter(tags=["adapters"])


class Push(BaseModel):
    """`repo`: owner/name on the Hub; `what`: adapter, or merged for the whole model."""

    repo: str
    token: str = ""
    """Kept sealed, used once, never shown."""
    credential_id: BodyId | None = None
    """A stored Hub token instead (`/credentials`)."""
    private: bool = True
    what: str = operations.ADAPTER


class Registration(BaseModel):
    name: str = ""
    """Empty: the version's own."""


@router.get("/adapters")
def list_adapters(
    actor: Who,
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
    """Every version; `newest=true` gives one row a line, `status=production` those in use, `name` one line."""
    with session_scope() as session:
        wanted = (q, task, model_id, dataset_id, job_id, name, status, newest, sort, limit, cursor)
        return page(catalog.list_adapters(session, actor, *wanted))


@router.get("/adapters/{adapter_id}")
def get_adapter(actor: Who, adapter_id: Id) -> dict[str, Any]:
    with session_scope() as session:
        return shape(catalog.get_adapter(session, actor, adapter_id))


@router.get("/adapters/{adapter_id}/versions")
def versions(actor: Who, adapter_id: Id) -> dict[str, Any]:
    """Every version of the same line, the newest first."""
    with session_scope() as session:
        rows = [shape(row) for row in catalog.line_of(session, actor, adapter_id)]
    return {"items": rows, "next": None, "total": len(rows)}


@router.get("/adapters/{adapter_id}/files")
def files(actor: Who, adapter_id: Id) -> dict[str, Any]:
    with session_scope() as session:
        rows = [shape(row) for row in catalog.adapter_files(session, actor, adapter_id)]
    return {"items": rows, "next": None, "total": len(rows)}


@router.get("/adapters/{adapter_id}/download")
def download(actor: Who, adapter_id: Id) -> FileResponse:
    """The whole folder as a zip."""
    with session_scope() as session:
        path = catalog.adapter_zip(session, actor, adapter_id)
    return FileResponse(path, filename=path.name, media_type="application/zip")


@router.post("/adapters/{adapter_id}/promote")
def promote(actor: Who, adapter_id: Id) -> dict[str, Any]:
    """The version of its line that is in production from now on; any other one is not any more."""
    with session_scope() as session:
        return shape(catalog.promote(session, actor, adapter_id))


@router.post("/adapters/{adapter_id}/demote")
def demote(actor: Who, adapter_id: Id) -> dict[str, Any]:
    with session_scope() as session:
        return shape(catalog.promote(session, actor, adapter_id, production=False))


@router.delete("/adapters/{adapter_id}", status_code=204)
def delete_adapter(actor: Who, adapter_id: Id) -> None:
    """This version with its files; its job stays."""
    with session_scope() as session:
        catalog.delete_adapter(session, actor, adapter_id)


@router.get("/adapters/{adapter_id}/works")
def list_works(actor: Who, adapter_id: Id) -> dict[str, Any]:
    """Merges and pushes, the newest first: status waiting, running, done or failed with its sentence."""
    with session_scope() as session:
        rows = [shape(row) for row in operations.list_works(session, actor, adapter_id)]
    return {"items": rows, "next": None, "total": len(rows)}


@router.post("/adapters/{adapter_id}/merge", status_code=202)
def merge(actor: Who, adapter_id: Id) -> dict[str, Any]:
    """A worker writes base and adapter as one bf16 model; asking again changes nothing."""
    with session_scope() as session:
        return shape(operations.request_merge(session, actor, adapter_id))


@router.get("/adapters/{adapter_id}/merged")
def merged(actor: Who, adapter_id: Id) -> FileResponse:
    """The merged model as a zip."""
    with session_scope() as session:
        path = operations.merged_zip(session, actor, adapter_id)
    return FileResponse(path, filename=path.name, media_type="application/zip")


@router.post("/adapters/{adapter_id}/register", status_code=201)
def register(actor: Who, adapter_id: Id, body: Registration | None = None) -> dict[str, Any]:
    """The merged model as a base model of one's own."""
    with session_scope() as session:
        return shape(registering.register_merged(session, actor, adapter_id, body.name if body else ""))


@router.post("/adapters/{adapter_id}/push", status_code=202)
def push(actor: Who, adapter_id: Id, body: Push) -> dict[str, Any]:
    """A worker sends it to the Hugging Face Hub."""
    with session_scope() as session:
        row = operations.request_push(
            session, actor, adapter_id, body.repo, body.token, body.private, body.what, body.credential_id or 0
        )
    return shape(row)
