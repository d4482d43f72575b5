"""What a model's page tells beyond its facts: how it was pretrained, as its files say, and the actor's jobs on it."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlmodel import Session, col, select

from orchestrator.domain.models import ModelSource, VideoModel
from orchestrator.domain.training_jobs import TrainingJob
from orchestrator.domain.users import Actor
from orchestrator.services.datasets.overview import JobMark
from orchestrator.services.models.catalog import get_model

JOBS_SHOWN = 20
TEXT_LIMIT = 20_000


@dataclass(frozen=True, slots=True)
class ModelAbout:
    """`card`: the folder's README.md as text, without its metadata head; `pretraining`: pretraining.json, or empty."""

    card: str
    pretraining: dict[str, Any]
    classes: list[str]
    """The classes of its own head, which a fine-tune replaces."""
    jobs: list[JobMark]


def model_about(session: Session, actor: Actor, model_id: int) -> ModelAbout:
    """Reads the files beside the weights and the actor's newest jobs.

    Raises:
        NotFound: there is none, or it is somebody else's.
    """
    get_model(session, actor, model_id)
    model = session.get_one(VideoModel, model_id)
    folder = Path(model.path)
    config, pretraining = _json(folder / "config.json"), _json(folder / "pretraining.json")
    names = [str(name) for name in (config.get("id2label") or {}).values()]
    own = model.source is ModelSource.BUILTIN or model.owner_id == actor.user_id
    return ModelAbout(_readme(folder) if own else "", pretraining, names, _jobs(session, actor, model_id))


def _jobs(session: Session, actor: Actor, model_id: int) -> list[JobMark]:
    statement = (
        select(TrainingJob.id, TrainingJob.name, TrainingJob.status)
        .where(TrainingJob.model_id == model_id, TrainingJob.owner_id == actor.user_id)
        .order_by(col(TrainingJob.id).desc())
        .limit(JOBS_SHOWN)
    )
    return [
        JobMark(job_id, name, str(status)) for job_id, name, status in session.exec(statement) if job_id is not None
    ]


def _readme(folder: Path) -> str:
    try:
        text = (folder / "README.md").read_text(errors="replace")[:TEXT_LIMIT]
    except OSError:
        return ""
    if text.startswith("---"):
        _, _, text = text[3:].partition("\n---")
    return text.strip()


def _json(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
