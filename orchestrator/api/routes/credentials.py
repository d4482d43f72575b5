"""Cloud credentials by REST: stored encrypted, listed by name; no response holds a secret."""

from typing import Annotated, Any

from pydantic import BaseModel, Field

from orchestrator.api.authentication import CurrentUser
from orchestrator.api.documented_route import documented_router
from orchestrator.api.rules import one_of, rule
from orchestrator.api.serialization import Id, complete_page
from orchestrator.domain.credentials import CredentialBody, CredentialKind
from orchestrator.domain.json_schemas import Described
from orchestrator.services import credentials
from orchestrator.services.credentials import CredentialRow
from orchestrator.services.db import session_scope
from orchestrator.services.paging import Page

router = documented_router(tags=["credentials"])


class NewCredential(BaseModel):
    kind: Annotated[str, one_of(CredentialKind)]
    name: Annotated[str, rule(minLength=1, maxLength=80, pattern=r"\S")]
    values: Annotated[dict[str, Any], Described(CredentialBody)] = Field(default_factory=dict)


class NewValues(BaseModel):
    values: Annotated[dict[str, Any], Described(CredentialBody)]


@router.get("/credentials")
def list_credentials(actor: CurrentUser) -> Page[CredentialRow]:
    with session_scope() as session:
        return complete_page(credentials.list_credentials(session, actor))


@router.post("/credentials", status_code=201)
def save_credential(actor: CurrentUser, body: NewCredential) -> CredentialRow:
    """`kind` decides about `values`. s3: access_key, secret_key, endpoint?, region?; gs: service_account (the JSON
    of the key file); az: account, and account_key or sas_token, endpoint?; hub: token."""
    with session_scope() as session:
        return credentials.save_credential(session, actor, body.kind, body.name, body.values)


@router.put("/credentials/{credential_id}")
def replace_credential(actor: CurrentUser, credential_id: Id, body: NewValues) -> CredentialRow:
    """Replaces the secret under the same name."""
    with session_scope() as session:
        return credentials.replace_credential(session, actor, credential_id, body.values)


@router.delete("/credentials/{credential_id}", status_code=204)
def delete_credential(actor: CurrentUser, credential_id: Id) -> None:
    with session_scope() as session:
        credentials.delete_credential(session, actor, credential_id)
