"""Drafts of the job form: each opening of the wizard has its own, so that a reload loses nothing and a double click
launches once."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import and_, or_, update
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, SQLModel, col, select

from orchestrator.domain.base import utcnow
from orchestrator.domain.datasets import Dataset
from orchestrator.domain.errors import Conflict, Invalid, NotFound
from orchestrator.domain.models import VideoModel
from orchestrator.domain.numbers import parse_id
from orchestrator.domain.queueing import Sweep
from orchestrator.domain.training_jobs import TrainingJob, WizardDraft
from orchestrator.domain.users import Actor
from orchestrator.services.after_commit import after_commit
from orchestrator.services.training.prewarm import request_prewarm
from orchestrator.services.training.rows import Draft, DraftRow

MAX_DRAFTS = 20
"""Drafts that one user keeps; a new one then replaces the oldest."""
KEPT = timedelta(days=30)
"""How long a draft is kept after its last change."""
_MAX_KEYS = 100


class DraftChanged(Conflict):
    """Another tab changed this draft since it was read, launched it, or discarded it."""


@dataclass(frozen=True, slots=True)
class Edit:
    """One change of a draft in one tab, which decides whether it may be stored over what is there."""

    key: str
    """The launch key, by which a draft is known before it is stored."""
    tab: str
    number: int
    """Counts the changes of this tab."""
    seen: tuple[str, int] = ("", 0)
    """Tab and number of the stored edit that this tab began with; ("", 0) for a draft that was new."""


def open_draft(session: Session, actor: Actor, draft_id: int = 0) -> Draft:
    """A stored draft, or a new one that is stored with its first change. Asks the workers to prewarm a trainer.

    Raises:
        NotFound: the draft was launched or discarded, is too old, or belongs to another user.
    """
    after_commit(session, request_prewarm)
    if not draft_id:
        return Draft(launch_key=secrets.token_urlsafe(18))
    record = session.get(WizardDraft, draft_id)
    if record is None or record.user_id != actor.user_id or record.updated_at < utcnow() - KEPT:
        raise NotFound("This draft was launched or discarded, or is too old. What you see is a new one.")
    return _row(record)


def save_draft(session: Session, actor: Actor, values: dict[str, Any], edit: Edit) -> Draft:
    """Stores the values of a draft as a tab has them; an older change of the same tab never replaces a newer one.

    Raises:
        DraftChanged: storing them would overwrite what another tab stored. Invalid: the draft is too large.
    """
    if len(values) > _MAX_KEYS or len(str(values)) > 20_000:
        raise Invalid("This draft is too large to keep.")
    record = _of_key(session, actor, edit.key)
    if record is None and edit.seen == ("", 0):
        record = _insert(session, actor, values, edit)
    if record is None:
        raise DraftChanged("This draft was launched or discarded in another tab.")
    if (record.tab, record.edit) != (edit.tab, edit.number):
        _replace(session, record, values, edit)
    after_commit(session, request_prewarm)
    return _row(record)


def list_drafts(session: Session, actor: Actor) -> list[DraftRow]:
    """The actor's drafts with the names of what they chose, the last changed first."""
    mine = select(WizardDraft).where(
        WizardDraft.user_id == actor.user_id, col(WizardDraft.updated_at) >= utcnow() - KEPT
    )
    newest = mine.order_by(col(WizardDraft.updated_at).desc(), col(WizardDraft.id).desc())
    records = session.exec(newest.limit(MAX_DRAFTS)).all()
    datasets = _names(session, actor, Dataset, [_chosen(record.values, "dataset_id") for record in records])
    models = _names(session, actor, VideoModel, [_chosen(record.values, "model_id") for record in records])
    return [
        DraftRow(
            id=record.id or 0,
            name=str((record.values.get("values") or {}).get("output_name") or ""),
            dataset_name=datasets.get(_chosen(record.values, "dataset_id"), ""),
            model_name=models.get(_chosen(record.values, "model_id"), ""),
            step=parse_id(str(record.values.get("step"))) or 1,
            updated_at=record.updated_at,
        )
        for record in records
    ]


def discard_draft(session: Session, actor: Actor, draft_id: int) -> Draft | None:
    """Deletes a draft.

    Returns:
        What was deleted, for `restore_draft`; None where there is no such draft of the actor's.
    """
    record = session.get(WizardDraft, draft_id)
    if record is None or record.user_id != actor.user_id:
        return None
    draft = _row(record)
    session.delete(record)
    session.flush()
    return draft


def restore_draft(session: Session, actor: Actor, draft: Draft) -> Draft:
    """Stores a discarded draft again, under a new id.

    Raises:
        DraftChanged: it was launched meanwhile, in a tab that still showed it.
    """
    return save_draft(session, actor, draft.values, Edit(draft.launch_key, *draft.stored_edit))


def clear_draft(session: Session, actor: Actor, key: str) -> None:
    """Deletes the draft of this launch key, after a launch or a cancel."""
    record = _of_key(session, actor, key)
    if record is not None:
        session.delete(record)
        session.flush()


def _row(record: WizardDraft) -> Draft:
    seen = (record.tab, record.edit)
    return Draft(dict(record.values), record.launch_key, record.updated_at, record.id or 0, seen)


def _of_key(session: Session, actor: Actor, key: str) -> WizardDraft | None:
    statement = select(WizardDraft).where(WizardDraft.user_id == actor.user_id, WizardDraft.launch_key == key)
    return session.exec(statement).first()


def _insert(session: Session, actor: Actor, values: dict[str, Any], edit: Edit) -> WizardDraft | None:
    """A new record; None where the key was launched already, as when a launch was faster than the last change."""
    for table in (TrainingJob, Sweep):
        launched = select(table.id).where(table.owner_id == actor.user_id, table.idempotency_key == edit.key)
        if session.exec(launched).first() is not None:
            return None
    record = WizardDraft(
        user_id=actor.user_id, values=dict(values), launch_key=edit.key, tab=edit.tab, edit=edit.number
    )
    try:
        with session.begin_nested():
            session.add(record)
    except IntegrityError:  # the change before this one was stored in the same moment
        return _of_key(session, actor, edit.key)
    _drop_oldest(session, actor)
    return record


def _drop_oldest(session: Session, actor: Actor) -> None:
    mine = select(WizardDraft).where(WizardDraft.user_id == actor.user_id)
    oldest_last = mine.order_by(col(WizardDraft.updated_at).desc(), col(WizardDraft.id).desc())
    for number, record in enumerate(session.exec(oldest_last).all()):
        if number >= MAX_DRAFTS or record.updated_at < utcnow() - KEPT:
            session.delete(record)
    session.flush()


def _replace(session: Session, record: WizardDraft, values: dict[str, Any], edit: Edit) -> None:
    """Compare-and-set: only over an older change of the same tab, or over what this tab began with."""
    tab, number = col(WizardDraft.tab), col(WizardDraft.edit)
    own, begun_with = and_(tab == edit.tab, number < edit.number), and_(tab == edit.seen[0], number == edit.seen[1])
    statement = (
        update(WizardDraft)
        .where(col(WizardDraft.id) == record.id, or_(own, begun_with))
        .values(values=dict(values), tab=edit.tab, edit=edit.number, updated_at=utcnow())
        .execution_options(synchronize_session=False)
    )
    replaced = session.connection().execute(statement).rowcount
    last = session.exec(select(WizardDraft.tab).where(WizardDraft.id == record.id)).first()
    if last is None or (not replaced and last != edit.tab):
        raise DraftChanged("This draft was changed in another tab.")
    session.refresh(record)


def _chosen(values: Mapping[str, Any], name: str) -> int:
    return parse_id(str(values.get(name) or ""))


def _names(session: Session, actor: Actor, table: type[SQLModel], ids: Sequence[int]) -> dict[int, str]:
    """The names of the records that the actor may see."""
    kind: Any = table
    visible = or_(kind.owner_id == actor.user_id, kind.owner_id.is_(None))
    return dict(session.exec(select(kind.id, kind.name).where(kind.id.in_([i for i in ids if i]), visible)).all())
