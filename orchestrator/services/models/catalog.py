"""The base models a person may train: list, read, rename, take off the list."""

from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import func, update
from sqlmodel import Session, col, or_, select

from orchestrator.domain.adapters import ACTIVE_OPERATIONS, Adapter, AdapterOperation, OperationKind
from orchestrator.domain.datasets import Upload
from orchestrator.domain.errors import Conflict, Invalid
from orchestrator.domain.families import current_title, titles_of
from orchestrator.domain.models import ModelSource, ModelStatus, VideoModel
from orchestrator.domain.tasks import TASK_OF_MODEL, ModelType
from orchestrator.domain.training_jobs import ACTIVE, TrainingJob
from orchestrator.domain.users import Actor
from orchestrator.services.access import owned_model, visible_model
from orchestrator.services.after_commit import after_commit
from orchestrator.services.models.files import remove_model_folder
from orchestrator.services.models.inspect import ModelFacts
from orchestrator.services.models.rows import LayerGroup, ModelRow, layer_groups, model_row
from orchestrator.services.paging import Page, contains, fetch_page
from orchestrator.services.uploads.part_file import upload_path

SORTS = {
    "created_at": col(VideoModel.created_at),
    "name": func.lower(col(VideoModel.name)),
    "parameters": col(VideoModel.parameters),
}
CUSTOM = "Custom"
NAME_LIMIT, DESCRIPTION_LIMIT = 80, 2000


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
    """The built-in models and the actor's own; `status` may be in_use."""
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
    return Page([_row(session, actor, model) for model in page.items], page.next, page.total)


def get_model(session: Session, actor: Actor, model_id: int) -> ModelRow:
    """One model that the actor sees.

    Raises:
        NotFound: there is none, or it is somebody else's.
    """
    return _row(session, actor, visible_model(session, actor, model_id))


def model_layers(session: Session, actor: Actor, model_id: int) -> list[LayerGroup]:
    """The linear layers of a model, by the ending of their names."""
    model = visible_model(session, actor, model_id)
    return [
        LayerGroup(str(g["suffix"]), int(g.get("count", 1)), int(g.get("parameters", 0)), bool(g.get("default", True)))
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
    """A model of the actor's that is not in the ledger yet; `problems` are those the caller has found.

    Raises:
        Invalid: `problems` by field. Conflict: the name is taken.
    """
    problems = [*_text_problems(name, description), *(problems or [])]
    if model_type not in list(ModelType):
        problems.append(("model_type", f"Choose one of: {', '.join(ModelType)}."))
    elif current_title(architecture) not in ("", CUSTOM, *architectures(model_type)):
        known = ", ".join([*architectures(model_type), CUSTOM])
        problems.append(("architecture", f"Choose one that does this: {known}."))
    if problems:
        raise Invalid(problems[0][1], problems[0][0], problems)
    _refuse_taken(session, actor, name)
    return VideoModel(
        owner_id=actor.user_id,
        name=name.strip(),
        description=description.strip(),
        model_type=ModelType(model_type),
        architecture=current_title(architecture) or CUSTOM,
        source=ModelSource.PATH,
    )


def take_facts(model: VideoModel, folder: Path, facts: ModelFacts) -> None:
    """Fills in what the files say, and makes the model ready.

    Raises:
        Invalid: the files are of another type or architecture than was said.
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


def take_back(session: Session, model: VideoModel) -> None:
    """The owner's adapters whose base was deleted have one again: the same weights were added anew."""
    session.add(model)
    session.flush()
    known = (Adapter.owner_id == model.owner_id, Adapter.model_revision == model.revision)
    if model.revision:
        orphans = update(Adapter).where(*known, col(Adapter.model_id).is_(None))  # type: ignore[arg-type]
        session.exec(orphans.values(model_id=model.id))


def architectures(model_type: str) -> list[str]:
    """The architectures that do this and that can be trained here, as people know them."""
    return titles_of(model_type)


def update_model(
    session: Session, actor: Actor, model_id: int, name: str | None = None, description: str | None = None
) -> ModelRow:
    """A new name or description; None leaves it as it is."""
    model = owned_model(session, actor, model_id)
    wanted = model.name if name is None else name
    text = model.description if description is None else description
    if problems := _text_problems(wanted, text):
        raise Invalid(problems[0][1], problems[0][0], problems)
    if wanted.strip() != model.name:
        _refuse_taken(session, actor, wanted, model_id)
    model.name, model.description = wanted.strip(), text.strip()
    session.add(model)
    session.flush()
    return _row(session, actor, model)


def delete_model(session: Session, actor: Actor, model_id: int) -> None:
    """Takes a model off the list. Files that were uploaded or fetched go with it; a folder of one's own stays.

    Raises:
        Conflict: a job or a merge still works with it. NotAllowed: it is built in. NotFound.
    """
    model = owned_model(session, actor, model_id)
    if sentence := still_used(session, model_id):
        raise Conflict(sentence)
    uploads = session.exec(select(Upload.id).where(Upload.model_id == model_id)).all()
    session.delete(model)
    session.flush()
    after_commit(session, lambda: _remove(model_id, uploads))


def still_used(session: Session, model_id: int) -> str:
    """What works with the model at this moment, so that it cannot go, as a sentence; "" when nothing does."""
    learns = (TrainingJob.model_id == model_id, col(TrainingJob.status).in_(ACTIVE))
    if active := session.exec(select(TrainingJob.name, TrainingJob.id).where(*learns)).all():
        named = ", ".join(f"{name} #{job_id}" for name, job_id in active[:3])
        return f"{named} still trains this model. Stop that first."
    merges = (
        Adapter.model_id == model_id,
        AdapterOperation.kind == OperationKind.MERGE,
        col(AdapterOperation.status).in_(ACTIVE_OPERATIONS),
    )
    found = select(Adapter.name, Adapter.version).join(
        AdapterOperation, col(AdapterOperation.adapter_id) == col(Adapter.id)
    )
    if made := session.exec(found.where(*merges)).first():
        return f"{made[0]} v{made[1]} is being merged into this model. Wait until that is over."
    return ""


def _remove(model_id: int, uploads: Sequence[str]) -> None:
    remove_model_folder(model_id)
    for upload_id in uploads:
        upload_path(upload_id).unlink(missing_ok=True)


def row_of(session: Session, actor: Actor, model: VideoModel) -> ModelRow:
    """A stored model as a row."""
    return _row(session, actor, model)


def _row(session: Session, actor: Actor, model: VideoModel) -> ModelRow:
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
    wanted = [col(VideoModel.status) == ModelStatus(status)]
    return [*wanted, col(VideoModel.id).not_in(busy)] if status == "ready" else wanted


def _text_problems(name: str, description: str) -> list[tuple[str, str]]:
    problems = []
    if not name.strip():
        problems.append(("name", "Give the model a name, so that you find it again."))
    elif len(name.strip()) > NAME_LIMIT:
        problems.append(("name", f"A name may have at most {NAME_LIMIT} characters."))
    if len(description) > DESCRIPTION_LIMIT:
        problems.append(("description", f"A description may have at most {DESCRIPTION_LIMIT:,} characters."))
    return problems


def _refuse_taken(session: Session, actor: Actor, name: str, but: int = 0) -> None:
    same = func.lower(VideoModel.name) == name.strip().lower()
    seen = or_(col(VideoModel.owner_id).is_(None), col(VideoModel.owner_id) == actor.user_id)
    if session.exec(select(VideoModel.id).where(seen, same, VideoModel.id != but)).first() is not None:
        raise Conflict(f"There already is a model named {name.strip()}. Choose another name.", "name")
