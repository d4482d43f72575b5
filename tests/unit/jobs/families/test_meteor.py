"""METEOR by hand: matched words, their order, and words with the same stem."""

import pytest

from jobs.families.meteor import meteor


def test_matches_and_chunks() -> None:
    """Five of six words in two chunks: P = R = 5/6, and the penalty 0.5 * (2/5)^3 (Lavie and Agarwal 2007)."""
    assert meteor("the cat sat on the mat", ["on the mat sat a cat"]) == pytest.approx(
        _score(matches=5, words=6, reference=6, chunks=3)
    )
    assert meteor("a man is running", ["A man is running."]) == pytest.approx(1 - 0.5 / 4**3)
    assert meteor("nothing fits", ["a red ring"]) == 0.0
    assert meteor("", ["a red ring"]) == 0.0


def test_stems_match_and_the_best_reference_counts() -> None:
    assert meteor("he jumps", ["he jumping"]) == pytest.approx(1 - 0.5 / 2**3)
    assert meteor("a red ring", ["green", "a red ring"]) == meteor("a red ring", ["a red ring"])


def _score(matches: int, words: int, reference: int, chunks: int) -> float:
    precision, recall = matches / words, matches / reference
    mean = precision * recall / (0.9 * precision + 0.1 * recall)
    return mean * (1 - 0.5 * (chunks / matches) ** 3)
