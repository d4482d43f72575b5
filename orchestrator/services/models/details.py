"""Details of a model's page: its card, its pre-training, the classes of its head, and the actor's jobs on it."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlmodel import Session, col, select

from orchestrator.domain.models import ModelSource, VideoModel
from orchestrator.domain.training_jobs import JobRef, TrainingJob
from orchestrator.domain.users import Actor
from orchestrator.services.models.catalog import get_model
from orchestrator.services.models.files import read_small_text
from orchestrator.services.models.folders import inside_roots

JOBS_SHOWN = 20
TEXT_LIMIT = 20_000


@dataclass(frozen=True, slots=True)
class ModelDetails:
    """`card`: README.md without its metadata block; `pretraining`: the content of pretraining.json, or empty."""

    card: str
    pretraining: dict[str, Any]
    classes: list[str]
    """The classes of its own head, which fine-tuning replaces."""
    jobs: list[JobRef]


def model_details(session: Session, actor: Actor, model_id: int) -> ModelDetails:
    """Reads the files next to the weights and the actor's newest jobs.

    Raises:
        NotFound: it does not exist, or belongs to another user.
    """
    get_model(session, actor, model_id)
    model = session.get_one(VideoModel, model_id)
    folder = Path(model.path)
    config, pretraining = _json(folder / "config.json"), _json(folder / "pretraining.json")
    labels = config.get("id2label")
    names = [str(name) for name in labels.values()] if isinstance(labels, dict) else []
    own = model.source is ModelSource.BUILTIN or model.owner_id == actor.user_id
    # In an allowed folder the card could be a link to a file that only this process may read.
    safe = model.source is not ModelSource.PATH or inside_roots(folder / "README.md")
    return ModelDetails(_readme(folder) if own and safe else "", pretraining, names, _jobs(session, actor, model_id))


def _jobs(session: Session, actor: Actor, model_id: int) -> list[JobRef]:
    statement = (
        select(TrainingJob.id, TrainingJob.name, TrainingJob.status)
        .where(TrainingJob.model_id == model_id, TrainingJob.owner_id == actor.user_id)
        .order_by(col(TrainingJob.id).desc())
        .limit(JOBS_SHOWN)
    )
    return [JobRef(job_id, name, str(status)) for job_id, name, status in session.exec(statement) if job_id is not None]


def _readme(folder: Path) -> str:
    try:
        with (folder / "README.md").open(errors="replace") as file:
            text = file.read(TEXT_LIMIT)
    except OSError:
        return ""
    if text.startswith("---"):
        _, _, text = text[3:].partition("\n---")
    return text.strip()


def _json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(read_small_text(path))
    except (OSError, ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}
