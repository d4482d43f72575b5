"""Trains the shipped tiny VideoMAE base from nothing: `python -m jobs.bases.pretrain_videomae --out FOLDER`.

Every clip is invented once and never seen again, so there is nothing to memorise; 1,024 clips of another seed are the
test.
The encoder learns direction, colour and shape as classes and every frame's position, radius and visibility as numbers,
read from the mean of its tokens: the vector that a fine-tuned classifier reads too.
"""

import copy
import json
import os
import time
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional
from transformers import VideoMAEConfig, VideoMAEForVideoClassification

from jobs.bases.loop import command_line, update_average, warmup_cosine
from jobs.bases.motion import DIRECTIONS, NO_DIRECTION, GroundTruth, add_noise, generate_clips
from jobs.video.shapes import COLOURS, SHAPES, render

FRAMES, SIZE = 8, 48
CENTRE = torch.tensor([0.5, 0.5, 0.15, 0.8])
SPREAD = torch.tensor([0.2, 0.2, 0.06, 0.3])
"""Mean and spread of x, y, radius, alpha over invented clips: the numbers are learned in these units."""
SEEN = 0.15
"""Below this alpha a shape's place cannot be seen and is not asked for."""


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
    """The model that ships, with the extra heads that only pretraining needs."""

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
        slots = tokens.unflatten(1, (FRAMES // 2, -1)).mean(2)
        return {
            "direction": self.model.classifier(pooled),
            "colour": self.colour(pooled),
            "shape": self.shape(pooled),
            "frames": self.frames(pooled).unflatten(1, (FRAMES, 4)),
            "sums": self.sums(pooled),
            "slots": self.slots(slots).unflatten(2, (2, 4)).flatten(1, 2),
        }


def batch(rng: np.random.Generator, count: int) -> tuple[torch.Tensor, GroundTruth]:
    """`count` new clips as the processor would hand them over (mean 0.5, spread 0.5)."""
    scene, truth = generate_clips(rng, count, FRAMES)
    clips = add_noise(rng, render(scene, SIZE, SIZE))
    return torch.from_numpy(clips).permute(0, 1, 4, 2, 3).float().div_(127.5).sub_(1), truth


def loss_of(out: dict[str, torch.Tensor], truth: GroundTruth) -> torch.Tensor:
    """The sum of three cross entropies and three distances."""
    frames = (torch.from_numpy(truth.frames) - CENTRE) / SPREAD
    seen = (torch.from_numpy(truth.frames[..., 3:]) > SEEN).float().expand_as(frames).clone()
    seen[..., 3] = 1
    total = functional.cross_entropy(
        out["direction"].float(), torch.from_numpy(truth.direction), ignore_index=NO_DIRECTION
    )
    total = total + functional.cross_entropy(out["colour"].float(), torch.from_numpy(truth.colour))
    total = total + functional.cross_entropy(out["shape"].float(), torch.from_numpy(truth.shape))
    for name, weight in (("frames", 3.0), ("slots", 1.0)):
        apart = functional.smooth_l1_loss(out[name].float(), frames, reduction="none", beta=0.5)
        total = total + weight * (apart * seen).sum() / seen.sum()
    return total + functional.smooth_l1_loss(out["sums"].float(), torch.from_numpy(truth.sums), beta=0.5)


@torch.no_grad()
def examine(student: Student, count: int = 1024) -> dict[str, float]:
    """Accuracy and mean errors on clips of a seed that training never uses."""
    student.eval()
    rng = np.random.default_rng(987_654_321)
    hits: dict[str, list[float]] = {"direction": [], "colour": [], "shape": [], "place": [], "radius": [], "alpha": []}
    for _ in range(count // 64):
        pixels, truth = batch(rng, 64)
        out = student(pixels)
        for name, label in (("direction", truth.direction), ("colour", truth.colour), ("shape", truth.shape)):
            known = label != NO_DIRECTION
            hits[name] += (out[name].argmax(1).numpy() == label)[known].tolist()
        apart = (out["frames"] * SPREAD + CENTRE - torch.from_numpy(truth.frames)).abs().numpy()
        seen = truth.frames[..., 3] > SEEN
        hits["place"] += apart[..., :2].max(-1)[seen].tolist()
        hits["radius"] += apart[..., 2][seen].tolist()
        hits["alpha"] += apart[..., 3].ravel().tolist()
    student.train()
    return {name: round(float(np.mean(values)), 4) for name, values in hits.items()}


def export(student: Student, out: Path, report: dict[str, object]) -> None:
    """Writes config, safetensors, preprocessor and the reached figures, whole or not at all."""
    part = out.with_name(out.name + ".part")
    part.mkdir(parents=True, exist_ok=True)
    student.model.save_pretrained(part, safe_serialization=True)
    config = json.loads((part / "config.json").read_text())
    config.pop("_attn_implementation", None)
    (part / "config.json").write_text(json.dumps(config, indent=2, sort_keys=True) + "\n")
    processor = {
        "image_processor_type": "VideoMAEImageProcessor", "do_resize": True, "size": {"height": SIZE, "width": SIZE},
        "do_center_crop": False, "crop_size": {"height": SIZE, "width": SIZE}, "resample": 2, "do_rescale": True,
        "rescale_factor": 1 / 255, "do_normalize": True, "image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5],
    }  # fmt: skip
    (part / "preprocessor_config.json").write_text(json.dumps(processor, indent=2) + "\n")
    (part / "pretraining.json").write_text(json.dumps(report, indent=2) + "\n")
    out.mkdir(parents=True, exist_ok=True)
    for file in part.iterdir():
        os.replace(file, out / file.name)
    part.rmdir()


def _optimizer(student: Student, rate: float) -> torch.optim.AdamW:
    matrices = [p for p in student.parameters() if p.ndim > 1]
    rest = [p for p in student.parameters() if p.ndim <= 1]
    groups = [{"params": matrices, "weight_decay": 0.05}, {"params": rest, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=rate, betas=(0.9, 0.98))


def train(out: Path, steps: int, count: int, rate: float, seed: int) -> None:
    """The whole pretraining: warm up, cosine to zero, a running mean of the weights is what ships."""
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    student = Student().train()
    mean = copy.deepcopy(student)
    optimizer = _optimizer(student, rate)
    schedule = warmup_cosine(optimizer, steps)
    begun, running = time.monotonic(), 0.0
    for step in range(1, steps + 1):
        pixels, truth = batch(rng, count)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            loss = loss_of(student(pixels), truth)
        loss.backward()
        nn.utils.clip_grad_norm_(student.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        optimizer.zero_grad(set_to_none=True)
        update_average(mean, student, step)
        running = loss.item() if step == 1 else 0.98 * running + 0.02 * loss.item()
        if step % 50 == 0:
            print(f"step {step} loss {running:.4f} {time.monotonic() - begun:.0f}s", flush=True)
        if step % 500 == 0 or step == steps:
            report = {
                "script": "python -m jobs.bases.pretrain_videomae", "seed": seed, "steps": step, "of_steps": steps,
                "batch": count, "learning_rate": rate, "seconds": round(time.monotonic() - begun), **examine(mean),
            }  # fmt: skip
            print(json.dumps(report), flush=True)
            export(mean, out, report)


if __name__ == "__main__":
    command_line(__doc__, train, steps=8000, batch=32)
