"""Registers a merged adapter, or a fully trained model, as a base model: its files are linked, then checked."""

import os
import shutil
from pathlib import Path

from sqlmodel import Session

from orchestrator.domain.adapters import ResultKind
from orchestrator.domain.audit import Act
from orchestrator.domain.errors import Unavailable
from orchestrator.domain.models import ModelSource, ModelStatus
from orchestrator.domain.tasks import TASKS
from orchestrator.domain.users import Actor
from orchestrator.services.access import owned_adapter
from orchestrator.services.adapters.catalog import existing_folder
from orchestrator.services.adapters.operations import MERGED, folder_to_push
from orchestrator.services.audit.recording import record
from orchestrator.services.models.adding import queue_check
from orchestrator.services.models.catalog import new_model, row_for
from orchestrator.services.models.files import ACCEPTED_ENDINGS, model_folder, remove_model_folder
from orchestrator.services.models.rows import ModelRow

_RUN_FILES = frozenset({"result.json", "predictions.json", "labels.json"})


def register_merged(session: Session, actor: Actor, adapter_id: int, name: str = "") -> ModelRow:
    """Adds the model to the actor's base models; a worker checks its tensors like those of any other.

    Args:
        name: the name of the new model; "" for that of the version.

    Raises:
        Conflict: nothing is merged yet, or the name is taken. Invalid: the name. NotFound. Unavailable: disk.
    """
    adapter = owned_adapter(session, actor, adapter_id)
    label = f"{adapter.name} v{adapter.version}"
    is_model = adapter.kind is ResultKind.MODEL
    source = existing_folder(adapter) if is_model else folder_to_push(adapter, MERGED)
    description = (
        f"{'Fully trained' if is_model else 'Merged'} from {label}: {adapter.model_name} on {adapter.dataset_name}."
    )
    model = new_model(session, actor, name.strip() or label, description, TASKS[adapter.task].model_type.value)
    model.source, model.source_ref, model.status = ModelSource.UPLOAD, label, ModelStatus.PROCESSING
    session.add(model)
    session.flush()
    model_id = model.id or 0
    try:
        _link(source, model_folder(model_id))
    except OSError as error:
        remove_model_folder(model_id)
        raise Unavailable(
            f"The files could not be copied: {error.strerror}. Free some space, then try again."
        ) from error
    queue_check(session, model)
    record(session, actor, Act.MODEL_CREATED, model.id, model.name, after={"source": "adapter", "place": label})
    return row_for(session, actor, model)


def _link(source: Path, target: Path) -> None:
    """Hard-links the files, or copies them; links are safe because files are replaced and never written in place."""
    target.mkdir(parents=True)
    for path in sorted(source.iterdir()):
        if path.is_file() and path.suffix in ACCEPTED_ENDINGS and path.name not in _RUN_FILES:
            try:
                os.link(path, target / path.name)
            except OSError:
                shutil.copyfile(path, target / path.name)
