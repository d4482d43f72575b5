"""Decides whether a question may be asked: every part of it is the actor's, fits the others, and is still there."""

from dataclasses import dataclass
from pathlib import Path

from sqlmodel import Session

from orchestrator.domain.datasets import ClipStatus, Dataset
from orchestrator.domain.errors import AppError, Invalid, NotFound
from orchestrator.domain.models import ModelStatus, VideoModel
from orchestrator.domain.playground import LONGEST, Wish
from orchestrator.domain.tasks import TASK_OF_MODEL, AnswerKind, task_spec
from orchestrator.domain.users import Actor
from orchestrator.services.access import owned_clip, owned_dataset, visible_model
from orchestrator.services.datasets.media.clips import clip_media
from orchestrator.services.playground.adapters import AdapterFacts, find_adapter
from orchestrator.services.playground.scratch import find_scratch
from orchestrator.services.url_safety import http_problem

_LONGEST_TEXT = 4_000


@dataclass(frozen=True, slots=True)
class Shown:
    """The clip of a question; `content_hash` is empty for one that nothing of may be kept."""

    path: Path
    name: str
    content_hash: str = ""
    clip_id: int | None = None
    reference: str = ""
    """Its class or its captions, where it has some."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A wish whose parts were found and allowed."""

    task: str
    model_id: int | None
    model_name: str
    model_path: Path
    model_revision: str
    model_bytes: int
    adapter: AdapterFacts | None
    clip: Shown | None
    dataset_id: int | None


def check_wish(session: Session, actor: Actor, wish: Wish) -> Asked:
    """The same check before a question is sent and again where it is answered.

    Raises:
        NotFound: a part is not there, or not the actor's: both read the same. Invalid: the parts do not fit.
    """
    adapter = find_adapter(session, actor, wish.adapter_id) if wish.adapter_id else None
    model, path, revision = _base(session, actor, wish, adapter)
    task = TASK_OF_MODEL[model.model_type].key.value if model else adapter.task if adapter else ""
    _check_words(wish, task)
    clip = dataset_id = None
    if task_spec(task).answer is AnswerKind.CLIPS:
        dataset_id = _dataset(session, actor, wish.dataset_id).id
    else:
        clip = _clip(session, actor, wish, task)
    return Asked(
        task=task,
        model_id=model.id if model else None,
        model_name=model.name if model else "its own base",
        model_path=path,
        model_revision=revision,
        model_bytes=model.size_bytes if model else 0,
        adapter=adapter,
        clip=clip,
        dataset_id=dataset_id,
    )


def why_not(session: Session, actor: Actor, model_id: int, adapter_id: int) -> str:
    """Why a base or an adapter (0: none) cannot be asked, as a sentence; "" where it can."""
    try:
        adapter = find_adapter(session, actor, adapter_id) if adapter_id else None
        _base(session, actor, Wish(model_id=None if adapter else model_id), adapter)
    except AppError as error:
        return error.message
    return ""


def _base(
    session: Session, actor: Actor, wish: Wish, adapter: AdapterFacts | None
) -> tuple[VideoModel | None, Path, str]:
    """The base, its folder and its revision: the registered one, or the copy that a small base leaves beside."""
    model_id = adapter.model_id if adapter else wish.model_id
    if adapter is None and model_id is None:
        raise Invalid("Choose a base model or an adapter.", "model_id")
    if adapter and wish.model_id and wish.model_id != model_id:
        raise Invalid("This adapter was made from another base. Leave the base out, or choose its own.", "model_id")
    try:
        model = visible_model(session, actor, model_id) if model_id else None
    except NotFound:
        if adapter is None:
            raise
        model = None
    other = bool(adapter and model and model.revision and adapter.model_revision not in ("", model.revision))
    if model and not other and model.status is ModelStatus.READY and model.path and Path(model.path).is_dir():
        return model, Path(model.path), model.revision
    beside = adapter.folder / "base" if adapter else None
    if adapter and beside and (beside / "config.json").is_file():
        return model, beside, adapter.model_revision
    if adapter and model and other:
        raise Invalid(f"{model.name} holds other weights now than {adapter.name} was trained on.", "adapter_id")
    name = model.name if model else f"The base of {adapter.name}" if adapter else "The base"
    raise NotFound(f"{name} is not ready or not there any more. Register it again.", "model_id")


def _check_words(wish: Wish, task: str) -> None:
    if max(len(wish.prompt), len(wish.query)) > _LONGEST_TEXT:
        raise Invalid(f"A question may have at most {_LONGEST_TEXT:,} characters.", "prompt")
    if not 1 <= wish.longest <= LONGEST:
        raise Invalid(f"An answer may have 1 to {LONGEST} tokens.", "max_tokens")
    if task_spec(task).answer is AnswerKind.CLIPS and not wish.query.strip():
        raise Invalid("Say in words what the clips should show.", "query")


def _dataset(session: Session, actor: Actor, dataset_id: int | None) -> Dataset:
    if dataset_id is None:
        raise Invalid("This model finds clips by a sentence. Choose the dataset to search.", "dataset_id")
    dataset = owned_dataset(session, actor, dataset_id)
    if not dataset.clip_count:
        raise Invalid(f"{dataset.name} has no clips to search. Choose another dataset.", "dataset_id")
    return dataset


def _clip(session: Session, actor: Actor, wish: Wish, task: str) -> Shown | None:
    """The clip with what a right answer would be; None while it is still on the web."""
    given = [name for name in ("clip_id", "scratch_id", "url") if getattr(wish, name)]
    if len(given) != 1:
        raise Invalid("Choose one clip: one of a dataset, or one of your own.", "clip_id")
    if wish.url:
        if problem := http_problem(wish.url):
            raise Invalid(problem, "video_url")
        return None
    if wish.scratch_id:
        found = find_scratch(actor, wish.scratch_id)
        return Shown(found.path, found.name)
    clip = owned_clip(session, actor, wish.clip_id or 0)
    if clip.status is ClipStatus.BAD:
        raise Invalid(f"{clip.name} cannot be read: {clip.problem}", "clip_id")
    path = clip_media(session, actor, wish.clip_id or 0)
    said = getattr(clip, task_spec(task).annotation)
    return Shown(path, clip.name.rpartition("/")[2], clip.content_hash, clip.id, said)


def sentence_of(error: Exception) -> dict[str, object]:
    """A refusal as a record of the answer."""
    if isinstance(error, AppError):
        return {"problem": error.message, "status": error.status, "field": error.field}
    return {"problem": str(error), "status": 422, "field": ""}
