"""The Hugging Face Hub by REST: how large a model or dataset is, before anything of it is fetched."""

from typing import Any, Literal

from fastapi import APIRouter
from pydantic import BaseModel

from orchestrator.api.shapes import BodyIdOr0, shape
from orchestrator.api.who import Who
from orchestrator.services import hub
from orchestrator.services.db import session_scope

router = APIRouter(tags=["hub"])


class Question(BaseModel):
    """`credential_id`: a stored token of kind hub; `token`: one that is used for this question only."""

    kind: Literal["model", "dataset"] = "model"
    repo: str
    revision: str = ""
    token: str = ""
    credential_id: BodyIdOr0 = 0


@router.post("/hub/size")
def size(actor: Who, body: Question) -> dict[str, Any]:
    """The commit that would be fetched, its files and bytes. POST, because a token has no place in an address."""
    with session_scope() as session:
        return shape(hub.look_up(session, actor, body.kind, body.repo, body.revision, body.token, body.credential_id))
