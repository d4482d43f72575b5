"""Finds clips of a dataset by a sentence: each clip is looked at once a model, and remembered from then on."""

import heapq
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import torch
from sqlmodel import col, select

from jobs.families.protocol import Item, Searcher
from jobs.playground.memory import FeatureStore, key_of
from jobs.playground.shelf import Loaded
from jobs.playground.speakers import answerers
from jobs.video.cache import ClipFile, FrameCache
from jobs.video.source import BadClip
from orchestrator.domain.datasets import Clip, ClipStatus
from orchestrator.domain.errors import Invalid
from orchestrator.domain.playground import SEARCH_RESULTS, InferenceRequest
from orchestrator.services.db import session_scope
from orchestrator.services.playground.questions import CheckedRequest
from orchestrator.settings import get_settings

Record = dict[str, Any]
_AT_ONCE = 16


def search(loaded: Loaded, asked: CheckedRequest, wish: InferenceRequest) -> Iterator[Record]:
    """Yields how far it is, and at the end {"answers": [...]}: with and without the adapter, the best clips first."""
    clips = _clips(asked.dataset_id or 0)
    sampling = loaded.family.sampling(loaded.plan.base, loaded.plan.recipe)
    answers: list[Record] = []
    left_out = 0
    for who, as_it in answerers(loaded, asked, wish):
        start = time.monotonic()
        memory = FeatureStore(key_of(asked, who, sampling))
        fresh = [clip for clip in clips if clip.content_hash not in memory]
        for at in range(0, len(fresh), _AT_ONCE):
            yield {"progress": [at, len(fresh)], "who": who}
            with as_it():
                left_out += _embed_clips(loaded, fresh[at : at + _AT_ONCE], memory, sampling)
        known = [clip for clip in clips if clip.content_hash in memory]
        if not known:
            raise Invalid("No clip of this dataset can be decoded. Its doctor says why.", "dataset_id")
        with as_it():
            features = memory.features([clip.content_hash for clip in known])
            scores = cast(Searcher, loaded.family).score_clips(loaded.plan, loaded.model, wish.query.strip(), features)
        answers.append(_search_record(who, known, scores, start, len(fresh)))
    yield {"answers": answers, "searched": len(clips) - left_out, "left_out": left_out, "frames": sampling.count}


def _clips(dataset_id: int) -> list[Clip]:
    good = (Clip.dataset_id == dataset_id, Clip.status == ClipStatus.OK)
    with session_scope() as session:
        found = list(session.exec(select(Clip).where(*good).order_by(col(Clip.id))))
    if not found:
        raise Invalid("This dataset has no good clips to search. Its doctor says why.", "dataset_id")
    return found


def _embed_clips(loaded: Loaded, clips: list[Clip], memory: FeatureStore, sampling: Any) -> int:
    """Shows some clips to the model and remembers what it says of them; how many could not be decoded."""
    settings = get_settings()
    cache = FrameCache(settings.data_dir / "cache" / "frames", sampling, settings.cache_bytes)
    items: list[Item] = []
    hashes: list[str] = []
    for clip in clips:
        path = Path(clip.path) if Path(clip.path).is_absolute() else settings.storage_dir / clip.path
        try:
            frames = cache.frames(ClipFile(path, clip.content_hash, clip.name))
        except BadClip:
            continue
        items.append(
            {"frames": frames, "label": -1, "captions": [], "clip_id": clip.id, "training": False, "seed": (0, 0)}
        )
        hashes.append(clip.content_hash)
    if items:
        with torch.no_grad():
            features = cast(Searcher, loaded.family).embed_clips(loaded.plan, loaded.model, items)
        memory.keep(hashes, features)
    return len(clips) - len(items)


def _search_record(who: str, clips: list[Clip], scores: list[float], start: float, looked: int) -> Record:
    best = heapq.nlargest(SEARCH_RESULTS, range(len(scores)), key=scores.__getitem__)
    found = [
        {
            "clip_id": clips[at].id,
            "name": clips[at].name.rpartition("/")[2],
            "caption": (clips[at].caption or clips[at].label).partition("\n")[0],
            "score": round(scores[at], 4),
        }
        for at in best
    ]
    return {"who": who, "ms": round(1000 * (time.monotonic() - start), 1), "clips": found, "looked_at": looked}
