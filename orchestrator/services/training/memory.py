"""Estimates the device memory of a run, part by part, before anything is loaded."""

from dataclasses import dataclass
from typing import Any

from orchestrator.domain.machines import DEQUANTIZED_BYTES
from orchestrator.domain.models import VideoModel
from orchestrator.domain.recipes import Recipe
from orchestrator.domain.vision_budget import FRAMES, ClipShape
from orchestrator.services.models.rows import vision_layout
from orchestrator.services.models.vision_tokens import clip_patches, clip_tokens

PROCESS_BYTES = 700 * 10**6
"""A trainer that has loaded torch, transformers and peft only: measured on Linux with the CPU build of torch 2.13."""
_GPU_PROCESS_BYTES = 600 * 10**6
"""CUDA's context and the libraries' workspaces."""
_TRAINED_BYTES = 16
"""Bytes of a trained weight: the weight, its gradient and two Adam moments, 4 bytes each."""
_TRAINED_8BIT_BYTES = 10
"""The same with 8-bit moments (Dettmers et al. 2022)."""
_ENCODER_BYTES = 120
"""Activations per token, channel and block in 32-bit floats: twice the 34 bytes of 16-bit ones (Korthikanti et al.
2022, table 2) plus the dropout output in front of each adapter. Measured on VideoMAE and CLIP with
`./loreel bench estimate`. SDPA stores no attention maps."""
_ON_GPU = 2 / 3
"""The part of it on a GPU, where products are 16-bit and sums 32-bit."""
_TEXT_TOKENS = 64
"""Tokens of the question, time marks and caption, which are not counted before the run."""
_PER_CHANNEL, _PER_INNER_CHANNEL = 25, 7
"""Activations that a block of a language model stores per token, for each channel and each inner channel: norms,
projections, dropout outputs. Measured on a Qwen2-VL with the same benchmark."""


@dataclass(frozen=True, slots=True)
class Memory:
    """Bytes of one training process; on a GPU those in its memory."""

    process: int
    weights: int
    trained: int
    activations: int

    @property
    def fixed(self) -> int:
        """Everything that does not grow with the batch."""
        return self.process + self.weights + self.trained

    @property
    def total(self) -> int:
        """All parts together."""
        return self.fixed + self.activations


def memory_of(
    model: VideoModel, recipe: Recipe, trainable: int, gpu: bool = False, clip: ClipShape | None = None
) -> Memory:
    """Estimates the memory of a run.

    Args:
        trainable: how many parameters are trained.
        clip: the largest one, where that depends on the clip; None for a usual one.
    """
    return Memory(
        process=_GPU_PROCESS_BYTES if gpu else PROCESS_BYTES,
        weights=_weights(model, recipe, gpu),
        trained=trainable * (_TRAINED_8BIT_BYTES if recipe.uses_8bit_optimizer(gpu) else _TRAINED_BYTES),
        activations=activation_bytes(model, recipe, gpu, clip),
    )


def activation_bytes(model: VideoModel, recipe: Recipe, gpu: bool = False, clip: ClipShape | None = None) -> int:
    """What the clips that are encoded at once store for the backward pass; 0 where the config names no sizes."""
    vision = vision_layout(model)
    if not vision:
        return (recipe.optim.chunk_size or recipe.optim.batch_size) * _encoder_bytes(model.details or {}, recipe, gpu)
    tokens = clip_tokens(model.family, vision, recipe.data, clip)
    patches = clip_patches(model.family, vision, recipe.data, clip)
    return recipe.optim.batch_size * _language_bytes(vision, recipe, gpu, tokens, patches)


def _weights(model: VideoModel, recipe: Recipe, gpu: bool) -> int:
    facts = model.details or {}
    if not (recipe.qlora.enabled and recipe.qlora.bits == 4):
        return model.parameters * (2 if gpu and vision_layout(model) else 4)
    small = int(facts.get("nf4_bytes") or model.parameters // 2)
    if not gpu:
        quantized = max(0, 4 * model.parameters - small) / 3.5  # weights of half a byte; the others have four
        return small + min(DEQUANTIZED_BYTES, round(4 * quantized))
    if vision_layout(model):
        small -= 2 * int(facts.get("eye_parameters") or 0)  # the vision tower has 16 bits there
    return small


def _encoder_bytes(facts: dict[str, Any], recipe: Recipe, gpu: bool) -> int:
    """Activations of one clip in a trained encoder, and of its caption where a text encoder reads it."""
    hidden, blocks = int(facts.get("hidden_size") or 0), int(facts.get("blocks") or 0)
    frames = int(recipe.data.frames or facts.get("frames") or FRAMES)
    size = int(recipe.data.size or facts.get("image_size") or 0)
    patch, tubelet = int(facts.get("patch_size") or 8), int(facts.get("tubelet_size") or 1)
    tokens = max(1, frames // tubelet) * (size // patch) ** 2
    text = _TEXT_TOKENS * int(facts.get("text_hidden") or 0) * int(facts.get("text_blocks") or 0)
    return round((blocks * tokens * hidden + text) * _ENCODER_BYTES * (_ON_GPU if gpu else 1))


def _language_bytes(vision: dict[str, int], recipe: Recipe, gpu: bool, visual: int, patches: int) -> int:
    """Activations of one clip and its caption in the language model; a frozen vision tower stores none.

    On a GPU each block stores only its input and is computed again (gradient checkpointing, Chen et al. 2016).
    """
    tokens = visual + _TEXT_TOKENS
    block = tokens * (_PER_CHANNEL * vision["hidden"] + _PER_INNER_CHANNEL * vision["inner"])
    # Logits of the vocabulary, their 32-bit copy and its gradient; only for the tokens of the answer.
    logits = 3 * 4 * _TEXT_TOKENS * vision["words"]
    tower = _vision_tower_bytes(vision, patches, gpu) if recipe.qlora.enabled and recipe.qlora.vision else 0
    if gpu:
        return 2 * block + vision["blocks"] * tokens * vision["hidden"] * 2 + logits + tower
    return 4 * vision["blocks"] * block + logits + tower


def _vision_tower_bytes(vision: dict[str, int], tokens: int, gpu: bool) -> int:
    """Activations of one clip in a trained vision tower; 0 for models that were registered before it was measured."""
    hidden, blocks = vision.get("eye_hidden", 0), vision.get("eye_blocks", 0)
    # On a GPU one block at a time stores all activations; the others store their input.
    per_token = blocks * 2 + _ENCODER_BYTES * _ON_GPU if gpu else blocks * _ENCODER_BYTES
    return round(per_token * tokens * hidden)
