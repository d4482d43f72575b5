"""Deletes the entries of the audit log that are older than the studio keeps them."""

from datetime import timedelta

from sqlmodel import Session

from orchestrator.domain.audit import Act
from orchestrator.domain.base import utcnow
from orchestrator.services.audit.chain import shorten
from orchestrator.services.audit.recording import record
from orchestrator.settings import Settings


def delete_expired_entries(session: Session, settings: Settings) -> int:
    """Deletes entries from the old end, and records how many. The chain keeps the hash of the last one as its anchor.

    Returns:
        How many.
    """
    if not settings.audit_days:
        return 0
    before = utcnow() - timedelta(days=settings.audit_days)
    if deleted := shorten(session, before):
        after = {"entries": deleted, "from before": before.isoformat(timespec="seconds")}
        record(session, None, Act.AUDIT_SHORTENED, object_name="audit log", after=after)
    return deleted
