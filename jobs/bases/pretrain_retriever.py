"""Trains the shipped tiny retrieval base: `python -m jobs.bases.pretrain_retriever --out FOLDER`.

The video tower starts from the shipped VideoMAE encoder, the text tower from nothing. Every clip and sentence is
invented once; half of the batches hold clips of one look, so that the motion has to be read. Sentences that fit another
clip of the batch too are no wrong answer for it. The encoder keeps telling every frame's numbers meanwhile: what no
sentence speaks of (swelling, fading) would be forgotten else.
"""

import copy
import json
import math
import os
import shutil
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer
from torch import nn
from torch.nn import functional
from transformers import (
    CLIPTextConfig,
    PreTrainedTokenizerFast,
    VideoMAEForVideoClassification,
    VisionTextDualEncoderConfig,
    VisionTextDualEncoderModel,
)

from jobs.bases.captions import describe, facts_of
from jobs.bases.loop import command_line, update_average, warmup_cosine
from jobs.bases.motion import GroundTruth, add_noise, generate_clips
from jobs.bases.pretrain_videomae import FRAMES, SIZE, loss_of
from jobs.bases.words import END, LONGEST, PAD, START, make_tokenizer
from jobs.video.shapes import COLOURS, SHAPES, Scene, render
from orchestrator.settings import ROOT

ENCODER = ROOT / "orchestrator" / "builtin" / "models" / "videomae-tiny"
WIDTH, TEXT = 128, 96
LOOKALIKES = 8
"""Clips of one colour and shape beside each other in every other batch."""
TELLING = 0.4
"""Weight of the frames' numbers beside the two contrastive losses."""
WORD_DROPOUT = 0.1
"""Share of the merges left out (Provilkov et al. 2020): a new word is read by its parts, so the parts must be known."""


def tiny_config(tokenizer: Tokenizer) -> VisionTextDualEncoderConfig:
    """The shipped encoder beside a text tower of two layers, both into 128 numbers."""
    text = CLIPTextConfig(
        vocab_size=tokenizer.get_vocab_size(), hidden_size=TEXT, intermediate_size=4 * TEXT, num_hidden_layers=2,
        num_attention_heads=4, max_position_embeddings=LONGEST, projection_dim=WIDTH, hidden_act="gelu",
        pad_token_id=tokenizer.token_to_id(PAD), bos_token_id=tokenizer.token_to_id(START),
        eos_token_id=tokenizer.token_to_id(END),
    )  # fmt: skip
    vision = json.loads((ENCODER / "config.json").read_text())
    # Without mean pooling the encoder carries its own last norm, which the mean of its tokens then needs no more.
    vision |= {"use_mean_pooling": False, "architectures": ["VideoMAEModel"]}
    for name in ("id2label", "label2id"):
        vision.pop(name)
    return VisionTextDualEncoderConfig(
        vision_config=vision, text_config=text.to_dict(), projection_dim=WIDTH, logit_scale_init_value=math.log(10.0)
    )


class Student(nn.Module):
    """The two towers that ship, with the heads that only pretraining needs."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        super().__init__()
        self.model: Any = VisionTextDualEncoderModel(tiny_config(tokenizer))
        self.model.set_attn_implementation("eager")
        known = VideoMAEForVideoClassification.from_pretrained(ENCODER)
        tower = self.model.vision_model
        missing = tower.load_state_dict(known.videomae.state_dict(), strict=False)
        if missing.unexpected_keys or any(not name.startswith("layernorm.") for name in missing.missing_keys):
            raise RuntimeError(f"The shipped encoder does not fit: {missing}.")
        assert known.fc_norm is not None
        tower.layernorm.load_state_dict(known.fc_norm.state_dict())
        self.direction = nn.Linear(WIDTH, 8)
        self.colour = nn.Linear(WIDTH, len(COLOURS))
        self.shape = nn.Linear(WIDTH, len(SHAPES))
        self.frames = nn.Linear(WIDTH, FRAMES * 4)
        self.sums = nn.Linear(WIDTH, 5)
        self.slots = nn.Linear(WIDTH, 2 * 4)

    def clips(self, pixels: torch.Tensor) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        """(B, T, 3, H, W) to (B, D) of length one, and what the heads tell."""
        tokens = self.model.vision_model(pixel_values=pixels).last_hidden_state
        pooled = tokens.mean(1)
        slots = tokens.unflatten(1, (FRAMES // 2, -1)).mean(2)
        told = {
            "direction": self.direction(pooled),
            "colour": self.colour(pooled),
            "shape": self.shape(pooled),
            "frames": self.frames(pooled).unflatten(1, (FRAMES, 4)),
            "sums": self.sums(pooled),
            "slots": self.slots(slots).unflatten(2, (2, 4)).flatten(1, 2),
        }
        return functional.normalize(self.model.visual_projection(pooled).float(), dim=-1), told

    def sentences(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """(B, L) token ids to (B, D) of length one."""
        pooled = self.model.get_text_features(input_ids=ids, attention_mask=mask).pooler_output
        return functional.normalize(pooled.float(), dim=-1)


def match_loss(scores: torch.Tensor, fits: torch.Tensor) -> torch.Tensor:
    """Cross entropy both ways over (B, B) scores; what fits as well is no wrong answer (van den Oord et al. 2018)."""
    others = fits & ~torch.eye(len(fits), dtype=torch.bool)
    scores = scores.masked_fill(others, -1e4)
    right = torch.arange(len(fits))
    return (functional.cross_entropy(scores, right) + functional.cross_entropy(scores.T, right)) / 2


def _alike(rng: np.random.Generator, scene: Scene, truth: GroundTruth) -> tuple[Scene, GroundTruth]:
    """Gives every eight clips in a row the same shape in the same colour."""
    count = truth.colour.size
    colour = np.repeat(rng.integers(0, len(COLOURS), count // LOOKALIKES + 1), LOOKALIKES)[:count]
    shape = np.repeat(rng.integers(0, len(SHAPES), count // LOOKALIKES + 1), LOOKALIKES)[:count]
    palette = np.array(list(COLOURS.values()), np.float32) / 255
    tint = (palette[colour] + rng.normal(0, 0.025, (count, 3))).clip(0, 1).astype(np.float32)
    return replace(scene, shape=shape, colour=tint), replace(truth, colour=colour, shape=shape)


def batch(
    rng: np.random.Generator, count: int, alike: bool
) -> tuple[torch.Tensor, GroundTruth, list[str], NDArray[np.bool_]]:
    """Pixels as the processor would hand them over, the truth, a sentence each, and which sentence fits which clip."""
    scene, truth = generate_clips(rng, count, FRAMES)
    if alike:
        scene, truth = _alike(rng, scene, truth)
    clips = add_noise(rng, render(scene, SIZE, SIZE))
    sentences, fits = describe(rng, facts_of(truth))
    pixels = torch.from_numpy(clips).permute(0, 1, 4, 2, 3).float().div_(127.5).sub_(1)
    return pixels, truth, sentences, fits


def _tokens(tokenizer: Tokenizer, sentences: list[str]) -> tuple[torch.Tensor, torch.Tensor]:
    read = tokenizer.encode_batch(sentences)
    return torch.tensor([r.ids for r in read]), torch.tensor([r.attention_mask for r in read])


@torch.no_grad()
def examine(student: Student, tokenizer: Tokenizer, pools: int = 16) -> dict[str, float]:
    """R@1 from sentence to clip in pools of 64 and among eight of one look, on clips of a seed never trained on."""
    student.eval()
    rng = np.random.default_rng(987_654_321)
    hits: dict[str, list[float]] = {"r1_of_64": [], "r1_of_8_alike": []}
    for name, alike in (("r1_of_64", False), ("r1_of_8_alike", True)):
        for _ in range(pools):
            pixels, _, sentences, fits = batch(rng, 64, alike)
            scores = student.sentences(*_tokens(tokenizer, sentences)) @ student.clips(pixels)[0].T
            if alike:
                apart = torch.block_diag(*[torch.ones(LOOKALIKES, LOOKALIKES)] * (64 // LOOKALIKES)) == 0
                scores = scores.masked_fill(apart, -9)
            best = scores.argmax(1).numpy()
            hits[name] += fits[np.arange(64), best].tolist()
    student.train()
    return {name: round(float(np.mean(values)), 4) for name, values in hits.items()}


def export(student: Student, tokenizer: Tokenizer, out: Path, report: dict[str, Any]) -> None:
    """Writes config, safetensors, tokenizer, preprocessor and the reached figures, whole or not at all."""
    part = out.with_name(out.name + ".part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    student.model.save_pretrained(part, safe_serialization=True)
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token=PAD, bos_token=START, eos_token=END, model_max_length=LONGEST
    )
    fast.save_pretrained(part)
    shutil.copyfile(ENCODER / "preprocessor_config.json", part / "preprocessor_config.json")
    (part / "pretraining.json").write_text(json.dumps(report, indent=2) + "\n")
    out.mkdir(parents=True, exist_ok=True)
    for file in part.iterdir():
        os.replace(file, out / file.name)
    part.rmdir()


def _optimizer(student: Student, rate: float) -> torch.optim.AdamW:
    """The trained encoder moves at a third of the rate of what starts from nothing."""
    tower = {id(p) for p in student.model.vision_model.parameters()}
    groups = []
    for old in (True, False):
        for matrix in (True, False):
            chosen = [p for p in student.parameters() if (id(p) in tower) is old and (p.ndim > 1) is matrix]
            groups.append({"params": chosen, "weight_decay": 0.05 * matrix, "lr": rate / 3 if old else rate})
    return torch.optim.AdamW(groups, betas=(0.9, 0.98))


def train(out: Path, steps: int, count: int, rate: float, seed: int) -> None:
    """Warm up, cosine to zero; a running mean of the weights is what ships, the best one by the look-alikes."""
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    tokenizer = make_tokenizer()
    student = Student(tokenizer).train()
    mean = copy.deepcopy(student)
    optimizer = _optimizer(student, rate)
    schedule = warmup_cosine(optimizer, steps, warm=200)
    begun, running, best = time.monotonic(), 0.0, 0.0
    for step in range(1, steps + 1):
        pixels, truth, sentences, fits = batch(rng, count, step % 2 == 0)
        tokenizer.model.dropout = WORD_DROPOUT
        ids, mask = _tokens(tokenizer, sentences)
        tokenizer.model.dropout = None
        with torch.autocast("cpu", dtype=torch.bfloat16):
            seen, told = student.clips(pixels)
            read = student.sentences(ids, mask)
            numbers = loss_of(told, truth)
        scores = student.model.logit_scale.exp().clamp(max=100) * read @ seen.T
        matched = match_loss(scores, torch.from_numpy(fits))
        (matched + TELLING * numbers).backward()
        nn.utils.clip_grad_norm_(student.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        optimizer.zero_grad(set_to_none=True)
        update_average(mean, student, step)
        running = matched.item() if step == 1 else 0.98 * running + 0.02 * matched.item()
        if step % 50 == 0:
            print(f"step {step} loss {running:.4f} {time.monotonic() - begun:.0f}s", flush=True)
        if step % 250 == 0 or step == steps:
            report = {
                "script": "python -m jobs.bases.pretrain_retriever", "seed": seed, "steps": step, "of_steps": steps,
                "batch": count, "learning_rate": rate, "seconds": round(time.monotonic() - begun),
                **examine(mean, tokenizer),
            }  # fmt: skip
            print(json.dumps(report), flush=True)
            if report["r1_of_64"] + report["r1_of_8_alike"] >= best:
                best = report["r1_of_64"] + report["r1_of_8_alike"]
                export(mean, tokenizer, out, report)


if __name__ == "__main__":
    command_line(__doc__, train, steps=3000, batch=48)
