"""The names under which OpenAI's clients find the captioning models: an adapter's or a base's name, or its id."""

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, or_, select

from orchestrator.domain.errors import NotFound
from orchestrator.domain.models import ModelStatus, VideoModel
from orchestrator.domain.tasks import TASKS, AnswerKind, task_spec
from orchestrator.domain.users import Actor
from orchestrator.services.playground.adapters import list_adapters

_WRITES = [task.model_type for task in TASKS.values() if task.answer is AnswerKind.TEXT]
"""The types of base models that answer in text."""


@dataclass(frozen=True, slots=True)
class Named:
    """A model that chats."""

    id: str
    """adapter-12 or model-3: says which one, whatever it is renamed to."""
    names: tuple[str, ...]
    """What people call it, the most exact first: my-run-v2, my-run."""
    created_at: datetime
    adapter_id: int | None = None
    model_id: int | None = None


def list_named(session: Session, actor: Actor) -> list[Named]:
    """Adapters of captioning models, the newest first, then the bases."""
    seen = or_(col(VideoModel.owner_id).is_(None), col(VideoModel.owner_id) == actor.user_id)
    speaks = (col(VideoModel.model_type).in_(_WRITES), VideoModel.status == ModelStatus.READY)
    bases = session.exec(select(VideoModel).where(seen, *speaks).order_by(col(VideoModel.id))).all()
    ids = {base.id for base in bases}
    named: list[Named] = []
    for adapter in list_adapters(session, actor):
        if adapter.model_id in ids or task_spec(adapter.task).answer is AnswerKind.TEXT:
            names = (f"{adapter.line}-v{adapter.version}", adapter.line)
            named.append(Named(f"adapter-{adapter.id}", names, adapter.created_at, adapter_id=adapter.id))
    return [*named, *(Named(f"model-{base.id}", (base.name,), base.created_at, model_id=base.id) for base in bases)]


def find_named(session: Session, actor: Actor, name: str) -> Named:
    """By id, else by name with version, else by the name alone: of its versions the newest.

    Raises:
        NotFound: the actor has no such model.
    """
    wanted = name.strip().lower()
    named = list_named(session, actor)
    exact = [one for one in named if wanted in (one.id, one.names[0].lower())]
    if found := next(iter([*exact, *(one for one in named if wanted == one.names[-1].lower())]), None):
        return found
    raise NotFound(f"There is no captioning model or adapter named {name[:80]}. GET /v1/models lists yours.", "model")
