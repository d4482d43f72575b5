"""Base models by REST: list, register a folder, change, take off the list; their layers."""

from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, Field

from orchestrator.api.shapes import BodyIdOr0, Id, page, shape
from orchestrator.api.who import Who
from orchestrator.domain.errors import Invalid
from orchestrator.services.db import session_scope
from orchestrator.services.models import adding, catalog
from orchestrator.services.models.folders import register_path

router = APIRouter(tags=["models"])


class Source(BaseModel):
    """`path` for a folder on the studio's machine; `repo`, `revision` and `token` or a stored one for the Hub."""

    type: str = "path"
    path: str = ""
    repo: str = ""
    revision: str = ""
    token: str = ""
    credential_id: BodyIdOr0 = 0


class Retry(BaseModel):
    credential_id: BodyIdOr0 = 0


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
    """A folder is read at once, a large one by a worker. For `upload`, send the files to /uploads with this model_id,
    then ask for the check; for `hub`, a worker fetches them. What the files hold must be of the type and architecture
    that are named here."""
    said = (body.name, body.description, body.model_type)
    with session_scope() as session:
        match body.source.type:
            case "path":
                row = register_path(
                    session, actor, body.name, body.description, body.source.path, body.model_type, body.architecture
                )
            case "upload":
                row = adding.begin_model_upload(session, actor, *said, body.architecture)
            case "hub":
                where = (body.source.repo, body.source.revision, body.source.token)
                row = adding.add_from_hub(session, actor, *said, *where, body.architecture, body.source.credential_id)
            case _:
                raise Invalid("Choose where the model comes from: upload, hub or path.", "source.type")
        return shape(row)


@router.post("/models/{model_id}/check", status_code=202)
def check_model(actor: Who, model_id: Id, body: Retry | None = None) -> dict[str, Any]:
    """All files are in: a worker checks them. For one of the Hub or of a folder that failed: the same once more."""
    with session_scope() as session:
        if catalog.get_model(session, actor, model_id).source != "upload":
            return shape(adding.try_again(session, actor, model_id, body.credential_id if body else 0))
        return shape(adding.request_check(session, actor, model_id))


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
