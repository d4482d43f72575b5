"""95 % intervals of metrics by the bootstrap (Efron 1979): percentiles over seeded resamples of the judged clips."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

RESAMPLES = 1_000
_SEED = 20
_TAILS = (2.5, 97.5)
_BLOCK = 4_000_000
"""Drawn numbers that are held at a time."""

Interval = tuple[float, float]


def mean_intervals(scores: Mapping[str, Sequence[float] | NDArray[np.floating]]) -> dict[str, Interval]:
    """The interval of each mean, from the score of each clip or question; all lists have one length.

    Args:
        scores: by metric; an empty list has no interval.
    """
    values = {name: np.asarray(of_clips, float) for name, of_clips in scores.items() if len(of_clips)}
    if not values:
        return {}
    matrix = np.stack(list(values.values()), 1)
    count, generator = len(matrix), np.random.default_rng(_SEED)
    block = max(1, _BLOCK // count)
    means = [
        matrix[generator.integers(count, size=(min(block, RESAMPLES - start), count))].mean(1)
        for start in range(0, RESAMPLES, block)
    ]
    return dict(zip(values, percentiles(np.concatenate(means)), strict=True))


def resampled_matrices(matrix: NDArray[np.int64]) -> NDArray[np.int64]:
    """(`RESAMPLES`, classes, classes) confusion matrices of resampled clips."""
    total = int(matrix.sum())
    drawn = np.random.default_rng(_SEED).multinomial(total, matrix.ravel() / total, size=RESAMPLES)
    return drawn.reshape(RESAMPLES, *matrix.shape)


def percentiles(resamples: NDArray[np.floating]) -> list[Interval]:
    """(`RESAMPLES`, metrics) values to the interval of each metric."""
    low, high = np.percentile(resamples, _TAILS, axis=0)
    return [(round(float(a), 4), round(float(b), 4)) for a, b in zip(low, high, strict=True)]
