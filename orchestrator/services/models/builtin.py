"""Registers the base models that ship with Loreel, and updates them when their folder was moved or replaced."""

import json
from pathlib import Path
from typing import Any

import structlog
from sqlmodel import Session, select

from orchestrator.domain.errors import Invalid
from orchestrator.domain.models import ModelSource, ModelStatus, VideoModel
from orchestrator.domain.tasks import ModelType
from orchestrator.services.models.inspect import inspect_model
from orchestrator.settings import ROOT

log = structlog.get_logger()
FOLDER = ROOT / "orchestrator" / "builtin" / "models"
NAMES = {
    "captioner-tiny": (
        "Tiny captioner",
        "A small video encoder with a text decoder, trained here on synthetic shapes in motion. It learns to describe "
        "clips in a new style with new words, and its file is under 5 MB.",
    ),
    "retriever-tiny": (
        "Tiny retriever",
        "The tiny VideoMAE with a small text encoder, trained here on synthetic clips and sentences. It learns to "
        "find clips by new words and new motions in a minute or two on two cores.",
    ),
    "videomae-tiny": (
        "Tiny VideoMAE",
        "A small video encoder, trained here from scratch on synthetic shapes in motion. It learns new motions in a "
        "minute or two on two cores, and its file is under 5 MB.",
    ),
}
"""Folder name -> (display name, description)."""


def ensure_builtin(session: Session, folder: Path = FOLDER) -> int:
    """Makes the database match the shipped folders.

    Returns:
        How many models were added or changed.
    """
    changed = 0
    for path in sorted(folder.iterdir()) if folder.is_dir() else []:
        if (path / "config.json").is_file():
            changed += _ensure(session, path)
    return changed


def _ensure(session: Session, path: Path) -> int:
    statement = select(VideoModel).where(VideoModel.source == ModelSource.BUILTIN, VideoModel.source_ref == path.name)
    model = session.exec(statement).first()
    try:
        facts = inspect_model(path)
    except Invalid as error:
        # A broken installation: runs with this base fail with the error, everything else works.
        log.error("builtin.damaged", model=path.name, error=error.message)
        if model is not None and model.status is not ModelStatus.ERROR:
            model.status, model.error = ModelStatus.ERROR, error.message
            session.add(model)
            return 1
        return 0
    if model is not None and (model.revision, model.path, model.status) == (
        facts.revision,
        str(path),
        ModelStatus.READY,
    ):
        return 0
    name, description = NAMES.get(path.name, (path.name, ""))
    model = model or VideoModel(
        name=name,
        description=description,
        model_type=ModelType(facts.model_type),
        architecture=facts.architecture,
        source=ModelSource.BUILTIN,
        source_ref=path.name,
    )
    model.family, model.revision, model.path = facts.family, facts.revision, str(path)
    model.parameters, model.size_bytes = facts.parameters, facts.size_bytes
    model.details = facts.details | {"pretraining": _pretraining(path)}
    model.status, model.error = ModelStatus.READY, ""
    session.add(model)
    session.flush()
    return 1


def _pretraining(path: Path) -> dict[str, Any]:
    """How the base was pre-trained: script, seed, steps, reached metrics."""
    try:
        return json.loads((path / "pretraining.json").read_text())
    except (OSError, ValueError):
        return {}
