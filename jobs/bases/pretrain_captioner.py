"""Trains the built-in tiny captioner from videomae-tiny: `python -m jobs.bases.pretrain_captioner --out FOLDER`.

The encoder starts from videomae-tiny and continues to learn every frame's position, radius and alpha as numbers, and
how each path spreads and turns, while a new decoder of two layers learns to caption. Every clip is invented for one
step and never used again.
"""

import copy
import json
from functools import partial
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

from jobs.bases.captioner_captions import SPECIAL, VOCABULARY, describe, turns, word_tokenizer
from jobs.bases.motion import DIRECTIONS, GroundTruth
from jobs.bases.motion_targets import FRAMES, draw_batch, frame_losses, motion_outputs, shape_loss, sums_loss
from jobs.bases.pretraining import ADAM_BETAS, WEIGHT_DECAY, Options, base_folder, command_line, train_loop
from jobs.video.shapes import COLOURS, SHAPES
from orchestrator.settings import ROOT

ENCODER = ROOT / "orchestrator" / "builtin" / "models" / "videomae-tiny"
LENGTH = 64
"""Most tokens of a caption, with its begin and end."""
ROAMING = 0.5
"""Share of the clips on whose paths both coordinates swing."""
PAD, BEGIN, END = (SPECIAL.index(word) for word in ("<pad>", "<s>", "</s>"))


def build(encoder_folder: Path | None = ENCODER) -> Any:
    """The captioner: the encoder's weights from `encoder_folder` (None: random), the decoder's random."""
    raw = json.loads((ENCODER / "config.json").read_text())
    layers = ("hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size")
    pixels = ("image_size", "patch_size", "num_frames", "tubelet_size")
    shared: Any = {name: raw[name] for name in (*layers, *pixels)}
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
    vision_encoder = VideoMAEModel(encoder) if encoder_folder is None else _shipped_encoder(encoder_folder, encoder)
    model = VisionEncoderDecoderModel(config, vision_encoder, RobertaForCausalLM(decoder))
    model.generation_config = GenerationConfig(
        decoder_start_token_id=BEGIN, bos_token_id=BEGIN, eos_token_id=END, pad_token_id=PAD, max_length=LENGTH
    )
    return model


def _shipped_encoder(folder: Path, config: VideoMAEConfig) -> VideoMAEModel:
    """The built-in encoder. The norm of the mean of its tokens becomes the norm of each token."""
    vision_encoder = VideoMAEModel.from_pretrained(folder, config=config, local_files_only=True)
    weights = load_file(folder / "model.safetensors")
    assert vision_encoder.layernorm is not None
    vision_encoder.layernorm.load_state_dict({name: weights[f"fc_norm.{name}"] for name in ("weight", "bias")})
    return vision_encoder


def _load(folder: Path) -> Any:
    """A captioner that this script trained before, in full precision and with the attention that `build` chooses."""
    known = VisionEncoderDecoderModel.from_pretrained(folder, local_files_only=True, dtype=torch.float32)
    model = build()
    model.load_state_dict(known.state_dict())
    return model


class Student(nn.Module):
    """The model that is shipped, with the heads that only pretraining needs."""

    def __init__(self, start: Path | None = None) -> None:
        """`start`: a captioner to continue, with new heads; None: a new decoder on the built-in encoder."""
        super().__init__()
        self.model = build() if start is None else _load(start)
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
        return {"caption": out.loss} | motion_outputs(self, tokens, pooled) | {"traits": self.traits(pooled)}


def labels_of(tokenizer: PreTrainedTokenizerFast, sentences: list[str]) -> torch.Tensor:
    """(B, L) token ids without the begin token, which the model adds itself; padding is -100."""
    ids = tokenizer(sentences, padding=True, return_tensors="pt").input_ids[:, 1:]
    return ids.masked_fill(ids == PAD, -100)


def traits_of(truth: GroundTruth) -> torch.Tensor:
    """(B, 11): for x, then y: range, deviation, mean change, turns, autocorrelation at lag 2; then |turning area|.

    Each is scaled to a deviation of about one. They separate kinds of motion that are not among the classes.
    """
    columns = []
    for track in (truth.frames[..., 0], truth.frames[..., 1]):
        centred = track - track.mean(1, keepdims=True)
        deviation = centred.std(1)
        autocorrelation = (centred[:, 2:] * centred[:, :-2]).mean(1) / (deviation**2 + 1e-3)
        change = np.abs(np.diff(track, axis=1)).mean(1)
        columns += [
            4 * np.ptp(track, axis=1),
            12 * deviation,
            15 * change,
            [0.7 * turns(one) for one in track],
            2 * autocorrelation,
        ]
    return torch.from_numpy(np.stack([*columns, 2 * np.abs(truth.sums[:, 2])], axis=1).astype(np.float32))


def loss_of(out: dict[str, torch.Tensor], truth: GroundTruth) -> torch.Tensor:
    """The caption's cross entropy, the numbers of the motion and the shape's cross entropy, weighted."""
    total = 3.0 * out["caption"].float()
    frames = frame_losses(out, truth)
    total = total + frames["frames"] + frames["slots"]
    total = total + 0.5 * shape_loss(out, truth)
    total = total + 0.5 * sums_loss(out, truth)
    return total + 2.0 * nn.functional.smooth_l1_loss(out["traits"].float(), traits_of(truth), beta=0.5)


def evaluate(
    student: Student, rng: np.random.Generator, tokenizer: PreTrainedTokenizerFast, count: int = 512
) -> dict[str, list[float]]:
    """Whether each generated caption has the right colour, shape and direction, and is exactly right."""
    hits: dict[str, list[float]] = {"colour": [], "shape": [], "direction": [], "sentence": []}
    for _ in range(count // 64):
        pixels, truth = draw_batch(rng, 64, ROAMING)
        references = describe(truth, np.random.default_rng(0))
        captions = tokenizer.batch_decode(student.model.generate(pixel_values=pixels), skip_special_tokens=True)
        for row, (reference, caption) in enumerate(zip(references, captions, strict=True)):
            words = caption.split()
            hits["colour"].append(list(COLOURS)[truth.colour[row]] in words)
            hits["shape"].append(SHAPES[truth.shape[row]] in words)
            hits["sentence"].append(_without_frame(reference) == _without_frame(caption))
            if truth.direction[row] >= 0:
                hits["direction"].append(caption.endswith(f"drifts {DIRECTIONS[truth.direction[row]]}"))
    return hits


def _without_frame(caption: str) -> str:
    """The same text for both wordings of a caption."""
    return caption.removeprefix("the clip shows ").replace(" that ", " ")


def export(model: Any, tokenizer: PreTrainedTokenizerFast, out: Path, report: dict[str, Any]) -> None:
    """Writes config, half-precision safetensors, tokenizer, preprocessor and the figures reached."""
    with base_folder(out, report) as part:
        copy.deepcopy(model).half().save_pretrained(part, safe_serialization=True)
        tokenizer.save_pretrained(part)
        processor = json.loads((ENCODER / "preprocessor_config.json").read_text())
        (part / "preprocessor_config.json").write_text(json.dumps(processor, indent=2) + "\n")


def _optimizer(student: Student, rate: float) -> torch.optim.AdamW:
    """The encoder is trained already, so that its learning rate is lower."""
    groups: list[dict[str, Any]] = []
    for name, parameter in student.named_parameters():
        scale = 0.4 if name.startswith("model.encoder") else 1.0
        decay = WEIGHT_DECAY if parameter.ndim > 1 else 0.0
        groups.append({"params": [parameter], "lr": rate * scale, "weight_decay": decay})
    return torch.optim.AdamW(groups, betas=ADAM_BETAS)


def train(options: Options) -> None:
    """Pretrains and saves every 500 steps."""
    torch.manual_seed(options.seed)
    rng, tokenizer = np.random.default_rng(options.seed), word_tokenizer()
    student = Student(options.start).train()

    def losses(step: int) -> tuple[torch.Tensor, torch.Tensor]:
        pixels, truth = draw_batch(rng, options.batch, ROAMING)
        labels = labels_of(tokenizer, describe(truth, rng))
        with torch.autocast("cpu", dtype=torch.bfloat16):
            out = student(pixels, labels)
        return loss_of(out, truth), out["caption"]

    def save(mean: Student, report: dict[str, Any]) -> None:
        export(mean.model, tokenizer, options.out, report)

    optimizer = _optimizer(student, options.rate)
    score = partial(evaluate, tokenizer=tokenizer)
    train_loop(student, optimizer, options, losses, score, save, warmup=200, save_every=500)


if __name__ == "__main__":
    command_line("pretrain_captioner", __doc__, train, steps=6000, batch=32, can_continue=True)
