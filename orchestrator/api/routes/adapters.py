"""Adapters by REST: the versions that jobs made, the one in production, files, merges and pushes."""

from typing import Annotated

from pydantic import BaseModel

from orchestrator.api.authentication import CurrentUser
from orchestrator.api.checked_route import expensive
from orchestrator.api.documented_route import documented_router
from orchestrator.api.rules import Cursor, Flag, HubRepo, Limit, one_of, sorted_by
from orchestrator.api.serialization import BodyId, Id, QueryId, ZipFile, complete_page, zip_response
from orchestrator.domain.tasks import Task
from orchestrator.domain.users import Milestone
from orchestrator.services.adapters import catalog, operations, registering
from orchestrator.services.adapters.files import FileRow
from orchestrator.services.adapters.operations import OperationRow
from orchestrator.services.adapters.rows import AdapterRow
from orchestrator.services.db import session_scope
from orchestrator.services.milestones import reach
from orchestrator.services.models.rows import ModelRow
from orchestrator.services.paging import Page

router = documented_router(tags=["adapters"])


class Push(BaseModel):
    """`repo`: owner/name on the Hub; `what`: adapter, or merged for the merged model."""

    repo: HubRepo
    token: str = ""
    """Stored encrypted, used once, never shown."""
    credential_id: BodyId | None = None
    """A stored Hub token instead of `token` (`/credentials`)."""
    private: Flag = True
    what: Annotated[str, one_of((operations.ADAPTER, operations.MERGED))] = operations.ADAPTER


class Registration(BaseModel):
    name: str = ""
    """Empty: the name of the version."""


@router.get("/adapters")
def list_adapters(
    actor: CurrentUser,
    q: str = "",
    task: Annotated[str, one_of(Task, "")] = "",
    model_id: QueryId = None,
    dataset_id: QueryId = None,
    job_id: QueryId = None,
    name: str = "",
    status: Annotated[str, one_of(("production",), "")] = "",
    newest: bool = False,
    sort: Annotated[str, sorted_by(catalog.SORTS)] = "-created_at",
    limit: Limit = 50,
    cursor: Cursor | None = None,
) -> Page[AdapterRow]:
    """Every version. `newest=true`: only the newest of each name; `status=production`: those in production; `name`: the
    versions of one name."""
    with session_scope() as session:
        filters = (q, task, model_id, dataset_id, job_id, name, status, newest, sort, limit, cursor)
        return catalog.list_adapters(session, actor, *filters)


@router.get("/adapters/{adapter_id}")
def get_adapter(actor: CurrentUser, adapter_id: Id) -> AdapterRow:
    with session_scope() as session:
        return catalog.get_adapter(session, actor, adapter_id)


@router.get("/adapters/{adapter_id}/versions")
def versions(actor: CurrentUser, adapter_id: Id) -> Page[AdapterRow]:
    """Every version of the same name, the newest first."""
    with session_scope() as session:
        return complete_page(catalog.list_versions(session, actor, adapter_id))


@router.get("/adapters/{adapter_id}/files")
def files(actor: CurrentUser, adapter_id: Id) -> Page[FileRow]:
    with session_scope() as session:
        return complete_page(catalog.adapter_files(session, actor, adapter_id))


@router.get("/adapters/{adapter_id}/download")
@expensive
def download(actor: CurrentUser, adapter_id: Id) -> ZipFile:
    """The folder of the adapter as a zip."""
    with session_scope() as session:
        path = catalog.adapter_zip(session, actor, adapter_id)
        reach(session, actor, Milestone.DOWNLOAD)
    return zip_response(path)


@router.post("/adapters/{adapter_id}/promote")
def promote(actor: CurrentUser, adapter_id: Id) -> AdapterRow:
    """Puts this version into production, in place of any other version of its name."""
    with session_scope() as session:
        return catalog.promote(session, actor, adapter_id)


@router.post("/adapters/{adapter_id}/demote")
def demote(actor: CurrentUser, adapter_id: Id) -> AdapterRow:
    with session_scope() as session:
        return catalog.promote(session, actor, adapter_id, production=False)


@router.delete("/adapters/{adapter_id}", status_code=204)
def delete_adapter(actor: CurrentUser, adapter_id: Id) -> None:
    """Deletes this version with its files; its job stays."""
    with session_scope() as session:
        catalog.delete_adapter(session, actor, adapter_id)


@router.get(
    "/adapters/{adapter_id}/works",
    operation_id="list_works_api_v1_adapters__adapter_id__works_get",
    summary="List Works",
)
def list_operations(actor: CurrentUser, adapter_id: Id) -> Page[OperationRow]:
    """Merges and pushes, the newest first: status waiting, running, done or failed with its sentence."""
    with session_scope() as session:
        return complete_page(operations.list_operations(session, actor, adapter_id))


@router.post("/adapters/{adapter_id}/merge", status_code=202)
def merge(actor: CurrentUser, adapter_id: Id) -> OperationRow:
    """Has a worker write base and adapter as one bf16 model; asking again changes nothing."""
    with session_scope() as session:
        return operations.request_merge(session, actor, adapter_id)


@router.get("/adapters/{adapter_id}/merged")
@expensive
def merged(actor: CurrentUser, adapter_id: Id) -> ZipFile:
    """The merged model as a zip."""
    with session_scope() as session:
        path = operations.merged_zip(session, actor, adapter_id)
    return zip_response(path)


@router.post("/adapters/{adapter_id}/register", status_code=201)
def register(actor: CurrentUser, adapter_id: Id, body: Registration | None = None) -> ModelRow:
    """Adds the merged model to one's own base models."""
    with session_scope() as session:
        return registering.register_merged(session, actor, adapter_id, body.name if body else "")


@router.post("/adapters/{adapter_id}/push", status_code=202)
def push(actor: CurrentUser, adapter_id: Id, body: Push) -> OperationRow:
    """Has a worker upload it to the Hugging Face Hub."""
    with session_scope() as session:
        return operations.request_push(
            session, actor, adapter_id, body.repo, body.token, body.private, body.what, body.credential_id or 0
        )
