"""Base models that stay where they lie: a folder of this machine, inside the roots that its operator allows."""

from pathlib import Path

from sqlmodel import Session

from orchestrator.domain.errors import Invalid
from orchestrator.domain.models import ModelSource
from orchestrator.domain.tasks import DEFAULT_TASK, TASKS
from orchestrator.domain.users import Actor
from orchestrator.services.models.adding import check_soon
from orchestrator.services.models.catalog import new_model, row_of, take_back, take_facts
from orchestrator.services.models.inspect import ModelFacts, inspect_model, weight_files
from orchestrator.services.models.integrity import check_files
from orchestrator.services.models.rows import ModelRow
from orchestrator.settings import get_settings

READ_AT_ONCE = 2**28
"""Bytes whose every number is looked at while the person waits; of a larger model a worker does it."""


def allowed_roots() -> list[str]:
    """The folders from which a model may be registered, as a person types them."""
    return [str(root) for root in get_settings().model_roots]


def register_path(
    session: Session, actor: Actor, name: str, description: str, path: str, model_type: str = "", architecture: str = ""
) -> ModelRow:
    """Registers a folder of safetensors; a large one is ready once a worker has read each of its numbers.

    Without `model_type` its files say what it does.

    Raises:
        Invalid: `problems` by field. Conflict: the name is taken.
    """
    folder, sentence = _resolved(path)
    facts = _facts(folder) if folder is not None and not model_type else None
    kind = facts.model_type if facts else model_type or TASKS[DEFAULT_TASK].model_type.value
    problems = [("path", sentence)] if sentence else []
    model = new_model(session, actor, name, description, kind, architecture, problems)
    assert folder is not None
    model.source, model.source_ref = ModelSource.PATH, path.strip()
    take_facts(model, folder, facts or _facts(folder))
    if model.size_bytes > READ_AT_ONCE:
        check_soon(session, model)
        return row_of(session, actor, model)
    check_files(folder)
    take_back(session, model)
    return row_of(session, actor, model)


def _facts(folder: Path) -> ModelFacts:
    """Of a large model without its digest, for which somebody would wait: a worker reads all of it afterwards."""
    small = sum(file.stat().st_size for file in weight_files(folder)) <= READ_AT_ONCE
    return inspect_model(folder, digest=small)


def allowed_folder(path: str) -> Path:
    """The folder, resolved through links.

    Raises:
        Invalid: it is not there, or outside of the allowed roots.
    """
    folder, sentence = _resolved(path)
    if folder is None:
        raise Invalid(sentence, "path")
    return folder


def _resolved(path: str) -> tuple[Path | None, str]:
    """The folder, resolved through links, or the sentence that refuses it."""
    if not path.strip():
        return None, "Give the folder that holds config.json and the safetensors files."
    try:
        folder = Path(path.strip()).expanduser().resolve()
    except (OSError, RuntimeError, ValueError):
        return None, "This is not a path."
    if not inside_roots(folder):
        return None, f"The folder must lie in {' or '.join(allowed_roots())}."
    if not folder.is_dir():
        return None, "There is no such folder on this machine."
    try:
        astray = next((path.name for path in folder.iterdir() if not inside_roots(path)), "")
    except OSError:
        return None, "This folder cannot be read here."
    if astray:
        return None, f"{astray} is a link that leads out of {' or '.join(allowed_roots())}. Copy the file itself."
    return folder, ""


def inside_roots(path: Path) -> bool:
    """Whether it lies in an allowed folder when every link is followed."""
    try:
        real = path.resolve()
    except (OSError, RuntimeError):
        return False
    return any(real.is_relative_to(root.resolve()) for root in get_settings().model_roots)
