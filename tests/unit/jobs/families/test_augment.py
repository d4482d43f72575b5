"""Varied clips: the right frames and pixels, all frames of a clip alike, and the same for the same epoch and clip."""

from typing import Any

import numpy as np
import pytest
import torch

from jobs.families.augment import ClipAugmenter, mix_clips
from orchestrator.domain.recipe_augment import JITTER_PARTS, Augmentation

SEEDS = [(7, epoch, index) for epoch in range(4) for index in range(10)]


def clip(count: int = 4) -> Any:
    """Frames that tell which they are, with a left and a right side."""
    frames = np.zeros((count, 8, 8, 3), np.uint8)
    frames[:, :, :4] = 200
    frames[:, :, :, 2] = np.arange(count)[:, None, None]
    return frames


def test_half_of_the_clips_are_mirrored() -> None:
    frames, augmenter = clip(), ClipAugmenter(Augmentation(flip=True), moves_together=False)
    found = [augmenter.apply(frames, seed) for seed in SEEDS]
    mirrored = [bool((one == frames[:, :, ::-1]).all()) for one in found]
    assert all(turned or (one == frames).all() for one, turned in zip(found, mirrored, strict=True))
    assert 10 <= sum(mirrored) <= 30


@pytest.mark.parametrize("together", [False, True])
def test_jitter_takes_one_of_three_frames_of_each_part(together: bool) -> None:
    count, augmenter = 5, ClipAugmenter(Augmentation(jitter=True), moves_together=together)
    drawn = []
    for seed in SEEDS:
        numbers = augmenter.apply(clip(count * JITTER_PARTS), seed)[:, 0, 0, 2].astype(int)
        assert (numbers % count == np.arange(count)).all()  # in their order
        drawn.append(tuple(numbers // count))
    assert all(len(set(views)) == 1 for views in drawn) is together
    assert {view for views in drawn for view in views} == {0, 1, 2}


def test_the_same_seed_varies_alike_and_no_other_random_number_changes() -> None:
    settings = Augmentation(flip=True, jitter=True, rand_augment=True)
    augmenter, frames = ClipAugmenter(settings, moves_together=False), clip(12)
    torch.manual_seed(1)
    expected = torch.rand(3)
    torch.manual_seed(1)
    first = augmenter.apply(frames, (7, 0, 3))
    assert torch.equal(torch.rand(3), expected)
    assert first.dtype == np.uint8
    assert first.shape == (4, 8, 8, 3)
    assert (augmenter.apply(frames, (7, 0, 3)) == first).all()
    others = [augmenter.apply(frames, seed) for seed in SEEDS]
    assert len({other.tobytes() for other in others}) > 20


def test_rand_augment_treats_all_frames_of_a_clip_alike() -> None:
    frames = np.repeat(np.random.default_rng(0).integers(0, 256, (1, 16, 16, 3), np.uint8), 4, 0)
    augmenter = ClipAugmenter(Augmentation(rand_augment=True), moves_together=False)
    found = [augmenter.apply(frames, seed) for seed in SEEDS]
    assert all((one == one[:1]).all() for one in found)
    assert sum(not (one == frames).all() for one in found) > 30


def _batch() -> tuple[torch.Tensor, torch.Tensor, list[dict[str, Any]]]:
    """Two clips, all zeros and all ones, of two of three classes."""
    pixels = torch.zeros(2, 2, 3, 10, 10)
    pixels[1] = 1.0
    return pixels, torch.tensor([0, 2]), [{"seed": (0, 4)}, {"seed": (0, 5)}]


def test_mixup_blends_pixels_and_classes_by_one_share() -> None:
    pixels, targets, items = _batch()
    mixed, shares = mix_clips(pixels, targets, 3, items, Augmentation(mixup=0.8))
    share = float(shares[0, 0])
    assert shares.tolist() == [pytest.approx([share, 0, 1 - share]), pytest.approx([1 - share, 0, share])]
    assert torch.allclose(mixed[0], torch.full_like(mixed[0], 1 - share))
    assert torch.equal(pixels[1], torch.ones_like(pixels[1]))  # the batch itself is left as it was
    again, _ = mix_clips(*_batch()[:2], 3, items, Augmentation(mixup=0.8))
    other, _ = mix_clips(*_batch()[:2], 3, [{"seed": (1, 4)}, {"seed": (1, 5)}], Augmentation(mixup=0.8))
    assert torch.equal(mixed, again)
    assert not torch.equal(mixed, other)


def test_cutmix_pastes_a_rectangle_and_blends_classes_by_its_area() -> None:
    pixels, targets, items = _batch()
    mixed, shares = mix_clips(pixels, targets, 3, items, Augmentation(cutmix=1.0))
    area = float(mixed[0].mean())
    assert 0 < area < 1
    assert shares[0].tolist() == pytest.approx([1 - area, 0, area])
    assert torch.equal(mixed[0, 0], mixed[0, 1])  # the same rectangle in all frames
    assert set(mixed.unique().tolist()) == {0.0, 1.0}


def test_with_both_some_batches_get_one_and_some_the_other() -> None:
    both = Augmentation(mixup=0.8, cutmix=1.0)
    pasted = []
    for epoch in range(20):
        mixed, _ = mix_clips(*_batch()[:2], 3, [{"seed": (epoch, 0)}, {"seed": (epoch, 1)}], both)
        pasted.append(set(mixed.unique().tolist()) <= {0.0, 1.0})
    assert 0 < sum(pasted) < 20


def test_several_labels_are_blended_too() -> None:
    pixels, _, items = _batch()
    targets = torch.tensor([[1.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
    _, shares = mix_clips(pixels, targets, 3, items, Augmentation(mixup=0.8))
    share = float(shares[0, 0])
    assert shares[0].tolist() == pytest.approx([share, share, 1 - share])
