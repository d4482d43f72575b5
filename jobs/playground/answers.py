"""Answers one question step by step: find the clip, the model, ask it with and without its adapter, or search."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from jobs.families.protocol import Answer, Item, Question
from jobs.playground.bring import FetchedClip
from jobs.playground.search import search
from jobs.playground.shelf import Loaded, ModelCache
from jobs.playground.speakers import ADAPTER, BASE, answerers
from jobs.video.cache import ClipFile, FrameCache, Sampling
from jobs.video.decode import decode_frames
from orchestrator.domain.errors import NotFound
from orchestrator.domain.playground import InferenceMessage, InferenceRequest
from orchestrator.domain.tasks import AnswerKind, task_spec
from orchestrator.domain.users import Actor, User
from orchestrator.services.db import session_scope
from orchestrator.services.playground.questions import CheckedRequest, ClipInput, check_request
from orchestrator.settings import get_settings

Record = dict[str, Any]
"""{"stage": word} while it goes on, {"text": piece, "who": word}, last {"done": answer} or {"problem": sentence}."""
TOP = 5


@dataclass(frozen=True, slots=True)
class AnswerContext:
    """What questions share."""

    shelf: ModelCache


@dataclass(frozen=True, slots=True)
class Outlet:
    """The way back to whoever asked."""

    tell: Callable[[Record], None]
    """Sends a record at once."""
    is_abandoned: Callable[[], bool]
    """True when nobody waits for the answer any more."""


def answer(work: AnswerContext, letter: InferenceMessage, outlet: Outlet) -> Iterator[Record | None]:
    """Yields a record at each step, None while it waits for something.

    Raises:
        AppError, BadClip: with a sentence. Abandoned: nobody waits for the answer.
    """
    began = time.monotonic()
    actor, asked = _check(letter)
    wish = letter.request
    if wish.url:
        with FetchedClip(actor, wish.url) as brought:
            yield {"stage": "fetching"}
            while not brought.done:
                yield None
            asked = replace(asked, clip=brought.clip())
            yield from _answer(work, asked, wish, outlet, began)
    else:
        yield from _answer(work, asked, wish, outlet, began)


def _answer(
    work: AnswerContext, asked: CheckedRequest, wish: InferenceRequest, outlet: Outlet, began: float
) -> Iterator[Record | None]:
    loaded, cold = work.shelf.find(asked), 0.0
    if loaded is None:
        yield {"stage": "loading"}
        loaded = work.shelf.load(asked)
        cold = loaded.load_ms
    yield {"stage": "looking"}
    if task_spec(asked.task).answer is AnswerKind.CLIPS:
        for record in search(loaded, asked, wish):
            yield record if "answers" not in record else {"done": _done(asked, loaded, record, cold, began)}
        return
    assert asked.clip is not None
    sampling = loaded.family.sampling(loaded.plan.base, loaded.plan.recipe)
    items = [_item(asked.clip, sampling)]
    answers: list[Record] = []
    for who, as_it in answerers(loaded, asked, wish):
        question = _question(wish, outlet, who, streams=wish.stream and who == _main(asked))
        start = time.monotonic()
        with as_it():
            [said] = loaded.family.predict(loaded.plan, loaded.model, items, question)
        answers.append(_answer_record(who, said, start))
        yield {"stage": "answering"}
    found = {"answers": answers, "frames": sampling.count, "size": list(items[0]["frames"].shape[1:3])}
    yield {"done": _done(asked, loaded, found, cold, began)}


def _check(letter: InferenceMessage) -> tuple[Actor, CheckedRequest]:
    """Whose question it is, and what its ids mean, by the ledger of this moment."""
    with session_scope() as session:
        user = session.get(User, letter.user_id)
        if user is None:
            raise NotFound("There is no such account any more.")
        actor = Actor(letter.user_id, user.username, user.email, user.role)
        return actor, check_request(session, actor, letter.request)


def _item(clip: ClipInput, sampling: Sampling) -> Item:
    """The clip as the trainer's datasets hand it over; what was dropped leaves nothing in the cache."""
    if clip.content_hash:
        cache = FrameCache(get_settings().data_dir / "cache" / "frames", sampling, get_settings().cache_bytes)
        frames = cache.frames(ClipFile(clip.path, clip.content_hash, clip.name))
    else:
        how = sampling
        frames = decode_frames(clip.path, how.count, dict(how.size), how.crop, how.fps, how.resample, clip.name)
    captions = [line.strip() for line in clip.reference.splitlines() if line.strip()]
    return {
        "frames": frames,
        "label": -1,
        "captions": captions,
        "clip_id": clip.clip_id or 0,
        "training": False,
        "seed": (0, 0),
    }


def _question(wish: InferenceRequest, outlet: Outlet, who: str, streams: bool) -> Question:
    return Question(
        text=wish.prompt.strip(),
        max_new_tokens=wish.max_tokens,
        on_token=(lambda piece: outlet.tell({"text": piece, "who": who})) if streams else None,
        system=wish.system,
        earlier=wish.earlier,
        stop=wish.stop,
        temperature=wish.temperature,
        top_p=wish.top_p,
        seed=wish.seed,
        is_abandoned=outlet.is_abandoned,
    )


def _main(asked: CheckedRequest) -> str:
    return ADAPTER if asked.adapter else BASE


def _answer_record(who: str, said: Answer, start: float) -> Record:
    probabilities = [{"label": name, "probability": round(share, 4)} for name, share in said.probabilities[:TOP]]
    record: Record = {"who": who, "ms": round(1000 * (time.monotonic() - start), 1)}
    if said.probabilities:
        return record | {"labels": probabilities, "classes": len(said.probabilities)}
    return record | {
        "text": said.text,
        "finish_reason": said.finish_reason,
        "prompt_tokens": said.prompt_tokens,
        "completion_tokens": said.completion_tokens,
    }


def _done(asked: CheckedRequest, loaded: Loaded, found: Record, cold: float, began: float) -> Record:
    clip = asked.clip
    return {
        "task": asked.task,
        "model": {"id": asked.model_id, "name": asked.model_name},
        "adapter": {"id": asked.adapter.id, "name": asked.adapter.name} if asked.adapter else None,
        "clip": {"id": clip.clip_id, "name": clip.name, "reference": clip.reference} if clip else None,
        "load_ms": round(cold, 1),
        "ms": round(1000 * (time.monotonic() - began), 1),
        "device": loaded.plan.device,
        **found,
    }
