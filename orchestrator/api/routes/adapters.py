"""Adapters by REST: the versions that jobs made, which one is in production, their files."""

from typing import Any

from fastapi import APIRouter
from fastapi.responses import FileResponse

from orchestrator.api.shapes import Id, page, shape
from orchestrator.api.who import Who
from orchestrator.services.adapters import catalog
from orchestrator.services.db import session_scope

router = APIRouter(tags=["adapters"])


@router.get("/adapters")
def list_adapters(
    actor: Who,
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
