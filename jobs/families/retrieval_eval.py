"""Evaluates a retriever: each validation clip is searched by its captions, and each caption by its clip."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from jobs.families.contrastive import RECALLS, normalize_caption, ranks_of_matches, retrieval_metrics
from jobs.families.dual_encoder import Features, Towers
from jobs.families.intervals import mean_intervals
from jobs.families.pixels import ClipNormalizer
from jobs.families.protocol import Items, Score
from jobs.families.tokenization import CaptionTokenizer
from orchestrator.domain.run_summary import FoundClip, Prediction, RunSummary

_BATCH = 16
"""Clips, or sentences, that are encoded together."""
_TOP = 5
"""Results of a search that the job's page shows."""


@dataclass(frozen=True, slots=True)
class ClipPool:
    """N clips to search in."""

    features: Features
    captions: tuple[tuple[str, ...], ...]
    clip_ids: tuple[int, ...]


def unwrap_adapters(model: Any) -> Towers:
    """The model inside PEFT's wrapper, where it has one."""
    return model.get_base_model() if hasattr(model, "get_base_model") else model


def embed_pool(towers: Towers, normalizer: ClipNormalizer, validation: Items, count: int, device: str) -> ClipPool:
    """Encodes the first `count` clips in small batches."""
    parts: list[Features] = []
    captions: list[tuple[str, ...]] = []
    clip_ids: list[int] = []
    for start in range(0, count, _BATCH):
        items = [validation[index] for index in range(start, min(count, start + _BATCH))]
        parts.append(towers.encode_clips(normalizer.normalize(items).to(device)))
        captions += [tuple(item["captions"]) for item in items]
        clip_ids += [int(item["clip_id"]) for item in items]
    features = tuple(torch.cat(tensors) for tensors in zip(*parts, strict=True))
    return ClipPool(features, tuple(captions), tuple(clip_ids))


def score_pool_captions(
    towers: Towers, tokenizer: CaptionTokenizer, pool: ClipPool, device: str
) -> NDArray[np.float32]:
    """(K, N) scores of every caption of every clip, in their order, against every clip."""
    captions = [caption for of_clip in pool.captions for caption in of_clip]
    return score_queries(towers, tokenizer, captions, pool.features, device)


def score_queries(
    towers: Towers, tokenizer: CaptionTokenizer, queries: Sequence[str], features: Features, device: str
) -> NDArray[np.float32]:
    """(K, N) scores of K sentences against N encoded clips."""
    rows = []
    for start in range(0, len(queries), _BATCH):
        tokens = tokenizer(queries[start : start + _BATCH])
        inputs = {name: tokens[name].to(device) for name in towers.text_inputs if name in tokens}
        rows.append(towers.similarity(towers.encode_texts(**inputs), features).float().cpu().numpy())
    return np.concatenate(rows)


def evaluate_pool(pool: ClipPool, scores: NDArray[np.float32]) -> Score:
    """Recalls in both directions with all captions of a clip, and for its first caption the clips with the best scores.

    Clips are searched by each caption (R@k, median rank), and captions by each clip (`eval_clip_r1`, ...), where the
    best of its captions counts. A caption that several clips share is right for each of them.

    Args:
        scores: (K, N), as `score_pool_captions` returns them.
    """
    clips_with: dict[str, list[int]] = defaultdict(list)
    for index, captions in enumerate(pool.captions):
        for caption in {normalize_caption(caption) for caption in captions}:
            clips_with[caption].append(index)
    matches = np.zeros(scores.shape, bool)
    firsts: list[int] = []
    row = 0
    for captions in pool.captions:
        firsts.append(row)
        for caption in captions:
            matches[row, clips_with[normalize_caption(caption)]] = True
            row += 1
    ranks = ranks_of_matches(scores, matches)
    results = []
    for row, captions in zip(firsts, pool.captions, strict=True):
        best = np.argsort(-scores[row], kind="stable")[:_TOP]
        top = [
            FoundClip(clip_id=pool.clip_ids[at], score=round(float(scores[row, at]), 4), right=bool(matches[row, at]))
            for at in best.tolist()
        ]
        predicted = pool.captions[int(best[0])][0]
        results.append(Prediction(reference=captions[0], predicted=predicted, rank=int(ranks[row]), top=top))
    of_clips = ranks_of_matches(scores.T, matches.T)
    found = {f"eval_clip_r{at}": (of_clips <= at).astype(float) for at in RECALLS}
    values = retrieval_metrics(ranks) | {name: float(hits.mean()) for name, hits in found.items()}
    intervals = mean_intervals({f"eval_r{at}": (ranks <= at).astype(float) for at in RECALLS}) | mean_intervals(found)
    return Score(values, results, RunSummary(pool=len(results), intervals=intervals))
