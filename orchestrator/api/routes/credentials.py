"""Cloud credentials by REST: stored encrypted, listed by name; no response holds a secret."""

from typing import Any

from pydantic import BaseModel, Field

from orchestrator.api.authentication import CurrentUser
from orchestrator.api.checked_route import checked_router
from orchestrator.api.serialization import Id, list_json, to_json
from orchestrator.services import credentials
from orchestrator.services.db import session_scope

router = checked_router(tags=["credentials"])


class NewCredential(BaseModel):
    kind: str
    name: str
    values: dict[str, Any] = Field(default_factory=dict)


class NewValues(BaseModel):
    values: dict[str, Any]


@router.get("/credentials")
def list_credentials(actor: CurrentUser) -> dict[str, Any]:
    with session_scope() as session:
        return list_json(credentials.list_credentials(session, actor))


@router.post("/credentials", status_code=201)
def save_credential(actor: CurrentUser, body: NewCredential) -> dict[str, Any]:
    """`kind` decides about `values`. s3: access_key, secret_key, endpoint?, region?; gs: service_account (the JSON
    of the key file); az: account, and account_key or sas_token, endpoint?; hub: token."""
    with session_scope() as session:
        return to_json(credentials.save_credential(session, actor, body.kind, body.name, body.values))


@router.put("/credentials/{credential_id}")
def replace_credential(actor: CurrentUser, credential_id: Id, body: NewValues) -> dict[str, Any]:
    """Replaces the secret under the same name."""
    with session_scope() as session:
        return to_json(credentials.replace_credential(session, actor, credential_id, body.values))


@router.delete("/credentials/{credential_id}", status_code=204)
def delete_credential(actor: CurrentUser, credential_id: Id) -> None:
    with session_scope() as session:
        credentials.delete_credential(session, actor, credential_id)
