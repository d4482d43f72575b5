"""Clips with the same caption are no negatives of each other, and ties count against the retriever."""

import math

import numpy as np
import pytest
import torch

from jobs.families.contrastive import ranks_of_matches, retrieval_metrics, shared_captions, sigmoid_loss, softmax_loss
from jobs.families.retrieval_eval import ClipPool, evaluate_pool


def test_case_and_punctuation_do_not_matter() -> None:
    same = shared_captions([["A red ring."], ["a red  RING"], ["a blue ring"], ["a box", "A blue ring!"]])
    assert same.tolist() == [
        [True, True, False, False],
        [True, True, False, False],
        [False, False, True, True],
        [False, False, True, True],
    ]


def test_a_clip_with_the_same_caption_is_no_negative() -> None:
    """Two clips with one caption: without the mask each would add log 2 to the loss of the other."""
    scores = torch.tensor([[9.0, 9.0, -9.0], [9.0, 9.0, -9.0], [-9.0, -9.0, 9.0]])
    same = torch.tensor([[True, True, False], [True, True, False], [False, False, True]])
    assert softmax_loss(scores, same).item() == pytest.approx(0, abs=1e-5)
    assert softmax_loss(scores, torch.eye(3, dtype=torch.bool)).item() == pytest.approx(math.log(2) * 2 / 3, abs=1e-3)
    assert sigmoid_loss(scores, same) < sigmoid_loss(scores, torch.eye(3, dtype=torch.bool))


def test_ranks() -> None:
    scores = np.array([[0.9, 0.1, 0.2], [0.5, 0.5, 0.1], [0.3, 0.2, 0.1]])
    assert ranks_of_matches(scores, np.eye(3, dtype=bool)).tolist() == [1, 2, 3]
    both = np.array([[True, False, False], [True, True, False], [False, True, True]])
    assert ranks_of_matches(scores, both).tolist() == [1, 1, 2]
    values = retrieval_metrics(np.array([1, 2, 7, 20]))
    assert values == {"eval_r1": 0.25, "eval_r5": 0.5, "eval_r10": 0.75, "eval_median_rank": 4.5}


def test_equal_scores_are_ranked_last() -> None:
    """A retriever that cannot tell clips apart must not get a high rank."""
    assert ranks_of_matches(np.zeros((4, 4)), np.eye(4, dtype=bool)).tolist() == [4, 4, 4, 4]


def test_both_directions_with_all_captions() -> None:
    """Two clips, the first with two captions: 2 of 3 searches find their clip, 1 of 2 clips its own caption."""
    pool = ClipPool((), (("a ring", "a red ring"), ("a box",)), (1, 2))
    scores = np.array([[0.9, 0.1], [0.2, 0.8], [0.3, 0.7]], np.float32)
    score = evaluate_pool(pool, scores)
    assert score.values["eval_r1"] == pytest.approx(2 / 3)
    assert score.values["eval_clip_r1"] == pytest.approx(1 / 2), "the second caption of the first clip beats the box"
    assert [row.rank for row in score.clips] == [1, 1]
    low, high = score.summary.intervals["eval_r1"]
    assert low <= 2 / 3 <= high
