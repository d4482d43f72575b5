"""Trains the built-in tiny VideoMAE from random weights: `python -m jobs.bases.pretrain_videomae --out FOLDER`.

Every clip is invented for one step and never used again, so there is nothing to memorise; 1,024 clips of another seed
are the test set. The encoder learns direction, colour and shape as classes and every frame's position, radius and alpha
as numbers, predicted from the mean of its tokens: the vector that a fine-tuned classifier reads too.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from transformers import VideoMAEConfig, VideoMAEForVideoClassification

from jobs.bases.motion import DIRECTIONS, NO_DIRECTION
from jobs.bases.motion_targets import (
    FRAMES,
    NUMBER_MEAN,
    NUMBER_STD,
    SIZE,
    VISIBLE_ALPHA,
    draw_batch,
    encoder_loss,
    motion_outputs,
)
from jobs.bases.pretraining import ADAM_BETAS, WEIGHT_DECAY, Options, base_folder, command_line, train_loop
from jobs.video.shapes import COLOURS, SHAPES


def tiny_config() -> VideoMAEConfig:
    """48x48, 8 frames, patches of 2x8x8, hidden 128, 4 layers; a small decoder for masked pretraining."""
    return VideoMAEConfig(
        image_size=SIZE, patch_size=8, num_frames=FRAMES, tubelet_size=2, hidden_size=128, num_hidden_layers=4,
        num_attention_heads=4, intermediate_size=512, hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0,
        decoder_num_attention_heads=2, decoder_hidden_size=64, decoder_num_hidden_layers=2,
        decoder_intermediate_size=256, use_mean_pooling=True,
        id2label=dict(enumerate(DIRECTIONS)), label2id={n: i for i, n in enumerate(DIRECTIONS)},
        # In bfloat16 on a CPU the fused attention's backward is three times slower than the plain one.
        attn_implementation="eager",  # pyright: ignore[reportCallIssue]
    )  # fmt: skip


class Student(nn.Module):
    """The model that is shipped, with the heads that only pretraining needs."""

    def __init__(self) -> None:
        super().__init__()
        self.model = VideoMAEForVideoClassification(tiny_config())
        self.colour = nn.Linear(128, len(COLOURS))
        self.shape = nn.Linear(128, len(SHAPES))
        self.frames = nn.Linear(128, FRAMES * 4)
        self.sums = nn.Linear(128, 5)
        self.slots = nn.Linear(128, 2 * 4)

    def forward(self, pixels: torch.Tensor) -> dict[str, torch.Tensor]:
        """(B, T, 3, H, W) to the logits and numbers of every head."""
        tokens = self.model.videomae(pixels)[0]
        assert self.model.fc_norm is not None
        pooled = self.model.fc_norm(tokens.mean(1))
        classes = {"direction": self.model.classifier(pooled), "colour": self.colour(pooled)}
        return classes | motion_outputs(self, tokens, pooled)


def evaluate(student: Student, rng: np.random.Generator, count: int = 1024) -> dict[str, list[float]]:
    """Accuracy of the classes, and absolute errors of the numbers."""
    values: dict[str, list[float]] = {name: [] for name in ("direction", "colour", "shape", "place", "radius", "alpha")}
    for _ in range(count // 64):
        pixels, truth = draw_batch(rng, 64)
        out = student(pixels)
        for name, label in (("direction", truth.direction), ("colour", truth.colour), ("shape", truth.shape)):
            known = label != NO_DIRECTION
            values[name] += (out[name].argmax(1).numpy() == label)[known].tolist()
        errors = (out["frames"] * NUMBER_STD + NUMBER_MEAN - torch.from_numpy(truth.frames)).abs().numpy()
        visible = truth.frames[..., 3] > VISIBLE_ALPHA
        values["place"] += errors[..., :2].max(-1)[visible].tolist()
        values["radius"] += errors[..., 2][visible].tolist()
        values["alpha"] += errors[..., 3].ravel().tolist()
    return values


def export(student: Student, out: Path, report: dict[str, Any]) -> None:
    """Writes config, weights, preprocessor and the figures reached."""
    with base_folder(out, report) as part:
        student.model.save_pretrained(part, safe_serialization=True)
        config = json.loads((part / "config.json").read_text())
        config.pop("_attn_implementation", None)
        (part / "config.json").write_text(json.dumps(config, indent=2, sort_keys=True) + "\n")
        size = {"height": SIZE, "width": SIZE}
        processor = {
            "image_processor_type": "VideoMAEImageProcessor", "do_resize": True, "size": size,
            "do_center_crop": False, "crop_size": size, "resample": 2, "do_rescale": True, "rescale_factor": 1 / 255,
            "do_normalize": True, "image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5],
        }  # fmt: skip
        (part / "preprocessor_config.json").write_text(json.dumps(processor, indent=2) + "\n")


def _optimizer(student: Student, rate: float) -> torch.optim.AdamW:
    matrices = [p for p in student.parameters() if p.ndim > 1]
    rest = [p for p in student.parameters() if p.ndim <= 1]
    groups = [{"params": matrices, "weight_decay": WEIGHT_DECAY}, {"params": rest, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=rate, betas=ADAM_BETAS)


def train(options: Options) -> None:
    """Pretrains and saves every 500 steps."""
    torch.manual_seed(options.seed)
    rng = np.random.default_rng(options.seed)
    student = Student().train()

    def losses(step: int) -> tuple[torch.Tensor, torch.Tensor]:
        pixels, truth = draw_batch(rng, options.batch)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            loss = encoder_loss(student(pixels), truth)
        return loss, loss

    def save(mean: Student, report: dict[str, Any]) -> None:
        export(mean, options.out, report)

    optimizer = _optimizer(student, options.rate)
    train_loop(student, optimizer, options, losses, evaluate, save, warmup=300, save_every=500)


if __name__ == "__main__":
    command_line("pretrain_videomae", __doc__, train, steps=8000, batch=32)
