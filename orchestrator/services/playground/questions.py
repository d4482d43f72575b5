"""Checks a question to a model: each record in it exists, is the actor's, and fits the others."""

from dataclasses import dataclass
from pathlib import Path

from sqlmodel import Session

from orchestrator.domain.annotations import CAPTION_QUESTION, Span
from orchestrator.domain.datasets import ClipStatus, Dataset
from orchestrator.domain.errors import AppError, Invalid, NotFound
from orchestrator.domain.models import ModelStatus, VideoModel
from orchestrator.domain.playground import MAX_ANSWER_TOKENS, MAX_STOPS, InferenceRequest
from orchestrator.domain.tasks import TASK_OF_MODEL, AnswerKind, task_spec
from orchestrator.domain.users import Actor
from orchestrator.services.access import owned_clip, owned_dataset, visible_model
from orchestrator.services.datasets.media.clips import clip_media
from orchestrator.services.playground.adapters import AdapterFacts, find_adapter
from orchestrator.services.playground.scratch import find_scratch
from orchestrator.services.url_safety import http_problem

MAX_TEXT = 4_000
_MAX_CHAT = 32_000
"""Characters of the instructions and the turns before a question."""
_MAX_STOP = 200


@dataclass(frozen=True, slots=True)
class ClipInput:
    """The clip of a question; `content_hash` is "" for a clip whose features must not be cached."""

    path: Path
    name: str
    content_hash: str = ""
    clip_id: int | None = None
    reference: str = ""
    """Its labels with commas, its answer to the question, or its caption, where it has one."""
    span: Span | None = None
    """Its part of the film; None for all of it."""
    labels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CheckedRequest:
    """A request with its records, after all checks."""

    task: str
    model_id: int | None
    model_name: str
    model_path: Path
    model_revision: str
    model_bytes: int
    adapter: AdapterFacts | None
    clip: ClipInput | None
    dataset_id: int | None


def check_request(session: Session, actor: Actor, request: InferenceRequest) -> CheckedRequest:
    """Checks a request: once before it is sent to a worker, and again in the worker.

    Raises:
        NotFound: a record does not exist, or belongs to another user. Invalid: the parts do not fit each other.
    """
    adapter = find_adapter(session, actor, request.adapter_id) if request.adapter_id else None
    model, path, revision = _base(session, actor, request, adapter)
    task = TASK_OF_MODEL[model.model_type].key.value if model else adapter.task if adapter else ""
    _check_text(request, task)
    clip = dataset_id = None
    if task_spec(task).answer is AnswerKind.CLIPS:
        dataset_id = _dataset(session, actor, request.dataset_id).id
    else:
        asked = request.prompt.strip() or (adapter.question if adapter else "") or CAPTION_QUESTION
        clip = _clip(session, actor, request, task, asked)
    return CheckedRequest(
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


def unavailable_reason(session: Session, actor: Actor, model_id: int, adapter_id: int) -> str:
    """Why a base or an adapter (0: none) cannot answer, as a sentence; "" where it can."""
    try:
        adapter = find_adapter(session, actor, adapter_id) if adapter_id else None
        _base(session, actor, InferenceRequest(model_id=None if adapter else model_id), adapter)
    except AppError as error:
        return error.message
    return ""


def _base(
    session: Session, actor: Actor, request: InferenceRequest, adapter: AdapterFacts | None
) -> tuple[VideoModel | None, Path, str]:
    """The base, its folder and its revision; where it was deleted or changed, the copy in the adapter's folder.

    The trainer copies only small bases (jobs/trainer).
    """
    model_id = adapter.model_id if adapter else request.model_id
    if adapter is None and model_id is None:
        raise Invalid("Choose a base model or an adapter.", "model_id")
    if adapter and request.model_id and request.model_id != model_id:
        raise Invalid("This adapter was made from another base. Leave the base out, or choose its own.", "model_id")
    try:
        model = visible_model(session, actor, model_id) if model_id else None
    except NotFound:
        if adapter is None:
            raise
        model = None
    changed = bool(adapter and model and model.revision and adapter.model_revision not in ("", model.revision))
    if model and not changed and model.status is ModelStatus.READY and model.path and Path(model.path).is_dir():
        return model, Path(model.path), model.revision
    bundled = adapter.folder / "base" if adapter else None
    if adapter and bundled and (bundled / "config.json").is_file():
        return model, bundled, adapter.model_revision
    if adapter and model and changed:
        raise Invalid(f"{model.name} holds other weights now than {adapter.name} was trained on.", "adapter_id")
    name = model.name if model else f"The base of {adapter.name}" if adapter else "The base"
    raise NotFound(f"{name} is not ready or was deleted. Register it again.", "model_id")


def _check_text(request: InferenceRequest, task: str) -> None:
    if max(len(request.prompt), len(request.query)) > MAX_TEXT:
        raise Invalid(f"A question may have at most {MAX_TEXT:,} characters.", "prompt")
    if len(request.system) + sum(len(turn.text) for turn in request.earlier) > _MAX_CHAT:
        raise Invalid(
            f"The turns before the question may have at most {_MAX_CHAT:,} characters together. Send fewer.", "messages"
        )
    if not 1 <= request.max_tokens <= MAX_ANSWER_TOKENS:
        raise Invalid(f"An answer may have 1 to {MAX_ANSWER_TOKENS} tokens.", "max_tokens")
    if len(request.stop) > MAX_STOPS or not all(1 <= len(stop) <= _MAX_STOP for stop in request.stop):
        raise Invalid(f"Send at most {MAX_STOPS} stop sequences of 1 to {_MAX_STOP} characters each.", "stop")
    if not 0 <= request.temperature <= 2:
        raise Invalid("The temperature is a number from 0 to 2; 0 takes the likeliest word each time.", "temperature")
    if not 0 <= request.top_p <= 1:
        raise Invalid("top_p is a number from 0 to 1.", "top_p")
    if task_spec(task).answer is AnswerKind.CLIPS and not request.query.strip():
        raise Invalid("Say in words what the clips should show.", "query")


def _dataset(session: Session, actor: Actor, dataset_id: int | None) -> Dataset:
    if dataset_id is None:
        raise Invalid("This model finds clips by a sentence. Choose the dataset to search.", "dataset_id")
    dataset = owned_dataset(session, actor, dataset_id)
    if not dataset.clip_count:
        raise Invalid(f"{dataset.name} has no clips to search. Choose another dataset.", "dataset_id")
    return dataset


def _clip(session: Session, actor: Actor, request: InferenceRequest, task: str, asked: str) -> ClipInput | None:
    """The clip with what is right for the question; None for one on the web, which the worker downloads."""
    given = [name for name in ("clip_id", "scratch_id", "url") if getattr(request, name)]
    if len(given) != 1:
        raise Invalid("Choose one clip: one of a dataset, or one of your own.", "clip_id")
    if request.url:
        if problem := http_problem(request.url):
            raise Invalid(problem, "video_url")
        return None
    if request.scratch_id:
        scratch = find_scratch(actor, request.scratch_id)
        return ClipInput(scratch.path, scratch.name)
    clip = owned_clip(session, actor, request.clip_id or 0)
    if clip.status is ClipStatus.BAD:
        raise Invalid(f"{clip.name} cannot be read: {clip.problem}", "clip_id")
    path = clip_media(session, actor, request.clip_id or 0)
    writes = task_spec(task).answer is AnswerKind.TEXT
    reference = clip.annotated.reference_for(asked) if writes else getattr(clip, task_spec(task).annotation)
    name, labels = clip.name.rpartition("/")[2], clip.annotated.labels
    return ClipInput(path, name, clip.content_hash, clip.id, reference, clip.span, labels)


def problem_record(error: Exception) -> dict[str, object]:
    """An error as the last record of an answer."""
    if isinstance(error, AppError):
        return {"problem": error.message, "status": error.status, "field": error.field}
    return {"problem": str(error), "status": 422, "field": ""}
