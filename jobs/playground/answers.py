"""Answers one question step by step: get the clip, load the model, run it with and without its adapter, or search."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from jobs.families.multi_label import THRESHOLD
from jobs.families.protocol import Answer, Item, Question
from jobs.playground.answerers import ADAPTER, BASE, answerers
from jobs.playground.fetched_clip import FetchedClip
from jobs.playground.model_cache import Loaded, ModelCache
from jobs.playground.search import search
from jobs.video.cache import ClipFile, ClipSampling, FrameCache
from orchestrator.domain.errors import NotFound
from orchestrator.domain.playground import InferenceMessage, InferenceRequest
from orchestrator.domain.tasks import AnswerKind, ProblemType, task_spec
from orchestrator.domain.users import Actor, User
from orchestrator.services.db import session_scope
from orchestrator.services.playground.questions import CheckedRequest, ClipInput, check_request
from orchestrator.settings import get_settings

Record = dict[str, Any]
"""{"stage": name}, {"text": piece, "who": answerer}; the last one {"done": answer} or {"problem": sentence}."""
TOP, _MAX_LABELS = 5, 50
"""Classes of an answer: the likeliest, and as many more as may reach the threshold where a clip may have several."""


@dataclass(frozen=True, slots=True)
class AnswerContext:
    """What all questions share."""

    models: ModelCache


@dataclass(frozen=True, slots=True)
class ReplyChannel:
    """The connection to the client that asked."""

    send: Callable[[Record], None]
    """Sends a record at once."""
    is_abandoned: Callable[[], bool]
    """True when the client does not wait for the answer any more."""


def answer(context: AnswerContext, message: InferenceMessage, reply: ReplyChannel) -> Iterator[Record | None]:
    """Yields a record at each step, None while it waits for a download.

    Raises:
        AppError, BadClip: with a sentence. Abandoned: the client does not wait for the answer any more.
    """
    started = time.monotonic()
    actor, checked = _check(message)
    request = message.request
    if request.url:
        with FetchedClip(actor, request.url) as fetched:
            yield {"stage": "fetching"}
            while not fetched.done:
                yield None
            checked = replace(checked, clip=fetched.clip())
            yield from _answer(context, checked, request, reply, started)
    else:
        yield from _answer(context, checked, request, reply, started)


def _answer(
    context: AnswerContext, checked: CheckedRequest, request: InferenceRequest, reply: ReplyChannel, started: float
) -> Iterator[Record | None]:
    loaded, load_ms = context.models.find(checked), 0.0
    if loaded is None:
        yield {"stage": "loading"}
        loaded = context.models.load(checked)
        load_ms = loaded.load_ms
    yield {"stage": "looking"}
    if task_spec(checked.task).answer is AnswerKind.CLIPS:
        for record in search(loaded, checked, request):
            yield record if "answers" not in record else {"done": _done(checked, loaded, record, load_ms, started)}
        return
    assert checked.clip is not None
    sampling = loaded.family.sampling(loaded.plan.base, loaded.plan.recipe)
    items = [_item(checked.clip, sampling)]
    answers: list[Record] = []
    for who, activate in answerers(loaded, checked, request):
        question = _question(request, reply, who, streams=request.stream and who == _main_answerer(checked))
        start = time.monotonic()
        with activate():
            [prediction] = loaded.family.predict(loaded.plan, loaded.model, items, question)
        answers.append(_answer_record(who, prediction, start))
        yield {"stage": "answering"}
    result = {"answers": answers, "frames": len(items[0]["frames"]), "size": list(items[0]["frames"].shape[1:3])}
    yield {"done": _done(checked, loaded, result, load_ms, started)}


def _check(message: InferenceMessage) -> tuple[Actor, CheckedRequest]:
    """The user who asked, and the records of the ids in the question, as the database has them now."""
    with session_scope() as session:
        user = session.get(User, message.user_id)
        if user is None:
            raise NotFound("There is no such account any more.")
        actor = Actor(message.user_id, user.username, user.email, user.role)
        return actor, check_request(session, actor, message.request)


def _item(clip: ClipInput, sampling: ClipSampling) -> Item:
    """The clip as an item of the trainer's datasets. Clips outside of datasets are not written to the frame cache."""
    file = ClipFile(clip.path, clip.content_hash, clip.name, clip.span)
    if clip.content_hash:
        cache = FrameCache(get_settings().cache_folder / "frames", sampling, get_settings().cache_bytes)
        frames, timing = cache.timed_frames(file)
    else:
        frames, timing = sampling.decode(file)
    return {
        "frames": frames,
        "timing": timing,
        "label": -1,
        "captions": [clip.reference] if clip.reference else [],
        "clip_id": clip.clip_id or 0,
        "training": False,
        "seed": (0, 0),
    }


def _question(request: InferenceRequest, reply: ReplyChannel, who: str, streams: bool) -> Question:
    return Question(
        text=request.prompt.strip(),
        max_new_tokens=request.max_tokens,
        on_token=(lambda piece: reply.send({"text": piece, "who": who})) if streams else None,
        system=request.system,
        earlier=request.earlier,
        stop=request.stop,
        temperature=request.temperature,
        top_p=request.top_p,
        seed=request.seed,
        is_abandoned=reply.is_abandoned,
    )


def _main_answerer(checked: CheckedRequest) -> str:
    return ADAPTER if checked.adapter else BASE


def _answer_record(who: str, prediction: Answer, start: float) -> Record:
    shown = max(TOP, min(_MAX_LABELS, sum(share >= THRESHOLD for _, share in prediction.probabilities)))
    count = shown if prediction.problem_type is ProblemType.MULTI_LABEL else TOP
    probabilities = [
        {"label": name, "probability": round(share, 4)} for name, share in prediction.probabilities[:count]
    ]
    record: Record = {"who": who, "ms": round(1000 * (time.monotonic() - start), 1)}
    if prediction.probabilities:
        classes = len(prediction.probabilities)
        return record | {"labels": probabilities, "classes": classes, "problem_type": prediction.problem_type.value}
    return record | {
        "text": prediction.text,
        "finish_reason": prediction.finish_reason,
        "prompt_tokens": prediction.prompt_tokens,
        "completion_tokens": prediction.completion_tokens,
    }


def _clip_record(clip: ClipInput) -> Record:
    return {"id": clip.clip_id, "name": clip.name, "reference": clip.reference, "labels": list(clip.labels)}


def _done(checked: CheckedRequest, loaded: Loaded, result: Record, load_ms: float, started: float) -> Record:
    clip = checked.clip
    return {
        "task": checked.task,
        "model": {"id": checked.model_id, "name": checked.model_name},
        "adapter": {"id": checked.adapter.id, "name": checked.adapter.name} if checked.adapter else None,
        "clip": _clip_record(clip) if clip else None,
        "load_ms": round(load_ms, 1),
        "ms": round(1000 * (time.monotonic() - started), 1),
        "device": loaded.plan.device,
        **result,
    }
