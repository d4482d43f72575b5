"""CIDEr-D of sentences that are worked out by hand, and its known properties."""

import math

import pytest

from jobs.families.cider import cider_d


def test_two_clips_by_hand() -> None:
    """Two clips, so that a word of one clip weighs log 2 and a word of both nothing.

    "a cat" against "a cat": 1 word (cat) and the run (a cat) weigh log 2 each, nothing else; both cosines are 1, the
    lengths 3 and 4 have none. "a bird" against "a dog runs": the word that counts is not there.
    """
    scores = cider_d(["a cat", "a bird"], [["a cat"], ["a dog runs"]])
    assert scores == pytest.approx([10 * (1 + 1 + 0 + 0) / 4, 0.0])


def test_the_length_costs() -> None:
    """ "cat cat cat" against "cat": clipped to one cat, 1 * 1 / (3 * 1), and two runs of two words more than none."""
    scores = cider_d(["cat cat cat", "dog"], [["cat"], ["dog"]])
    assert scores[0] == pytest.approx(10 * (1 / 3) / 4 * math.exp(-(2**2) / (2 * 6**2)))
    assert scores[1] == pytest.approx(10 / 4)


def test_several_references_are_averaged() -> None:
    both = cider_d(["red box", "x"], [["red box", "green ring"], ["blue disc"]])[0]
    assert both == pytest.approx(cider_d(["red box", "x"], [["red box"], ["blue disc"]])[0] / 2)


def test_case_and_punctuation_do_not_matter() -> None:
    assert cider_d(["A cat, sits.", "x"], [["a cat sits"], ["y"]]) == cider_d(
        ["a cat sits", "x"], [["a cat sits"], ["y"]]
    )
    assert cider_d([], []) == []
    assert cider_d(["", "x"], [["a"], ["b"]])[0] == 0.0
    assert cider_d(["one"], [["one"]]) == [0.0], "a word of every clip says nothing"
