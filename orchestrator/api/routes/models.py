"""Base models by REST: list, add, change, delete; their layers."""

from typing import Annotated

from pydantic import BaseModel, Field

from orchestrator.api.authentication import CurrentUser
from orchestrator.api.checked_route import expensive
from orchestrator.api.documented_route import documented_router
from orchestrator.api.rules import Cursor, Description, Limit, Name, one_of, sorted_by
from orchestrator.api.serialization import BodyIdOr0, Id, complete_page
from orchestrator.domain.errors import Invalid
from orchestrator.domain.models import ModelStatus
from orchestrator.domain.tasks import ModelType
from orchestrator.services.db import session_scope
from orchestrator.services.models import adding, catalog
from orchestrator.services.models.folders import register_folder
from orchestrator.services.models.rows import LayerGroup, ModelRow
from orchestrator.services.paging import Page

router = documented_router(tags=["models"])


class Source(BaseModel):
    """`path`: a folder on the server; `repo`, `revision` and `token` or `credential_id`: a model of the Hub."""

    type: Annotated[str, one_of(("path", "upload", "hub"))] = "path"
    path: str = ""
    repo: str = ""
    revision: str = ""
    token: str = ""
    credential_id: BodyIdOr0 = 0


class Retry(BaseModel):
    credential_id: BodyIdOr0 = 0


class NewModel(BaseModel):
    name: Name
    description: Description = ""
    model_type: Annotated[str, one_of(ModelType, "")] = ""
    """Empty: taken from the files."""
    architecture: str = ""
    source: Source = Field(default_factory=Source)


class ModelChange(BaseModel):
    name: Name | None = None
    description: Description | None = None


@router.get("/models")
def list_models(
    actor: CurrentUser,
    q: str = "",
    status: Annotated[str, one_of(ModelStatus, "", "in_use")] = "",
    model_type: Annotated[str, one_of(ModelType, "")] = "",
    sort: Annotated[str, sorted_by(catalog.SORTS)] = "name",
    limit: Limit = 50,
    cursor: Cursor | None = None,
) -> Page[ModelRow]:
    with session_scope() as session:
        return catalog.list_models(session, actor, q, status, model_type, sort, limit, cursor)


@router.post("/models", status_code=201)
def register_model(actor: CurrentUser, body: NewModel) -> ModelRow:
    """`path`: the folder is read at once, a large one by a worker. `upload`: send the files to /uploads with this
    model_id, then post to /check. `hub`: a worker downloads the files. The files must hold a model of the type and
    architecture that are named here."""
    texts = (body.name, body.description, body.model_type)
    with session_scope() as session:
        match body.source.type:
            case "path":
                row = register_folder(
                    session, actor, body.name, body.description, body.source.path, body.model_type, body.architecture
                )
            case "upload":
                row = adding.create_model_for_upload(session, actor, *texts, body.architecture)
            case "hub":
                repo = (body.source.repo, body.source.revision, body.source.token)
                row = adding.create_model_from_hub(
                    session, actor, *texts, *repo, body.architecture, body.source.credential_id
                )
            case _:
                raise Invalid("Choose where the model comes from: upload, hub or path.", "source.type")
        return row


@router.post("/models/{model_id}/check", status_code=202)
def check_model(actor: CurrentUser, model_id: Id, body: Retry | None = None) -> ModelRow:
    """All files are uploaded: a worker checks them. A failed download or folder is tried again."""
    with session_scope() as session:
        if catalog.get_model(session, actor, model_id).source != "upload":
            return adding.retry_import(session, actor, model_id, body.credential_id if body else 0)
        return adding.request_check(session, actor, model_id)


@router.get("/models/{model_id}")
def get_model(actor: CurrentUser, model_id: Id) -> ModelRow:
    with session_scope() as session:
        return catalog.get_model(session, actor, model_id)


@router.patch("/models/{model_id}")
def update_model(actor: CurrentUser, model_id: Id, body: ModelChange) -> ModelRow:
    with session_scope() as session:
        return catalog.update_model(session, actor, model_id, body.name, body.description)


@router.delete("/models/{model_id}", status_code=204)
def delete_model(actor: CurrentUser, model_id: Id) -> None:
    with session_scope() as session:
        catalog.delete_model(session, actor, model_id)


@router.get("/models/{model_id}/layers")
@expensive
def layers(actor: CurrentUser, model_id: Id) -> Page[LayerGroup]:
    with session_scope() as session:
        return complete_page(catalog.model_layers(session, actor, model_id))
