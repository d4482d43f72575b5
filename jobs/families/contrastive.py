"""Clips and captions in one embedding space: contrastive losses, and the metrics of retrieval."""

import re
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

_NOT_WORDS = re.compile(r"[\W_]+")
_MASKED_SCORE = -1e4
RECALLS = (1, 5, 10)


def normalize_caption(caption: str) -> str:
    """Lower case and without punctuation: two captions with the same result count as the same."""
    return _NOT_WORDS.sub(" ", caption.casefold()).strip()


def shared_captions(captions: Sequence[Sequence[str]]) -> NDArray[np.bool_]:
    """(B, B): True where two clips share a caption, so that neither is a negative for the other."""
    normalized = [frozenset(map(normalize_caption, of_clip)) for of_clip in captions]
    shared = np.array([[bool(one & other) for other in normalized] for one in normalized], bool)
    np.fill_diagonal(shared, True)
    return shared


def softmax_loss(scores: torch.Tensor, same: torch.Tensor) -> torch.Tensor:
    """Symmetric cross entropy over the scores of a batch (van den Oord et al. 2018, Radford et al. 2021).

    Args:
        scores: (B, B), captions by clips.
        same: (B, B), True where the caption describes the clip; those off the diagonal are no negatives.
    """
    diagonal = torch.arange(len(scores), device=scores.device)
    others = same & ~torch.eye(len(scores), dtype=torch.bool, device=scores.device)
    scores = scores.masked_fill(others, _MASKED_SCORE)
    return (functional.cross_entropy(scores, diagonal) + functional.cross_entropy(scores.T, diagonal)) / 2


def sigmoid_loss(scores: torch.Tensor, same: torch.Tensor) -> torch.Tensor:
    """Binary cross entropy of each pair separately (Zhai et al. 2023); arguments as of `softmax_loss`."""
    signs = same.float() * 2 - 1
    return -functional.logsigmoid(signs * scores).sum(-1).mean()


def ranks_of_matches(scores: NDArray[np.floating], matches: NDArray[np.bool_]) -> NDArray[np.int64]:
    """(K,) rank, from 1, of the best matching clip of each sentence; a tie with a wrong clip counts as lost.

    Args:
        scores: (K, N), sentences by clips.
        matches: (K, N), True where the clip is a right answer; at least one a row.
    """
    best = np.where(matches, scores, -np.inf).max(1, keepdims=True)
    return 1 + ((scores >= best) & ~matches).sum(1)


def retrieval_metrics(ranks: NDArray[np.int64]) -> dict[str, float]:
    """R@1, R@5, R@10 (shares from 0 to 1) and the median rank."""
    values = {f"eval_r{at}": float((ranks <= at).mean()) for at in RECALLS}
    return values | {"eval_median_rank": float(np.median(ranks))}
