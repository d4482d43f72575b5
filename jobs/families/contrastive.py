"""Clips and sentences in one space: the loss that pulls pairs together, and the ranks that judge a retriever."""

import re
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

_NOT_WORDS = re.compile(r"[\W_]+")
_WORST = -1e4
RECALLS = (1, 5, 10)


def normalize_caption(sentence: str) -> str:
    """A sentence without capitals and punctuation: what makes two captions the same."""
    return _NOT_WORDS.sub(" ", sentence.casefold()).strip()


def shared_captions(captions: Sequence[Sequence[str]]) -> NDArray[np.bool_]:
    """(B, B): True where two clips share a caption, so that neither's sentence is wrong for the other."""
    known = [frozenset(map(normalize_caption, lines)) for lines in captions]
    fits = np.array([[bool(one & other) for other in known] for one in known], bool)
    np.fill_diagonal(fits, True)
    return fits


def softmax_loss(scores: torch.Tensor, same: torch.Tensor) -> torch.Tensor:
    """Cross entropy both ways over (B, B) scores, sentences by clips (van den Oord et al. 2018, Radford et al. 2021).

    A clip that the sentence describes as well is left out of its rivals.
    """
    right = torch.arange(len(scores), device=scores.device)
    others = same & ~torch.eye(len(scores), dtype=torch.bool, device=scores.device)
    scores = scores.masked_fill(others, _WORST)
    return (functional.cross_entropy(scores, right) + functional.cross_entropy(scores.T, right)) / 2


def sigmoid_loss(scores: torch.Tensor, same: torch.Tensor) -> torch.Tensor:
    """Each pair is judged by itself (Zhai et al. 2023); a clip that the sentence describes as well counts as right."""
    wanted = same.float() * 2 - 1
    return -functional.logsigmoid(wanted * scores).sum(-1).mean()


def ranks_of_matches(scores: NDArray[np.floating], right: NDArray[np.bool_]) -> NDArray[np.int64]:
    """(K,) place, from 1, of the best right clip of each sentence; a tie with a wrong clip counts as lost.

    Args:
        scores: (K, N), sentences by clips.
        right: (K, N), True where the clip is a right answer; at least one a row.
    """
    best = np.where(right, scores, -np.inf).max(1, keepdims=True)
    return 1 + ((scores >= best) & ~right).sum(1)


def retrieval_metrics(places: NDArray[np.int64]) -> dict[str, float]:
    """R@1, R@5, R@10 and the median rank."""
    values = {f"eval_r{at}": float((places <= at).mean()) for at in RECALLS}
    return values | {"eval_median_rank": float(np.median(places))}
