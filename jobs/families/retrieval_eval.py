"""Asks a retriever for each held-out clip by its caption, among all of them, and says where it came."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from jobs.families.contrastive import normalize_caption, ranks_of_matches, retrieval_metrics
from jobs.families.dual_encoder import Features, Towers
from jobs.families.pixels import ClipNormalizer
from jobs.families.protocol import Items, Score
from jobs.families.tokenization import CaptionTokenizer
from orchestrator.domain.run_summary import FoundClip, Prediction, RunSummary

_AT_ONCE = 16
"""Clips, and sentences, that go through a tower together."""
_SHOWN = 5
"""Clips of an answer that the job's page shows."""


@dataclass(frozen=True, slots=True)
class ClipPool:
    """N clips: what their tower says of them, what people say of them, which they are."""

    features: Features
    captions: tuple[tuple[str, ...], ...]
    clip_ids: tuple[int, ...]


def unwrap_adapters(model: Any) -> Towers:
    """The towers within the adapters."""
    return model.get_base_model() if hasattr(model, "get_base_model") else model


def embed_pool(towers: Towers, pixels: ClipNormalizer, held: Items, count: int, device: str) -> ClipPool:
    """The first `count` clips through their tower, a few at a time."""
    parts: list[Features] = []
    captions: list[tuple[str, ...]] = []
    clip_ids: list[int] = []
    for start in range(0, count, _AT_ONCE):
        items = [held[index] for index in range(start, min(count, start + _AT_ONCE))]
        parts.append(towers.clips(pixels.normalize(items).to(device)))
        captions += [tuple(item["captions"]) for item in items]
        clip_ids += [int(item["clip_id"]) for item in items]
    features = tuple(torch.cat(tensors) for tensors in zip(*parts, strict=True))
    return ClipPool(features, tuple(captions), tuple(clip_ids))


def score_pool_captions(
    towers: Towers, caption_tokenizer: CaptionTokenizer, pool: ClipPool, device: str
) -> NDArray[np.float32]:
    """(N, N) scores: each clip's first caption against every clip."""
    return score_queries(towers, caption_tokenizer, [lines[0] for lines in pool.captions], pool.features, device)


def score_queries(
    towers: Towers, caption_tokenizer: CaptionTokenizer, queries: Sequence[str], features: Features, device: str
) -> NDArray[np.float32]:
    """(K, N) scores of K sentences against N clips whose features are known."""
    rows = []
    for start in range(0, len(queries), _AT_ONCE):
        tokens = caption_tokenizer(queries[start : start + _AT_ONCE])
        read = towers.sentences(**{name: tokens[name].to(device) for name in towers.sees if name in tokens})
        rows.append(towers.scores(read, features).float().cpu().numpy())
    return np.concatenate(rows)


def evaluate_pool(pool: ClipPool, scores: NDArray[np.float32]) -> Score:
    """Recalls and median rank; for each sentence the clips that came first."""
    told: dict[str, list[int]] = defaultdict(list)
    for index, lines in enumerate(pool.captions):
        for line in {normalize_caption(line) for line in lines}:
            told[line].append(index)
    right = np.zeros(scores.shape, bool)
    for row, lines in enumerate(pool.captions):
        right[row, told[normalize_caption(lines[0])]] = True
    places = ranks_of_matches(scores, right)
    clips = []
    for row, lines in enumerate(pool.captions):
        first = np.argsort(-scores[row], kind="stable")[:_SHOWN]
        top = [
            FoundClip(clip_id=pool.clip_ids[at], score=round(float(scores[row, at]), 4), right=bool(right[row, at]))
            for at in first.tolist()
        ]
        best = pool.captions[int(first[0])][0]
        clips.append(Prediction(reference=lines[0], predicted=best, rank=int(places[row]), top=top))
    return Score(retrieval_metrics(places), clips, RunSummary(pool=len(clips)))
