"""Base models by REST: list, register a folder, change, take off the list; their layers."""

from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, Field

from orchestrator.api.shapes import Id, page, shape
from orchestrator.api.who import Who
from orchestrator.domain.errors import Invalid
from orchestrator.services.db import session_scope
from orchestrator.services.models import catalog

router = APIRouter(tags=["models"])


class Source(BaseModel):
    type: str = "path"
    path: str = ""


class NewModel(BaseModel):
    name: str
    description: str = ""
    model_type: str = ""
    """Empty: what the files say."""
    architecture: str = ""
    source: Source = Field(default_factory=Source)


class ModelChange(BaseModel):
    name: str | None = None
    description: str | None = None


@router.get("/models")
def list_models(
    actor: Who,
    q: str = "",
    status: str = "",
    model_type: str = "",
    sort: str = "name",
    limit: int = 50,
    cursor: str | None = None,
) -> dict[str, Any]:
    with session_scope() as session:
        return page(catalog.list_models(session, actor, q, status, model_type, sort, limit, cursor))


@router.post("/models", status_code=201)
def register_model(actor: Who, body: NewModel) -> dict[str, Any]:
    """The architecture is read from the folder's config.json; a folder of another one is refused."""
    if body.source.type != "path":
        raise Invalid("Choose path: a folder of safetensors on the studio's machine.", "source.type")
    with session_scope() as session:
        row = catalog.register_path(session, actor, body.name, body.description, body.source.path, body.model_type)
        if body.architecture not in ("", "Custom", row.architecture):
            raise Invalid(f"This folder holds a {row.architecture}, not a {body.architecture}.", "architecture")
    return shape(row)


@router.get("/models/{model_id}")
def get_model(actor: Who, model_id: Id) -> dict[str, Any]:
    with session_scope() as session:
        return shape(catalog.get_model(session, actor, model_id))


@router.patch("/models/{model_id}")
def update_model(actor: Who, model_id: Id, body: ModelChange) -> dict[str, Any]:
    with session_scope() as session:
        return shape(catalog.update_model(session, actor, model_id, body.name, body.description))


@router.delete("/models/{model_id}", status_code=204)
def delete_model(actor: Who, model_id: Id) -> None:
    with session_scope() as session:
        catalog.delete_model(session, actor, model_id)


@router.get("/models/{model_id}/layers")
def layers(actor: Who, model_id: Id) -> dict[str, Any]:
    with session_scope() as session:
        rows = [shape(row) for row in catalog.model_layers(session, actor, model_id)]
    return {"items": rows, "next": None, "total": len(rows)}
