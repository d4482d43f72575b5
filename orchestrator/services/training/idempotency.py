"""Binds an idempotency key to what is launched with it: the same key with another body is refused."""

import hashlib
import json
import secrets
from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

from sqlmodel import Session, col, select

from orchestrator.domain.errors import Conflict, Invalid
from orchestrator.domain.queueing import Sweep
from orchestrator.domain.recipes import Recipe
from orchestrator.domain.training_jobs import TrainingJob
from orchestrator.domain.users import Actor

MAX_KEY = 80
Row = TypeVar("Row", TrainingJob, Sweep)


class KeyReused(Conflict):
    """The key was sent before with another body."""


def checked_key(given: str) -> str:
    """The key of the client, or a random one where it sent none.

    Raises:
        Invalid: it is too long.
    """
    key = given.strip() or secrets.token_urlsafe(18)
    if len(key) > MAX_KEY:
        raise Invalid(f"The idempotency key may have at most {MAX_KEY} characters.", "idempotency_key")
    return key


def hash_of_job(dataset_id: int, model_id: int, recipe: Recipe, version: int = 0) -> str:
    """The hash of one job's body; values that are written differently and mean the same have one hash.

    Args:
        version: of the dataset; 0 for the newest.
    """
    return _sha256(["job", dataset_id, model_id, _changed_values(recipe), *([version] if version else [])])


def hash_of_sweep(
    dataset_id: int, model_id: int, names: Iterable[str], recipes: Sequence[Recipe], version: int = 0
) -> str:
    """The hash of a sweep's body; the order of its parameters and of their values does not count."""
    stem = recipes[0].output_name.rpartition("-")[0]
    jobs = sorted(
        json.dumps(_changed_values(recipe) | {"output_name": stem}, sort_keys=True, default=str) for recipe in recipes
    )
    return _sha256(["sweep", dataset_id, model_id, sorted(names), jobs, *([version] if version else [])])


def job_of_key(session: Session, actor: Actor, key: str, body_hash: str) -> TrainingJob | None:
    """The job that was launched with this key and body; None where the key is new.

    Raises:
        KeyReused: the key launched something else.
    """
    statement = select(TrainingJob).where(
        TrainingJob.owner_id == actor.user_id, col(TrainingJob.idempotency_key) == key
    )
    job = session.exec(statement).first()
    if job is None:
        if _sweep(session, actor, key) is not None:
            raise KeyReused(_sentence("a sweep"))
        return None
    return _same_body(job, body_hash, f"the job {job.name} (#{job.id})")


def sweep_of_key(session: Session, actor: Actor, key: str, body_hash: str) -> Sweep | None:
    """The sweep that was launched with this key and body; None where the key is new.

    Raises:
        KeyReused: the key launched something else.
    """
    sweep = _sweep(session, actor, key)
    if sweep is None:
        single = select(TrainingJob.id).where(
            TrainingJob.owner_id == actor.user_id, col(TrainingJob.idempotency_key) == key
        )
        if session.exec(single).first() is not None:
            raise KeyReused(_sentence("a single job"))
        return None
    return _same_body(sweep, body_hash, f"the sweep {sweep.name} (#{sweep.id})")


def _same_body(row: Row, body_hash: str, name: str) -> Row:
    # What was launched before hashes were stored has none: its key is answered as it was.
    if row.request_hash and row.request_hash != body_hash:
        raise KeyReused(_sentence(name))
    return row


def _sweep(session: Session, actor: Actor, key: str) -> Sweep | None:
    statement = select(Sweep).where(Sweep.owner_id == actor.user_id, Sweep.idempotency_key == key)
    return session.exec(statement).first()


def _sentence(launched: str) -> str:
    return (
        f"This Idempotency-Key launched {launched}, which was asked for with other values. "
        "Send the same body again to get that answer, or a new key to launch this too."
    )


def _changed_values(recipe: Recipe) -> dict[str, Any]:
    """Without defaults, so that a parameter which a later version adds does not change the hash."""
    return recipe.model_dump(mode="json", exclude_defaults=True)


def _sha256(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()
