"""Rehearsals by REST: ask for two real steps of a recipe, read what they took."""

from typing import Any

from fastapi import APIRouter

from orchestrator.api.routes.jobs import JobBody
from orchestrator.api.shapes import Id, shape
from orchestrator.api.who import Who
from orchestrator.services.db import session_scope
from orchestrator.services.training import rehearsals

router = APIRouter(tags=["jobs"])


@router.post("/rehearsals", status_code=202)
def ask(actor: Who, body: JobBody) -> dict[str, Any]:
    """The body of a launch; a preflight of the same body is then measured, not estimated."""
    with session_scope() as session:
        return shape(rehearsals.ask_rehearsal(session, actor, body.dataset_id, body.model_id, body.recipe()))


@router.get("/rehearsals/{rehearsal_id}")
def read(actor: Who, rehearsal_id: Id) -> dict[str, Any]:
    with session_scope() as session:
        return shape(rehearsals.get_rehearsal(session, actor, rehearsal_id))
