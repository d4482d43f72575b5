"""Cloud credentials by REST: stored sealed, listed by name; the secret is never in an answer."""

from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, Field

from orchestrator.api.shapes import Id, shape
from orchestrator.api.who import Who
from orchestrator.services import credentials
from orchestrator.services.db import session_scope

router = APIRouter(tags=["credentials"])


class NewCredential(BaseModel):
    kind: str
    name: str
    values: dict[str, Any] = Field(default_factory=dict)


class NewValues(BaseModel):
    values: dict[str, Any]


@router.get("/credentials")
def list_credentials(actor: Who) -> dict[str, Any]:
    with session_scope() as session:
        found = [shape(row) for row in credentials.list_credentials(session, actor)]
    return {"items": found, "next": None, "total": len(found)}


@router.post("/credentials", status_code=201)
def save_credential(actor: Who, body: NewCredential) -> dict[str, Any]:
    """`kind` s3: values access_key, secret_key, endpoint?, region?; gs: service_account (the key file's JSON);
    hub: token."""
    with session_scope() as session:
        return shape(credentials.save_credential(session, actor, body.kind, body.name, body.values))


@router.put("/credentials/{credential_id}")
def replace_credential(actor: Who, credential_id: Id, body: NewValues) -> dict[str, Any]:
    """New secrets under the same name."""
    with session_scope() as session:
        return shape(credentials.replace_credential(session, actor, credential_id, body.values))


@router.delete("/credentials/{credential_id}", status_code=204)
def delete_credential(actor: Who, credential_id: Id) -> None:
    with session_scope() as session:
        credentials.delete_credential(session, actor, credential_id)
