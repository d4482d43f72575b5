"""The audit log by REST, for administrators: list and export its entries, verify its chain."""

from typing import Annotated

from fastapi import Depends
from fastapi.responses import StreamingResponse
from pydantic import AwareDatetime

from orchestrator.api.authentication import CurrentUser
from orchestrator.api.checked_route import expensive
from orchestrator.api.documented_route import documented_router
from orchestrator.api.rules import Cursor, Limit, one_of
from orchestrator.api.schema.markers import Media
from orchestrator.api.serialization import attachment
from orchestrator.domain.audit import Outcome
from orchestrator.services.audit import entries
from orchestrator.services.audit.chain import Verification
from orchestrator.services.audit.entries import AuditFilter, AuditRow
from orchestrator.services.audit.export import FORMATS, begin_export, export_lines
from orchestrator.services.db import session_scope
from orchestrator.services.paging import Page

router = documented_router(tags=["audit"])


def chosen_entries(
    acts: str = "",
    who: str = "",
    object_id: str = "",
    outcome: Annotated[str, one_of(Outcome, "")] = "",
    q: str = "",
    since: AwareDatetime | None = None,
    until: AwareDatetime | None = None,
) -> AuditFilter:
    """The filter in the query. `acts`: names of acts such as token.created, or kinds of objects such as token."""
    return AuditFilter(acts, who, object_id, outcome, q, since, until)


Chosen = Annotated[AuditFilter, Depends(chosen_entries)]


@router.get("/audit")
def list_entries(actor: CurrentUser, chosen: Chosen, limit: Limit = 50, cursor: Cursor | None = None) -> Page[AuditRow]:
    """What was done in the studio, the newest first; only for administrators."""
    with session_scope() as session:
        return entries.list_entries(session, actor, chosen, limit, cursor)


@router.get("/audit/export")
@expensive
def export(
    actor: CurrentUser, chosen: Chosen, format: Annotated[str, one_of(tuple(FORMATS))] = "jsonl"
) -> Annotated[StreamingResponse, Media(tuple(FORMATS.values()))]:
    """The same entries as a file, the oldest first; only for administrators."""
    with session_scope() as session:
        begin_export(session, actor, chosen, format)
    lines = export_lines(chosen, format)
    return StreamingResponse(lines, media_type=FORMATS[format], headers=attachment(f"audit.{format}"))


@router.get("/audit/verify")
@expensive
def verify(actor: CurrentUser) -> Verification:
    """Computes the hash of every entry again; `entry_id` names the first that was changed, null where none was."""
    with session_scope() as session:
        return entries.verify_log(session, actor)
