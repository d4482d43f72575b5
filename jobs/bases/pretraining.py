"""What the three scripts that pretrain the built-in bases share: command line, training loop, evaluation, saving."""

import argparse
import copy
import json
import math
import os
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch
from torch import nn

Student = TypeVar("Student", bound=nn.Module)
Evaluate = Callable[[Student, np.random.Generator], Mapping[str, Sequence[float]]]
"""(model, generator of the evaluation clips) -> for each figure its values, of which the mean is reported."""
ADAM_BETAS = (0.9, 0.98)
WEIGHT_DECAY = 0.05
"""Of matrices; biases and norms have none."""
_EVALUATION_SEED = 987_654_321
"""Seed of the clips that measure a base; training never uses it."""


@dataclass(frozen=True)
class Options:
    """One pretraining, as its command line asks for it.

    Attributes:
        script: the module, as it is named in `pretraining.json`.
        out: the folder of the finished base.
        batch: clips per step.
        rate: the highest learning rate.
        start: a base of the same script whose training is continued; None: begin with fresh weights.
    """

    script: str
    out: Path
    steps: int
    batch: int
    rate: float
    seed: int
    start: Path | None = None


def command_line(
    script: str, about: str | None, train: Callable[[Options], None], steps: int, batch: int, can_continue: bool = False
) -> None:
    """Reads the command line and trains.

    Args:
        script: the module's name.
        steps: the default, that of the built-in base; likewise `batch`.
        can_continue: whether the script takes `--start`.
    """
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=steps)
    parser.add_argument("--batch", type=int, default=batch)
    parser.add_argument("--rate", type=float, default=1.5e-3)
    parser.add_argument("--seed", type=int, default=20261123)
    if can_continue:
        parser.add_argument("--start", type=Path, default=None, help="a folder that this script wrote before")
    train(Options(script=f"python -m jobs.bases.{script}", **vars(parser.parse_args())))


def train_loop(
    student: Student,
    optimizer: torch.optim.Optimizer,
    options: Options,
    losses: Callable[[int], tuple[torch.Tensor, torch.Tensor]],
    evaluate: Evaluate[Student],
    save: Callable[[Student, dict[str, Any]], None],
    warmup: int,
    save_every: int,
) -> None:
    """Linear warm-up, cosine decay to zero; a running mean of the weights is evaluated and saved.

    Args:
        losses: step -> (the loss to minimise, the one to print).
        save: (model, what `pretraining.json` will say).
        warmup: steps until the learning rate is at its highest.
        save_every: steps between evaluations.
    """
    mean = copy.deepcopy(student)
    schedule = _warmup_cosine(optimizer, options.steps, warmup)
    start_s, smoothed = time.monotonic(), 0.0
    for step in range(1, options.steps + 1):
        loss, printed = losses(step)
        loss.backward()
        nn.utils.clip_grad_norm_(student.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        optimizer.zero_grad(set_to_none=True)
        _update_mean(mean, student, step)
        smoothed = printed.item() if step == 1 else 0.98 * smoothed + 0.02 * printed.item()
        if step % 50 == 0:
            print(f"step {step} loss {smoothed:.4f} {time.monotonic() - start_s:.0f}s", flush=True)
        if step % save_every == 0 or step == options.steps:
            report = _report(options, step, time.monotonic() - start_s) | _figures(mean, evaluate)
            print(json.dumps(report), flush=True)
            save(mean, report)


@contextmanager
def base_folder(out: Path, report: Mapping[str, object]) -> Iterator[Path]:
    """Yields a temporary folder for the files of a base; they and the report replace those in `out` at the end."""
    part = out.with_name(out.name + ".part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    yield part
    (part / "pretraining.json").write_text(json.dumps(report, indent=2) + "\n")
    out.mkdir(parents=True, exist_ok=True)
    for file in part.iterdir():
        os.replace(file, out / file.name)
    part.rmdir()


def _warmup_cosine(optimizer: torch.optim.Optimizer, steps: int, warmup: int) -> torch.optim.lr_scheduler.LambdaLR:
    return torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda s: min(1.0, (s + 1) / warmup) * 0.5 * (1 + math.cos(math.pi * min(1.0, s / steps)))
    )


@torch.no_grad()
def _update_mean(mean: nn.Module, student: nn.Module, step: int) -> None:
    """Moves the running mean of the weights towards the student's; quickly at first (Polyak averaging)."""
    keep = min(0.998, step / (step + 50))
    for old, new in zip(mean.parameters(), student.parameters(), strict=True):
        old.lerp_(new, 1 - keep)


def _report(options: Options, step: int, seconds: float) -> dict[str, Any]:
    report: dict[str, Any] = {
        "script": options.script, "seed": options.seed, "steps": step, "of_steps": options.steps,
        "batch": options.batch, "learning_rate": options.rate, "seconds": round(seconds),
    }  # fmt: skip
    if options.start:
        report["after"] = json.loads((options.start / "pretraining.json").read_text())
    return report


@torch.no_grad()
def _figures(model: Student, evaluate: Evaluate[Student]) -> dict[str, float]:
    model.eval()
    values = evaluate(model, np.random.default_rng(_EVALUATION_SEED))
    model.train()
    return {name: round(float(np.mean(each)), 4) for name, each in values.items()}
