"""What the scripts that pretrain the shipped bases share: command line, schedule, the running mean of the weights."""

import argparse
import math
from collections.abc import Callable
from pathlib import Path

import torch
from torch import nn


def warmup_cosine(optimizer: torch.optim.Optimizer, steps: int, warm: int = 300) -> torch.optim.lr_scheduler.LambdaLR:
    """A linear warm-up times a cosine to zero."""
    return torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda s: min(1.0, (s + 1) / warm) * 0.5 * (1 + math.cos(math.pi * min(1.0, s / steps)))
    )


@torch.no_grad()
def update_average(mean: nn.Module, student: nn.Module, step: int) -> None:
    """Moves the running mean of the weights towards the student's; quickly at first (Polyak averaging)."""
    keep = min(0.998, step / (step + 50))
    for old, new in zip(mean.parameters(), student.parameters(), strict=True):
        old.lerp_(new, 1 - keep)


def command_line(
    about: str | None, train: Callable[..., None], steps: int, batch: int, learns_on: bool = False
) -> None:
    """Reads the command line and trains; `steps` and `batch` are the defaults, those of the shipped base.

    Args:
        train: takes (out, steps, batch, rate, seed), and `start` where it `learns_on` from an earlier result.
    """
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=steps)
    parser.add_argument("--batch", type=int, default=batch)
    parser.add_argument("--rate", type=float, default=1.5e-3)
    parser.add_argument("--seed", type=int, default=20261123)
    if learns_on:
        parser.add_argument("--start", type=Path, default=None, help="a folder that this script wrote before")
    args = parser.parse_args()
    more = {"start": args.start} if learns_on else {}
    train(args.out, args.steps, args.batch, args.rate, args.seed, **more)
