"""The base models that a user can train: list, read, rename, delete."""

from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import func, update
from sqlmodel import Session, col, or_, select

from orchestrator.domain.adapters import ACTIVE_OPERATIONS, Adapter, AdapterOperation, OperationKind
from orchestrator.domain.audit import Act
from orchestrator.domain.datasets import Upload
from orchestrator.domain.errors import Conflict, Invalid
from orchestrator.domain.families import current_title, titles_of
from orchestrator.domain.models import ModelSource, ModelStatus, VideoModel
from orchestrator.domain.tasks import TASK_OF_MODEL, ModelType
from orchestrator.domain.training_jobs import ACTIVE, TrainingJob
from orchestrator.domain.users import Actor
from orchestrator.services.access import owned_model, visible_model
from orchestrator.services.after_commit import after_commit
from orchestrator.services.audit.recording import record
from orchestrator.services.models.files import remove_model_folder
from orchestrator.services.models.inspect import ModelFacts
from orchestrator.services.models.rows import LayerGroup, ModelRow, adapter_sides, layer_groups, model_row
from orchestrator.services.paging import Page, contains, fetch_page
from orchestrator.services.text_fields import edited_texts, text_problems
from orchestrator.services.uploads.part_file import delete_upload_files

SORTS = {
    "created_at": col(VideoModel.created_at),
    "name": func.lower(col(VideoModel.name)),
    "parameters": col(VideoModel.parameters),
}
CUSTOM = "Custom"


def list_models(
    session: Session,
    actor: Actor,
    q: str = "",
    status: str = "",
    model_type: str = "",
    sort: str = "name",
    limit: int = 50,
    cursor: str | None = None,
) -> Page[ModelRow]:
    """The built-in models and the actor's own.

    Args:
        q: text in the name or the architecture.
        status: a `ModelStatus`, or in_use for a ready model that an active job of the actor's trains.
    """
    where = [or_(col(VideoModel.owner_id).is_(None), col(VideoModel.owner_id) == actor.user_id)]
    if status:
        where += _by_status(actor, status)
    if model_type:
        if model_type not in list(ModelType):
            raise Invalid(f"Choose from: {', '.join(ModelType)}.", "model_type")
        where.append(col(VideoModel.model_type) == ModelType(model_type))
    if q.strip():
        where.append(or_(contains(VideoModel.name, q), contains(VideoModel.architecture, q)))
    page = fetch_page(session, VideoModel, where, SORTS, sort, limit, cursor)
    return Page([row_for(session, actor, model) for model in page.items], page.next, page.total)


def get_model(session: Session, actor: Actor, model_id: int) -> ModelRow:
    """One model: a built-in one, or the actor's own.

    Raises:
        NotFound: it does not exist, or belongs to another user.
    """
    return row_for(session, actor, visible_model(session, actor, model_id))


def model_layers(session: Session, actor: Actor, model_id: int) -> list[LayerGroup]:
    """The linear layers of a model, grouped by the ending of their names."""
    model = visible_model(session, actor, model_id)
    return [
        LayerGroup(
            suffix=str(g["suffix"]),
            count=int(g.get("count", 1)),
            parameters=int(g.get("parameters", 0)),
            default=bool(g.get("default", True)),
            sides=adapter_sides(g),
        )
        for g in layer_groups(model)
    ]


def new_model(
    session: Session,
    actor: Actor,
    name: str,
    description: str,
    model_type: str,
    architecture: str = "",
    problems: list[tuple[str, str]] | None = None,
) -> VideoModel:
    """A model record of the actor's that is not in the session yet.

    Args:
        problems: (field, sentence) pairs that the caller has found.

    Raises:
        Invalid: `problems` by field. Conflict: the name is taken.
    """
    problems = [*text_problems("model", name, description), *(problems or [])]
    if model_type not in list(ModelType):
        problems.append(("model_type", f"Choose one of: {', '.join(ModelType)}."))
    elif current_title(architecture) not in ("", CUSTOM, *architectures(model_type)):
        known = ", ".join([*architectures(model_type), CUSTOM])
        problems.append(("architecture", f"Choose one of this type: {known}."))
    if problems:
        raise Invalid(problems[0][1], problems[0][0], problems)
    _refuse_taken_name(session, actor, name)
    return VideoModel(
        owner_id=actor.user_id,
        name=name.strip(),
        description=description.strip(),
        model_type=ModelType(model_type),
        architecture=current_title(architecture) or CUSTOM,
        source=ModelSource.PATH,
    )


def apply_facts(model: VideoModel, folder: Path, facts: ModelFacts) -> None:
    """Sets the facts that were read from the files and marks the model as ready.

    Raises:
        Invalid: the files are of another type or architecture than the record.
    """
    if facts.model_type and facts.model_type != model.model_type.value:
        kind = TASK_OF_MODEL[facts.model_type].key.value
        raise Invalid(f"These files hold a model for {kind}. Choose that type.", "model_type")
    if current_title(model.architecture) not in ("", CUSTOM, facts.architecture):
        raise Invalid(f"These files hold {facts.architecture}, not {model.architecture}.", "architecture")
    model.architecture, model.family = facts.architecture, facts.family
    model.path, model.revision, model.parameters = str(folder), facts.revision, facts.parameters
    model.size_bytes, model.details = facts.size_bytes, facts.details
    model.status, model.error = ModelStatus.READY, ""


def relink_adapters(session: Session, model: VideoModel) -> None:
    """Links the owner's adapters to this model whose deleted base had the same weights."""
    session.add(model)
    session.flush()
    same_weights = (Adapter.owner_id == model.owner_id, Adapter.model_revision == model.revision)
    if model.revision:
        orphans = update(Adapter).where(*same_weights, col(Adapter.model_id).is_(None))  # type: ignore[arg-type]
        session.exec(orphans.values(model_id=model.id))


def architectures(model_type: str) -> list[str]:
    """The titles of the trainable families of this type."""
    return titles_of(model_type)


def update_model(
    session: Session, actor: Actor, model_id: int, name: str | None = None, description: str | None = None
) -> ModelRow:
    """Changes the name or the description; None leaves it as it is.

    Raises:
        Invalid: `problems` by field. Conflict: the name is taken. NotAllowed: it is built in. NotFound.
    """
    model = owned_model(session, actor, model_id)
    new_name, new_description = edited_texts("model", model, name, description)
    if new_name != model.name:
        _refuse_taken_name(session, actor, new_name, model_id)
    before = {"name": model.name, "description": model.description}
    model.name, model.description = new_name, new_description
    session.add(model)
    session.flush()
    after = {"name": new_name, "description": new_description}
    record(session, actor, Act.MODEL_CHANGED, model_id, new_name, before, after)
    return row_for(session, actor, model)


def delete_model(session: Session, actor: Actor, model_id: int) -> None:
    """Deletes a model with its uploaded or downloaded files; a registered folder stays.

    Raises:
        Conflict: a job or a merge uses it. NotAllowed: it is built in. NotFound.
    """
    model = owned_model(session, actor, model_id)
    if sentence := usage_conflict(session, model_id):
        raise Conflict(sentence)
    uploads = session.exec(select(Upload.id).where(Upload.model_id == model_id)).all()
    session.delete(model)
    session.flush()
    record(session, actor, Act.MODEL_DELETED, model_id, model.name)
    after_commit(session, lambda: _remove_files(model_id, uploads))


def usage_conflict(session: Session, model_id: int) -> str:
    """What uses the model now, so that it cannot be deleted, as a sentence; "" when nothing does."""
    training = (TrainingJob.model_id == model_id, col(TrainingJob.status).in_(ACTIVE))
    if active := session.exec(select(TrainingJob.name, TrainingJob.id).where(*training)).all():
        named = ", ".join(f"{name} #{job_id}" for name, job_id in active[:3])
        return f"{named} still trains this model. Stop that first."
    merges = (
        Adapter.model_id == model_id,
        AdapterOperation.kind == OperationKind.MERGE,
        col(AdapterOperation.status).in_(ACTIVE_OPERATIONS),
    )
    merging = select(Adapter.name, Adapter.version).join(
        AdapterOperation, col(AdapterOperation.adapter_id) == col(Adapter.id)
    )
    if version := session.exec(merging.where(*merges)).first():
        return f"{version[0]} v{version[1]} is being merged into this model. Wait until that is over."
    return ""


def _remove_files(model_id: int, upload_ids: Sequence[str]) -> None:
    remove_model_folder(model_id)
    delete_upload_files(upload_ids)


def row_for(session: Session, actor: Actor, model: VideoModel) -> ModelRow:
    """The row of a stored model, with the counts of the actor's jobs on it."""
    counted = (
        select(TrainingJob.status, func.count())
        .where(TrainingJob.model_id == model.id, TrainingJob.owner_id == actor.user_id)
        .group_by(col(TrainingJob.status))
    )
    by_status = {str(status): int(number) for status, number in session.exec(counted)}
    active = sum(number for status, number in by_status.items() if status in ACTIVE)
    return model_row(model, sum(by_status.values()), active, editable=model.owner_id == actor.user_id)


def _by_status(actor: Actor, status: str) -> list:
    busy = select(TrainingJob.model_id).where(
        col(TrainingJob.status).in_(ACTIVE),
        TrainingJob.owner_id == actor.user_id,
        col(TrainingJob.model_id).is_not(None),
    )
    if status == "in_use":
        return [col(VideoModel.status) == ModelStatus.READY, col(VideoModel.id).in_(busy)]
    if status not in list(ModelStatus):
        raise Invalid(f"Choose from: {', '.join(ModelStatus)}, in_use.", "status")
    conditions = [col(VideoModel.status) == ModelStatus(status)]
    return [*conditions, col(VideoModel.id).not_in(busy)] if status == "ready" else conditions


def _refuse_taken_name(session: Session, actor: Actor, name: str, except_id: int = 0) -> None:
    same = func.lower(VideoModel.name) == name.strip().lower()
    visible = or_(col(VideoModel.owner_id).is_(None), col(VideoModel.owner_id) == actor.user_id)
    if session.exec(select(VideoModel.id).where(visible, same, VideoModel.id != except_id)).first() is not None:
        raise Conflict(f"There already is a model named {name.strip()}. Choose another name.", "name")
