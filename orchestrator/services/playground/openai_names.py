"""The model names of the OpenAI-compatible API: captioning adapters and bases by name or id."""

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, or_, select

from orchestrator.domain.errors import NotFound
from orchestrator.domain.models import ModelStatus, VideoModel
from orchestrator.domain.tasks import TASK_OF_MODEL, TASKS, AnswerKind, task_spec
from orchestrator.domain.users import Actor
from orchestrator.services.playground.adapters import list_adapters
from orchestrator.services.playground.choices import reads_prompt

_WRITES = [task.model_type for task in TASKS.values() if task.answer is AnswerKind.TEXT]
"""The types of base models that answer in text."""


@dataclass(frozen=True, slots=True)
class NamedModel:
    """A captioning adapter or base under its names in the API."""

    id: str
    """adapter-12 or model-3; it stays when the model is renamed."""
    names: tuple[str, ...]
    """Further names, the most specific first: my-run-v2, my-run."""
    created_at: datetime
    adapter_id: int | None = None
    model_id: int | None = None
    default_question: str = ""
    """What the model is asked where the user says nothing; "" for a base that reads no text."""


def list_named_models(session: Session, actor: Actor) -> list[NamedModel]:
    """Adapters of captioning models, the newest first, then the bases."""
    visible = or_(col(VideoModel.owner_id).is_(None), col(VideoModel.owner_id) == actor.user_id)
    captioning = (col(VideoModel.model_type).in_(_WRITES), VideoModel.status == ModelStatus.READY)
    bases = session.exec(select(VideoModel).where(visible, *captioning).order_by(col(VideoModel.id))).all()
    questions = {base.id: _default_question(base) for base in bases}
    named: list[NamedModel] = []
    for adapter in list_adapters(session, actor):
        if adapter.model_id in questions or task_spec(adapter.task).answer is AnswerKind.TEXT:
            names = (f"{adapter.line}-v{adapter.version}", adapter.line)
            question = questions.get(adapter.model_id, task_spec(adapter.task).annotation.spec.export_question)
            question = (adapter.question or question) if question else ""
            named.append(NamedModel(f"adapter-{adapter.id}", names, adapter.created_at, adapter.id, None, question))
    return [
        *named,
        *(
            NamedModel(f"model-{base.id}", (base.name,), base.created_at, None, base.id, questions[base.id])
            for base in bases
        ),
    ]


def find_named_model(session: Session, actor: Actor, name: str) -> NamedModel:
    """The model of a name: an id, a name with version, or a name alone, which means its newest version.

    Raises:
        NotFound: the actor has no such model.
    """
    key = name.strip().lower()
    named = list_named_models(session, actor)
    exact = [model for model in named if key in (model.id, model.names[0].lower())]
    if model := next(iter([*exact, *(one for one in named if key == one.names[-1].lower())]), None):
        return model
    raise NotFound(f"There is no captioning model or adapter named {name[:80]}. GET /v1/models lists yours.", "model")


def _default_question(base: VideoModel) -> str:
    return TASK_OF_MODEL[base.model_type].annotation.spec.export_question if reads_prompt(base) else ""
