"""The Hugging Face Hub by REST: the size of a model or dataset, before it is downloaded."""

from typing import Any, Literal

from pydantic import BaseModel

from orchestrator.api.authentication import CurrentUser
from orchestrator.api.checked_route import checked_router
from orchestrator.api.serialization import BodyIdOr0, to_json
from orchestrator.services import hub
from orchestrator.services.db import session_scope

router = checked_router(tags=["hub"])


class Question(BaseModel):
    """`credential_id`: a stored Hub token; `token`: one that is used for this request only."""

    kind: Literal["model", "dataset"] = "model"
    repo: str
    revision: str = ""
    token: str = ""
    credential_id: BodyIdOr0 = 0


@router.post("/hub/size")
def size(actor: CurrentUser, body: Question) -> dict[str, Any]:
    """The commit that would be downloaded, its files and bytes. A POST, because a token must not be in an address."""
    with session_scope() as session:
        return to_json(
            hub.hub_size(session, actor, body.kind, body.repo, body.revision, body.token, body.credential_id)
        )
