"""Base models in folders of this machine, inside the roots that the settings allow; their files are not copied."""

from pathlib import Path

from sqlmodel import Session

from orchestrator.domain.errors import Invalid
from orchestrator.domain.models import ModelSource
from orchestrator.domain.tasks import DEFAULT_TASK, TASKS
from orchestrator.domain.users import Actor
from orchestrator.services.models.adding import queue_check
from orchestrator.services.models.catalog import apply_facts, new_model, relink_adapters, row_for
from orchestrator.services.models.inspect import ModelFacts, inspect_model, weight_files
from orchestrator.services.models.integrity import check_files
from orchestrator.services.models.rows import ModelRow
from orchestrator.settings import get_settings

INLINE_CHECK_BYTES = 2**28
"""Models up to this size are checked during the request; larger ones by a worker."""


def allowed_roots() -> list[str]:
    """The folders from which a model may be registered."""
    return [str(root) for root in get_settings().model_roots]


def register_folder(
    session: Session, actor: Actor, name: str, description: str, path: str, model_type: str = "", architecture: str = ""
) -> ModelRow:
    """Registers a folder of safetensors; a large one becomes ready when a worker has checked all of its weights.

    Args:
        model_type: "" to take it from the files.

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
    apply_facts(model, folder, facts or _facts(folder))
    if model.size_bytes > INLINE_CHECK_BYTES:
        queue_check(session, model)
        return row_for(session, actor, model)
    check_files(folder)
    relink_adapters(session, model)
    return row_for(session, actor, model)


def _facts(folder: Path) -> ModelFacts:
    """The facts of the files; of a large model without the digest, which a worker computes later."""
    small = sum(file.stat().st_size for file in weight_files(folder)) <= INLINE_CHECK_BYTES
    return inspect_model(folder, digest=small)


def allowed_folder(path: str) -> Path:
    """The folder with all links resolved.

    Raises:
        Invalid: it does not exist, or is outside of the allowed roots.
    """
    folder, sentence = _resolved(path)
    if folder is None:
        raise Invalid(sentence, "path")
    return folder


def _resolved(path: str) -> tuple[Path | None, str]:
    """(the folder with all links resolved, ""), or (None, the reason why it is refused)."""
    if not path.strip():
        return None, "Give the folder that holds config.json and the safetensors files."
    try:
        folder = Path(path.strip()).expanduser().resolve()
    except (OSError, RuntimeError, ValueError):
        return None, "This is not a path."
    if not inside_roots(folder):
        return None, f"The folder must be in {' or '.join(allowed_roots())}."
    if not folder.is_dir():
        return None, "There is no such folder on this machine."
    try:
        outside = next((path.name for path in folder.iterdir() if not inside_roots(path)), "")
    except OSError:
        return None, "This folder cannot be read here."
    if outside:
        return None, f"{outside} is a link that leads out of {' or '.join(allowed_roots())}. Copy the file itself."
    return folder, ""


def inside_roots(path: Path) -> bool:
    """Whether the path is inside an allowed root after following all links."""
    try:
        resolved = path.resolve()
    except (OSError, RuntimeError):
        return False
    return any(resolved.is_relative_to(root.resolve()) for root in get_settings().model_roots)
