"""Keeps what a person typed in the wizard, so that a reload loses nothing and a double click launches once."""

import secrets
from typing import Any

from sqlmodel import Session

from orchestrator.domain.base import utcnow
from orchestrator.domain.errors import Invalid
from orchestrator.domain.training_jobs import WizardDraft
from orchestrator.domain.users import Actor
from orchestrator.services.after_commit import after_commit
from orchestrator.services.training.prewarm import ask_for_warmth
from orchestrator.services.training.rows import Draft

_MAX_KEYS = 100


def load_draft(session: Session, actor: Actor) -> Draft:
    """The actor's draft, made empty at the first visit. Also tells the workers to get a trainer warm."""
    record = session.get(WizardDraft, actor.user_id)
    if record is None:
        record = _fresh(session, actor)
    after_commit(session, ask_for_warmth)
    return Draft(dict(record.values), record.launch_key, record.updated_at)


def save_draft(session: Session, actor: Actor, values: dict[str, Any]) -> Draft:
    """Replaces the draft's values; the launch key stays until the draft is cleared."""
    if len(values) > _MAX_KEYS or len(str(values)) > 20_000:
        raise Invalid("This draft is too large to keep.")
    record = session.get(WizardDraft, actor.user_id) or _fresh(session, actor)
    record.values, record.updated_at = dict(values), utcnow()
    session.add(record)
    session.flush()
    after_commit(session, ask_for_warmth)
    return Draft(dict(record.values), record.launch_key, record.updated_at)


def clear_draft(session: Session, actor: Actor) -> None:
    """Forgets the draft: after a launch, or when the wizard is cancelled. The next one gets a new launch key."""
    record = session.get(WizardDraft, actor.user_id)
    if record is not None:
        session.delete(record)
        session.flush()


def _fresh(session: Session, actor: Actor) -> WizardDraft:
    record = WizardDraft(user_id=actor.user_id, values={}, launch_key=secrets.token_urlsafe(18))
    session.add(record)
    session.flush()
    return record
