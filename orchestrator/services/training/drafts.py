"""Drafts of the job form: a reload loses nothing, and a double click launches once."""

import secrets
from typing import Any

from sqlmodel import Session

from orchestrator.domain.base import utcnow
from orchestrator.domain.errors import Invalid
from orchestrator.domain.training_jobs import WizardDraft
from orchestrator.domain.users import Actor
from orchestrator.services.after_commit import after_commit
from orchestrator.services.training.prewarm import request_prewarm
from orchestrator.services.training.rows import Draft

_MAX_KEYS = 100


def load_draft(session: Session, actor: Actor) -> Draft:
    """The actor's draft, empty at the first visit. Also asks the workers to prewarm a trainer."""
    record = session.get(WizardDraft, actor.user_id)
    if record is None:
        record = _new_draft(session, actor)
    after_commit(session, request_prewarm)
    return Draft(dict(record.values), record.launch_key, record.updated_at)


def save_draft(session: Session, actor: Actor, values: dict[str, Any]) -> Draft:
    """Replaces the draft's values; the launch key stays until the draft is cleared.

    Raises:
        Invalid: the draft is too large.
    """
    if len(values) > _MAX_KEYS or len(str(values)) > 20_000:
        raise Invalid("This draft is too large to keep.")
    record = session.get(WizardDraft, actor.user_id) or _new_draft(session, actor)
    record.values, record.updated_at = dict(values), utcnow()
    session.add(record)
    session.flush()
    after_commit(session, request_prewarm)
    return Draft(dict(record.values), record.launch_key, record.updated_at)


def clear_draft(session: Session, actor: Actor) -> None:
    """Deletes the draft, after a launch or a cancel; the next one gets a new launch key."""
    record = session.get(WizardDraft, actor.user_id)
    if record is not None:
        session.delete(record)
        session.flush()


def _new_draft(session: Session, actor: Actor) -> WizardDraft:
    record = WizardDraft(user_id=actor.user_id, values={}, launch_key=secrets.token_urlsafe(18))
    session.add(record)
    session.flush()
    return record
