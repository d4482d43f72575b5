"""Batches of invented clips, and the numbers of their motion as training targets: outputs of the heads and losses."""

from typing import Protocol

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from jobs.bases.motion import NO_DIRECTION, GroundTruth, add_noise, generate_clips
from jobs.video.shapes import Array, Scene, render

FRAMES, SIZE = 8, 48
"""Frames of a clip, and its height and width in pixels."""
NUMBER_MEAN = torch.tensor([0.5, 0.5, 0.15, 0.8])
NUMBER_STD = torch.tensor([0.2, 0.2, 0.06, 0.3])
"""Of x, y, radius, alpha over invented clips: the heads predict the numbers in these units."""
VISIBLE_ALPHA = 0.15
"""Below this alpha a shape's position cannot be seen and is no target."""


class MotionHeads(Protocol):
    """The heads that predict what was drawn, on the mean of the encoder's tokens (`slots`: of each frame pair)."""

    shape: nn.Linear
    frames: nn.Linear
    sums: nn.Linear
    slots: nn.Linear


def draw_batch(rng: np.random.Generator, count: int, roaming: float = 0.0) -> tuple[torch.Tensor, GroundTruth]:
    """`count` new clips as the processor would pass them to the model, and what was drawn."""
    scene, truth = generate_clips(rng, count, FRAMES, roaming)
    return pixels_of(rng, scene), truth


def pixels_of(rng: np.random.Generator, scene: Scene) -> torch.Tensor:
    """(B, T, 3, H, W) of a scene, with noise, normalised by mean 0.5 and deviation 0.5."""
    clips: Array = render(scene, SIZE, SIZE)
    return torch.from_numpy(add_noise(rng, clips)).permute(0, 1, 4, 2, 3).float().div_(127.5).sub_(1)


def motion_outputs(heads: MotionHeads, tokens: torch.Tensor, pooled: torch.Tensor) -> dict[str, torch.Tensor]:
    """What the heads predict.

    Args:
        tokens: (B, L, D) of the encoder, in the order of the frame pairs.
        pooled: (B, D) their mean.

    Returns:
        shape (B, shapes), frames and slots (B, T, 4), sums (B, 5).
    """
    slots = tokens.unflatten(1, (FRAMES // 2, -1)).mean(2)
    return {
        "shape": heads.shape(pooled),
        "frames": heads.frames(pooled).unflatten(1, (FRAMES, 4)),
        "sums": heads.sums(pooled),
        "slots": heads.slots(slots).unflatten(2, (2, 4)).flatten(1, 2),
    }


def frame_losses(out: dict[str, torch.Tensor], truth: GroundTruth) -> dict[str, torch.Tensor]:
    """Smooth L1 losses of the outputs `frames` and `slots`; a position counts only where the shape is visible."""
    target = (torch.from_numpy(truth.frames) - NUMBER_MEAN) / NUMBER_STD
    visible = (torch.from_numpy(truth.frames[..., 3:]) > VISIBLE_ALPHA).float().expand_as(target).clone()
    visible[..., 3] = 1
    losses = {}
    for name in ("frames", "slots"):
        loss = functional.smooth_l1_loss(out[name].float(), target, reduction="none", beta=0.5)
        losses[name] = (loss * visible).sum() / visible.sum()
    return losses


def sums_loss(out: dict[str, torch.Tensor], truth: GroundTruth) -> torch.Tensor:
    """Smooth L1 loss of the sums over a clip."""
    return functional.smooth_l1_loss(out["sums"].float(), torch.from_numpy(truth.sums), beta=0.5)


def shape_loss(out: dict[str, torch.Tensor], truth: GroundTruth) -> torch.Tensor:
    """Cross entropy of the shape."""
    return functional.cross_entropy(out["shape"].float(), torch.from_numpy(truth.shape))


def encoder_loss(out: dict[str, torch.Tensor], truth: GroundTruth) -> torch.Tensor:
    """The loss that the encoder is pretrained with: direction, colour and shape as classes, the motion as numbers."""
    direction = torch.from_numpy(truth.direction)
    total = functional.cross_entropy(out["direction"].float(), direction, ignore_index=NO_DIRECTION)
    total = total + functional.cross_entropy(out["colour"].float(), torch.from_numpy(truth.colour))
    total = total + shape_loss(out, truth)
    frames = frame_losses(out, truth)
    total = total + 3.0 * frames["frames"] + frames["slots"]
    return total + sums_loss(out, truth)
