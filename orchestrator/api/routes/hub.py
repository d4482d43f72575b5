"""The Hugging Face Hub by REST: the size of a model or dataset, before it is downloaded."""

from typing import Literal

from pydantic import BaseModel

from orchestrator.api.authentication import CurrentUser
from orchestrator.api.documented_route import documented_router
from orchestrator.api.rules import HubRepo, Revision
from orchestrator.api.serialization import BodyIdOr0
from orchestrator.services import hub
from orchestrator.services.db import session_scope
from orchestrator.services.hub import HubSize

router = documented_router(tags=["hub"])


class Question(BaseModel):
    """`credential_id`: a stored Hub token; `token`: one that is used for this request only."""

    kind: Literal["model", "dataset"] = "model"
    repo: HubRepo
    revision: Revision = ""
    token: str = ""
    credential_id: BodyIdOr0 = 0


@router.post("/hub/size")
def size(actor: CurrentUser, body: Question) -> HubSize:
    """The commit that would be downloaded, its files and bytes. A POST, because a token must not be in an address."""
    with session_scope() as session:
        return hub.hub_size(session, actor, body.kind, body.repo, body.revision, body.token, body.credential_id)
