"""Searches the clips of a dataset by a sentence: each model encodes each clip once, and its features are stored."""

import heapq
import time
from collections.abc import Iterator
from typing import Any, cast

import torch
from sqlmodel import col, select

from jobs.families.protocol import Item, Searcher
from jobs.playground.answerers import answerers
from jobs.playground.feature_store import FeatureStore, key_of
from jobs.playground.model_cache import Loaded
from jobs.video.cache import ClipFile, FrameCache
from jobs.video.source import BadClip
from orchestrator.domain.datasets import Clip, ClipStatus
from orchestrator.domain.errors import Invalid
from orchestrator.domain.playground import SEARCH_RESULTS, InferenceRequest
from orchestrator.services.db import session_scope
from orchestrator.services.playground.questions import CheckedRequest
from orchestrator.settings import get_settings

Record = dict[str, Any]
_BATCH = 16


def search(loaded: Loaded, checked: CheckedRequest, request: InferenceRequest) -> Iterator[Record]:
    """Yields its progress, and at the end {"answers": [...]}: with and without the adapter, the best clips first."""
    clips = _clips(checked.dataset_id or 0)
    sampling = loaded.family.sampling(loaded.plan.base, loaded.plan.recipe)
    answers: list[Record] = []
    undecodable = 0
    family = cast(Searcher, loaded.family)
    for who, activate in answerers(loaded, checked, request):
        start = time.monotonic()
        store = FeatureStore(key_of(checked, who, sampling))
        missing = [clip for clip in clips if _file_of(clip).identity not in store]
        for at in range(0, len(missing), _BATCH):
            yield {"progress": [at, len(missing)], "who": who}
            with activate():
                undecodable += _embed_clips(loaded, missing[at : at + _BATCH], store, sampling)
        known = [clip for clip in clips if _file_of(clip).identity in store]
        if not known:
            raise Invalid("No clip of this dataset can be decoded. Its doctor says why.", "dataset_id")
        with activate():
            features = store.features([_file_of(clip).identity for clip in known])
            scores = family.score_clips(loaded.plan, loaded.model, request.query.strip(), features)
        answers.append(_search_record(who, known, scores, start, len(missing)))
    yield {"answers": answers, "searched": len(clips) - undecodable, "left_out": undecodable, "frames": sampling.count}


def _clips(dataset_id: int) -> list[Clip]:
    usable = (Clip.dataset_id == dataset_id, Clip.status == ClipStatus.OK)
    with session_scope() as session:
        clips = list(session.exec(select(Clip).where(*usable).order_by(col(Clip.id))))
    if not clips:
        raise Invalid("This dataset has no good clips to search. Its doctor says why.", "dataset_id")
    return clips


def _file_of(clip: Clip) -> ClipFile:
    return ClipFile(get_settings().storage_dir / clip.path, clip.content_hash, clip.name, clip.span)


def _embed_clips(loaded: Loaded, clips: list[Clip], store: FeatureStore, sampling: Any) -> int:
    """Computes and stores the features of some clips; returns how many could not be decoded."""
    settings = get_settings()
    cache = FrameCache(settings.cache_folder / "frames", sampling, settings.cache_bytes)
    items: list[Item] = []
    hashes: list[str] = []
    for clip in clips:
        try:
            frames = cache.frames(_file_of(clip))
        except BadClip:
            continue
        items.append(
            {"frames": frames, "label": -1, "captions": [], "clip_id": clip.id, "training": False, "seed": (0, 0)}
        )
        hashes.append(_file_of(clip).identity)
    if items:
        with torch.no_grad():
            features = cast(Searcher, loaded.family).embed_clips(loaded.plan, loaded.model, items)
        store.add(hashes, features)
    return len(clips) - len(items)


def _search_record(who: str, clips: list[Clip], scores: list[float], start: float, encoded: int) -> Record:
    best = heapq.nlargest(SEARCH_RESULTS, range(len(scores)), key=scores.__getitem__)
    results = [
        {
            "clip_id": clips[at].id,
            "name": clips[at].name.rpartition("/")[2],
            "caption": (clips[at].caption or clips[at].label).partition("\n")[0],
            "score": round(scores[at], 4),
        }
        for at in best
    ]
    return {"who": who, "ms": round(1000 * (time.monotonic() - start), 1), "clips": results, "looked_at": encoded}
