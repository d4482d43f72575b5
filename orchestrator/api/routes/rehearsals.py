"""Rehearsals by REST: run two real steps of a recipe on a worker, read their memory and time."""

from orchestrator.api.authentication import CurrentUser
from orchestrator.api.documented_route import documented_router
from orchestrator.api.routes.jobs import JobBody
from orchestrator.api.serialization import Id
from orchestrator.services.db import session_scope
from orchestrator.services.training import rehearsals
from orchestrator.services.training.rehearsals import RehearsalRow

router = documented_router(tags=["jobs"])


@router.post("/rehearsals", status_code=202)
def ask(actor: CurrentUser, body: JobBody) -> RehearsalRow:
    """Takes the body of a launch; afterwards the preflight of the same body is measured instead of estimated."""
    with session_scope() as session:
        return rehearsals.request_rehearsal(
            session, actor, *body.ids, body.recipe(session, actor), body.dataset_version or 0
        )


@router.get("/rehearsals/{rehearsal_id}")
def read(actor: CurrentUser, rehearsal_id: Id) -> RehearsalRow:
    with session_scope() as session:
        return rehearsals.get_rehearsal(session, actor, rehearsal_id)
