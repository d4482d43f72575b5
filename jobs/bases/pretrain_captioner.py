"""Trains the shipped tiny captioner from the shipped video encoder: `python -m jobs.bases.pretrain_captioner --out F`.

The encoder starts from videomae-tiny and goes on learning every frame's position, radius and visibility as numbers, and
how each path spreads and turns, while a fresh decoder of two layers learns to say what it sees. Every clip is invented
once and never seen again.
"""

import copy
import json
import os
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file
from torch import nn
from transformers import (
    GenerationConfig,
    PreTrainedTokenizerFast,
    RobertaConfig,
    RobertaForCausalLM,
    VideoMAEConfig,
    VideoMAEModel,
    VisionEncoderDecoderConfig,
    VisionEncoderDecoderModel,
)

from jobs.bases.loop import command_line, update_average, warmup_cosine
from jobs.bases.motion import DIRECTIONS, GroundTruth, add_noise, generate_clips
from jobs.bases.pretrain_videomae import CENTRE, FRAMES, SEEN, SIZE, SPREAD
from jobs.bases.sentences import SPECIAL, VOCABULARY, describe, turns, word_tokenizer
from jobs.video.shapes import COLOURS, SHAPES, render
from orchestrator.settings import ROOT

ENCODER = ROOT / "orchestrator" / "builtin" / "models" / "videomae-tiny"
LENGTH = 64
"""Tokens of a caption at most, begin and end included."""
ROAMING = 0.5
"""Share of the clips on whose paths both coordinates swing."""
PAD, BEGIN, END = (SPECIAL.index(word) for word in ("<pad>", "<s>", "</s>"))


def build(encoder_folder: Path | None = ENCODER) -> Any:
    """The captioner: the encoder's weights from `encoder_folder` (None: random), the decoder's random."""
    raw = json.loads((ENCODER / "config.json").read_text())
    own = ("hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size", "image_size", "patch_size")
    more = ("num_frames", "tubelet_size")
    shared: Any = {name: raw[name] for name in (*own, *more)}
    encoder = VideoMAEConfig(
        **shared, use_mean_pooling=False, hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0,
        # In bfloat16 on a CPU the fused attention's backward is three times slower than the plain one.
        attn_implementation="eager",  # pyright: ignore[reportCallIssue]
    )  # fmt: skip
    decoder = RobertaConfig(
        vocab_size=VOCABULARY, hidden_size=encoder.hidden_size, num_hidden_layers=2, num_attention_heads=4,
        intermediate_size=512, hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0, type_vocab_size=1,
        max_position_embeddings=LENGTH + PAD + 2, is_decoder=True, add_cross_attention=True,
        pad_token_id=PAD, bos_token_id=BEGIN, eos_token_id=END, tie_word_embeddings=False,
    )  # fmt: skip
    config = VisionEncoderDecoderConfig.from_encoder_decoder_configs(encoder, decoder, tie_word_embeddings=False)
    config.decoder_start_token_id, config.pad_token_id, config.eos_token_id = BEGIN, PAD, END
    eye = VideoMAEModel(encoder) if encoder_folder is None else _shipped_encoder(encoder_folder, encoder)
    model = VisionEncoderDecoderModel(config, eye, RobertaForCausalLM(decoder))
    model.generation_config = GenerationConfig(
        decoder_start_token_id=BEGIN, bos_token_id=BEGIN, eos_token_id=END, pad_token_id=PAD, max_length=LENGTH
    )
    return model


def _shipped_encoder(folder: Path, config: VideoMAEConfig) -> VideoMAEModel:
    """The shipped encoder; what normalised the mean of its tokens now normalises each."""
    eye = VideoMAEModel.from_pretrained(folder, config=config, local_files_only=True)
    weights = load_file(folder / "model.safetensors")
    assert eye.layernorm is not None
    eye.layernorm.load_state_dict({name: weights[f"fc_norm.{name}"] for name in ("weight", "bias")})
    return eye


def _known(folder: Path) -> Any:
    """A captioner that was trained before, in full precision and with the attention that trains fast here."""
    known = VisionEncoderDecoderModel.from_pretrained(folder, local_files_only=True, dtype=torch.float32)
    model = build()
    model.load_state_dict(known.state_dict())
    return model


class Student(nn.Module):
    """The model that ships, with the heads that keep the encoder's eye sharp."""

    def __init__(self, start: Path | None = None) -> None:
        """`start`: a captioner that learns on, with fresh heads; None: a fresh decoder on the shipped encoder."""
        super().__init__()
        self.model = build() if start is None else _known(start)
        self.frames = nn.Linear(128, FRAMES * 4)
        self.slots = nn.Linear(128, 2 * 4)
        self.shape = nn.Linear(128, len(SHAPES))
        self.sums = nn.Linear(128, 5)
        self.traits = nn.Linear(128, 11)

    def forward(self, pixels: torch.Tensor, labels: torch.Tensor) -> dict[str, torch.Tensor]:
        """(B, T, 3, H, W) and (B, L) to the caption's loss and the numbers."""
        out = self.model(pixel_values=pixels, labels=labels)
        tokens = out.encoder_last_hidden_state
        pooled = tokens.mean(1)
        slots = tokens.unflatten(1, (FRAMES // 2, -1)).mean(2)
        return {
            "caption": out.loss,
            "frames": self.frames(pooled).unflatten(1, (FRAMES, 4)),
            "slots": self.slots(slots).unflatten(2, (2, 4)).flatten(1, 2),
            "shape": self.shape(pooled),
            "sums": self.sums(pooled),
            "traits": self.traits(pooled),
        }


def batch(rng: np.random.Generator, count: int) -> tuple[torch.Tensor, GroundTruth]:
    """`count` new clips as the processor would hand them over (mean 0.5, spread 0.5)."""
    scene, truth = generate_clips(rng, count, FRAMES, ROAMING)
    clips = add_noise(rng, render(scene, SIZE, SIZE))
    return torch.from_numpy(clips).permute(0, 1, 4, 2, 3).float().div_(127.5).sub_(1), truth


def labels_of(tokenizer: PreTrainedTokenizerFast, sentences: list[str]) -> torch.Tensor:
    """(B, L) without the begin token, which the model puts before; padding is -100."""
    ids = tokenizer(sentences, padding=True, return_tensors="pt").input_ids[:, 1:]
    return ids.masked_fill(ids == PAD, -100)


def traits_of(truth: GroundTruth) -> torch.Tensor:
    """(B, 11): of x, then of y: spread, deviation, ways between frames, turns, likeness two frames on; |turning area|.

    Each is scaled to a spread of about one. A linear reading of them tells kinds of motion apart that no lesson names.
    """
    columns = []
    for track in (truth.frames[..., 0], truth.frames[..., 1]):
        apart = track - track.mean(1, keepdims=True)
        deviation = apart.std(1)
        alike = (apart[:, 2:] * apart[:, :-2]).mean(1) / (deviation**2 + 1e-3)
        ways = np.abs(np.diff(track, axis=1)).mean(1)
        columns += [
            4 * np.ptp(track, axis=1),
            12 * deviation,
            15 * ways,
            [0.7 * turns(one) for one in track],
            2 * alike,
        ]
    return torch.from_numpy(np.stack([*columns, 2 * np.abs(truth.sums[:, 2])], axis=1).astype(np.float32))


def loss_of(out: dict[str, torch.Tensor], truth: GroundTruth) -> torch.Tensor:
    """The caption's cross entropy, and distances and the shape's cross entropy at the side."""
    frames = (torch.from_numpy(truth.frames) - CENTRE) / SPREAD
    seen = (torch.from_numpy(truth.frames[..., 3:]) > SEEN).float().expand_as(frames).clone()
    seen[..., 3] = 1
    total = 3.0 * out["caption"].float()
    for name in ("frames", "slots"):
        apart = nn.functional.smooth_l1_loss(out[name].float(), frames, reduction="none", beta=0.5)
        total = total + (apart * seen).sum() / seen.sum()
    total = total + 0.5 * nn.functional.cross_entropy(out["shape"].float(), torch.from_numpy(truth.shape))
    total = total + 0.5 * nn.functional.smooth_l1_loss(out["sums"].float(), torch.from_numpy(truth.sums), beta=0.5)
    return total + 2.0 * nn.functional.smooth_l1_loss(out["traits"].float(), traits_of(truth), beta=0.5)


@torch.no_grad()
def examine(student: Student, tokenizer: PreTrainedTokenizerFast, count: int = 512) -> dict[str, float]:
    """Shares of sentences with the right colour, shape and direction, on clips of a seed that training never uses."""
    student.eval()
    rng = np.random.default_rng(987_654_321)
    hits: dict[str, list[bool]] = {"colour": [], "shape": [], "direction": [], "sentence": []}
    for _ in range(count // 64):
        pixels, truth = batch(rng, 64)
        true = describe(truth, np.random.default_rng(0))
        said = tokenizer.batch_decode(student.model.generate(pixel_values=pixels), skip_special_tokens=True)
        for row, (right, sentence) in enumerate(zip(true, said, strict=True)):
            words = sentence.split()
            hits["colour"].append(list(COLOURS)[truth.colour[row]] in words)
            hits["shape"].append(SHAPES[truth.shape[row]] in words)
            hits["sentence"].append(_plain(right) == _plain(sentence))
            if truth.direction[row] >= 0:
                hits["direction"].append(sentence.endswith(f"drifts {DIRECTIONS[truth.direction[row]]}"))
    student.train()
    return {name: round(float(np.mean(values)), 4) for name, values in hits.items()}


def _plain(sentence: str) -> str:
    return sentence.removeprefix("the clip shows ").replace(" that ", " ")


def export(model: Any, tokenizer: PreTrainedTokenizerFast, out: Path, report: dict[str, object]) -> None:
    """Writes config, half-precision safetensors, tokenizer, preprocessor and the reached figures."""
    part = out.with_name(out.name + ".part")
    part.mkdir(parents=True, exist_ok=True)
    copy.deepcopy(model).half().save_pretrained(part, safe_serialization=True)
    tokenizer.save_pretrained(part)
    processor = json.loads((ENCODER / "preprocessor_config.json").read_text())
    (part / "preprocessor_config.json").write_text(json.dumps(processor, indent=2) + "\n")
    (part / "pretraining.json").write_text(json.dumps(report, indent=2) + "\n")
    out.mkdir(parents=True, exist_ok=True)
    for file in part.iterdir():
        os.replace(file, out / file.name)
    part.rmdir()


def _optimizer(student: Student, rate: float) -> torch.optim.AdamW:
    """The encoder knows much already: a third of the rate for it."""
    groups: list[dict[str, Any]] = []
    for name, parameter in student.named_parameters():
        scale = 0.4 if name.startswith("model.encoder") else 1.0
        groups.append({"params": [parameter], "lr": rate * scale, "weight_decay": 0.05 if parameter.ndim > 1 else 0.0})
    return torch.optim.AdamW(groups, betas=(0.9, 0.98))


def train(out: Path, steps: int, count: int, rate: float, seed: int, start: Path | None = None) -> None:
    """The whole pretraining: warm up, cosine to zero, a running mean of the weights is what ships."""
    torch.manual_seed(seed)
    rng, tokenizer = np.random.default_rng(seed), word_tokenizer()
    student = Student(start).train()
    mean = copy.deepcopy(student)
    optimizer = _optimizer(student, rate)
    schedule = warmup_cosine(optimizer, steps, warm=200)
    begun, running = time.monotonic(), 0.0
    for step in range(1, steps + 1):
        pixels, truth = batch(rng, count)
        labels = labels_of(tokenizer, describe(truth, rng))
        with torch.autocast("cpu", dtype=torch.bfloat16):
            out_ = student(pixels, labels)
        loss = loss_of(out_, truth)
        loss.backward()
        nn.utils.clip_grad_norm_(student.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        optimizer.zero_grad(set_to_none=True)
        update_average(mean, student, step)
        caption = out_["caption"].item()
        running = caption if step == 1 else 0.98 * running + 0.02 * caption
        if step % 50 == 0:
            print(f"step {step} caption loss {running:.4f} {time.monotonic() - begun:.0f}s", flush=True)
        if step % 500 == 0 or step == steps:
            report = {
                "script": "python -m jobs.bases.pretrain_captioner", "seed": seed, "steps": step, "of_steps": steps,
                "batch": count, "learning_rate": rate, "seconds": round(time.monotonic() - begun),
                **({"after": json.loads((start / "pretraining.json").read_text())} if start else {}),
                **examine(mean, tokenizer),
            }  # fmt: skip
            print(json.dumps(report), flush=True)
            export(mean.model, tokenizer, out, report)


if __name__ == "__main__":
    command_line(__doc__, train, steps=6000, batch=32, learns_on=True)
