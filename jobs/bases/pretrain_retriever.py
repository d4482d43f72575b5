"""Trains the built-in tiny retrieval base: `python -m jobs.bases.pretrain_retriever --out FOLDER`.

The video tower starts from videomae-tiny, the text tower from random weights. Every clip and caption is invented for
one step; half of the batches hold clips that look alike, so that the motion has to be read. A caption that fits another
clip of the batch is no negative for it. The heads of the encoder are trained along, so that it does not forget what no
caption mentions (growing, fading).
"""

import json
import math
import shutil
from dataclasses import replace
from functools import partial
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

from jobs.bases.motion import GroundTruth, generate_clips
from jobs.bases.motion_targets import FRAMES, encoder_loss, motion_outputs, pixels_of
from jobs.bases.pretraining import ADAM_BETAS, WEIGHT_DECAY, Options, base_folder, command_line, train_loop
from jobs.bases.retriever_captions import describe, facts_of
from jobs.bases.retriever_tokenizer import END, LONGEST, PAD, START, make_tokenizer
from jobs.video.shapes import COLOURS, SHAPES, Scene
from orchestrator.settings import ROOT

ENCODER = ROOT / "orchestrator" / "builtin" / "models" / "videomae-tiny"
WIDTH, TEXT = 128, 96
LOOKALIKES = 8
"""Clips in a row with one colour and shape, in every other batch."""
ENCODER_WEIGHT = 0.4
"""Weight of the encoder's own loss; that of the contrastive loss is one."""
WORD_DROPOUT = 0.1
"""Share of the merges that are skipped (BPE-dropout, Provilkov et al. 2020): unknown words are then read by parts."""


def tiny_config(tokenizer: Tokenizer) -> VisionTextDualEncoderConfig:
    """The built-in encoder and a text tower of two layers, both projected to 128 numbers."""
    text = CLIPTextConfig(
        vocab_size=tokenizer.get_vocab_size(), hidden_size=TEXT, intermediate_size=4 * TEXT, num_hidden_layers=2,
        num_attention_heads=4, max_position_embeddings=LONGEST, projection_dim=WIDTH, hidden_act="gelu",
        pad_token_id=tokenizer.token_to_id(PAD), bos_token_id=tokenizer.token_to_id(START),
        eos_token_id=tokenizer.token_to_id(END),
    )  # fmt: skip
    vision = json.loads((ENCODER / "config.json").read_text())
    # Without mean pooling the encoder has a last norm of its own, so that the mean of its tokens needs none.
    vision |= {"use_mean_pooling": False, "architectures": ["VideoMAEModel"]}
    for name in ("id2label", "label2id"):
        vision.pop(name)
    return VisionTextDualEncoderConfig(
        vision_config=vision, text_config=text.to_dict(), projection_dim=WIDTH, logit_scale_init_value=math.log(10.0)
    )


class Student(nn.Module):
    """The two towers that are shipped, with the heads that only pretraining needs."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        super().__init__()
        self.model: Any = VisionTextDualEncoderModel(tiny_config(tokenizer))
        self.model.set_attn_implementation("eager")
        known = VideoMAEForVideoClassification.from_pretrained(ENCODER)
        tower = self.model.vision_model
        missing = tower.load_state_dict(known.videomae.state_dict(), strict=False)
        if missing.unexpected_keys or any(not name.startswith("layernorm.") for name in missing.missing_keys):
            raise RuntimeError(f"The built-in encoder does not fit: {missing}.")
        assert known.fc_norm is not None
        tower.layernorm.load_state_dict(known.fc_norm.state_dict())
        self.direction = nn.Linear(WIDTH, 8)
        self.colour = nn.Linear(WIDTH, len(COLOURS))
        self.shape = nn.Linear(WIDTH, len(SHAPES))
        self.frames = nn.Linear(WIDTH, FRAMES * 4)
        self.sums = nn.Linear(WIDTH, 5)
        self.slots = nn.Linear(WIDTH, 2 * 4)

    def embed_clips(self, pixels: torch.Tensor) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        """(B, T, 3, H, W) to (B, D) of length one, and what the heads predict."""
        tokens = self.model.vision_model(pixel_values=pixels).last_hidden_state
        pooled = tokens.mean(1)
        classes = {"direction": self.direction(pooled), "colour": self.colour(pooled)}
        out = classes | motion_outputs(self, tokens, pooled)
        return functional.normalize(self.model.visual_projection(pooled).float(), dim=-1), out

    def embed_captions(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """(B, L) token ids to (B, D) of length one."""
        pooled = self.model.get_text_features(input_ids=ids, attention_mask=mask).pooler_output
        return functional.normalize(pooled.float(), dim=-1)


def contrastive_loss(scores: torch.Tensor, fits: torch.Tensor) -> torch.Tensor:
    """InfoNCE both ways over (B, B) scores (van den Oord et al. 2018); pairs that fit as well are no negatives."""
    others = fits & ~torch.eye(len(fits), dtype=torch.bool)
    scores = scores.masked_fill(others, -1e4)
    target = torch.arange(len(fits))
    return (functional.cross_entropy(scores, target) + functional.cross_entropy(scores.T, target)) / 2


def _same_looks(rng: np.random.Generator, scene: Scene, truth: GroundTruth) -> tuple[Scene, GroundTruth]:
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
    """Pixels as the processor would pass them, what was drawn, captions, and (B, B): which caption fits which clip.

    Args:
        alike: whether eight clips in a row look alike.
    """
    scene, truth = generate_clips(rng, count, FRAMES)
    if alike:
        scene, truth = _same_looks(rng, scene, truth)
    pixels = pixels_of(rng, scene)
    captions, fits = describe(rng, facts_of(truth))
    return pixels, truth, captions, fits


def _tokens(tokenizer: Tokenizer, captions: list[str]) -> tuple[torch.Tensor, torch.Tensor]:
    encodings = tokenizer.encode_batch(captions)
    return torch.tensor([e.ids for e in encodings]), torch.tensor([e.attention_mask for e in encodings])


def evaluate(
    student: Student, rng: np.random.Generator, tokenizer: Tokenizer, pools: int = 16
) -> dict[str, list[float]]:
    """R@1 from caption to clip: among 64 clips, and among eight that look alike."""
    hits: dict[str, list[float]] = {"r1_of_64": [], "r1_of_8_alike": []}
    for name, alike in (("r1_of_64", False), ("r1_of_8_alike", True)):
        for _ in range(pools):
            pixels, _, captions, fits = batch(rng, 64, alike)
            scores = student.embed_captions(*_tokens(tokenizer, captions)) @ student.embed_clips(pixels)[0].T
            if alike:
                other_looks = torch.block_diag(*[torch.ones(LOOKALIKES, LOOKALIKES)] * (64 // LOOKALIKES)) == 0
                scores = scores.masked_fill(other_looks, -9)
            best = scores.argmax(1).numpy()
            hits[name] += fits[np.arange(64), best].tolist()
    return hits


def export(student: Student, tokenizer: Tokenizer, out: Path, report: dict[str, Any]) -> None:
    """Writes config, safetensors, tokenizer, preprocessor and the figures reached."""
    with base_folder(out, report) as part:
        student.model.save_pretrained(part, safe_serialization=True)
        fast = PreTrainedTokenizerFast(
            tokenizer_object=tokenizer, pad_token=PAD, bos_token=START, eos_token=END, model_max_length=LONGEST
        )
        fast.save_pretrained(part)
        shutil.copyfile(ENCODER / "preprocessor_config.json", part / "preprocessor_config.json")


def _optimizer(student: Student, rate: float) -> torch.optim.AdamW:
    """The encoder is trained already: a third of the learning rate of what begins with random weights."""
    tower = {id(p) for p in student.model.vision_model.parameters()}
    groups = []
    for trained in (True, False):
        for matrix in (True, False):
            chosen = [p for p in student.parameters() if (id(p) in tower) is trained and (p.ndim > 1) is matrix]
            groups.append(
                {"params": chosen, "weight_decay": WEIGHT_DECAY * matrix, "lr": rate / 3 if trained else rate}
            )
    return torch.optim.AdamW(groups, betas=ADAM_BETAS)


def train(options: Options) -> None:
    """Pretrains, evaluates every 250 steps and saves the best weights so far, by the sum of both figures."""
    torch.manual_seed(options.seed)
    rng = np.random.default_rng(options.seed)
    tokenizer = make_tokenizer()
    student = Student(tokenizer).train()
    best = 0.0

    def losses(step: int) -> tuple[torch.Tensor, torch.Tensor]:
        pixels, truth, captions, fits = batch(rng, options.batch, step % 2 == 0)
        tokenizer.model.dropout = WORD_DROPOUT
        ids, mask = _tokens(tokenizer, captions)
        tokenizer.model.dropout = None
        with torch.autocast("cpu", dtype=torch.bfloat16):
            clips, out = student.embed_clips(pixels)
            texts = student.embed_captions(ids, mask)
            motion = encoder_loss(out, truth)
        scores = student.model.logit_scale.exp().clamp(max=100) * texts @ clips.T
        contrastive = contrastive_loss(scores, torch.from_numpy(fits))
        return contrastive + ENCODER_WEIGHT * motion, contrastive

    def save(mean: Student, report: dict[str, Any]) -> None:
        nonlocal best
        if report["r1_of_64"] + report["r1_of_8_alike"] >= best:
            best = report["r1_of_64"] + report["r1_of_8_alike"]
            export(mean, tokenizer, options.out, report)

    optimizer = _optimizer(student, options.rate)
    score = partial(evaluate, tokenizer=tokenizer)
    train_loop(student, optimizer, options, losses, score, save, warmup=200, save_every=250)


if __name__ == "__main__":
    command_line("pretrain_retriever", __doc__, train, steps=3000, batch=48)
