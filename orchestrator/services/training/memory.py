"""What a run takes of its device's memory, part by part, worked out before anything is loaded."""

from dataclasses import dataclass
from typing import Any

from orchestrator.domain.machines import DEQUANTIZED_BYTES
from orchestrator.domain.models import VideoModel
from orchestrator.domain.recipes import Optimizer, Recipe
from orchestrator.services.models.vision_tokens import FRAMES, eye_tokens, visual_tokens

PROCESS_BYTES = 700 * 10**6
"""A trainer with torch, transformers and peft loaded and nothing to do: measured on Linux, CPU build of torch 2.13."""
_GPU_PROCESS_BYTES = 600 * 10**6
"""CUDA's context and the libraries' workspaces."""
_TRAINED_BYTES = 16
"""A weight that learns: itself, its gradient and two Adam moments, 4 bytes each."""
_TRAINED_8BIT_BYTES = 10
"""The same with moments of one byte each (Dettmers et al. 2022)."""
_ENCODER_BYTES = 120
"""Per token, channel and block in 32-bit floats: twice the 34 bytes of 16-bit ones (Korthikanti et al. 2022, table 2),
and what dropout let through in front of each adapter. Measured on VideoMAE and CLIP: `./loreel bench estimate`. SDPA
keeps no attention maps."""
_ON_GPU = 2 / 3
"""The share of it on a GPU, where products are in 16 bits and sums in 32."""
_SAID_TOKENS = 64
"""Question, marks of time and caption, where nobody has counted them."""
_WIDE, _INNER = 25, 7
"""Numbers a block of a language model keeps per channel and per inner channel: norms, projections, what dropout let
through in front of each adapter. Measured on a Qwen2-VL by the same bench."""


@dataclass(frozen=True, slots=True)
class Memory:
    """Bytes of one training process; on a GPU those that lie on the card."""

    process: int
    weights: int
    trained: int
    activations: int

    @property
    def fixed(self) -> int:
        """What does not grow with the batch."""
        return self.process + self.weights + self.trained

    @property
    def total(self) -> int:
        return self.fixed + self.activations


def memory_of(model: VideoModel, recipe: Recipe, trainable: int, gpu: bool = False) -> Memory:
    """The estimate, before a rehearsal has measured anything.

    Args:
        trainable: parameters that learn.
    """
    return Memory(
        process=_GPU_PROCESS_BYTES if gpu else PROCESS_BYTES,
        weights=_weights(model, recipe, gpu),
        trained=trainable * (_TRAINED_8BIT_BYTES if small_moments(recipe, gpu) else _TRAINED_BYTES),
        activations=activation_bytes(model, recipe, gpu),
    )


def small_moments(recipe: Recipe, gpu: bool) -> bool:
    """True where the optimizer keeps its moments in 8 bits; `jobs.trainer.device_settings` chooses by the same rule."""
    asked = recipe.optim.optimizer
    return asked is Optimizer.ADAMW_8BIT or (asked is Optimizer.AUTO and gpu and recipe.qlora.enabled)


def activation_bytes(model: VideoModel, recipe: Recipe, gpu: bool = False) -> int:
    """What one batch keeps for the backward pass; 0 where the config names no sizes."""
    sight = (model.details or {}).get("sight")
    each = _language_bytes(sight, recipe, gpu) if sight else _encoder_bytes(model.details or {}, recipe, gpu)
    return recipe.optim.batch_size * each


def _weights(model: VideoModel, recipe: Recipe, gpu: bool) -> int:
    facts = model.details or {}
    if not (recipe.qlora.enabled and recipe.qlora.bits == 4):
        return model.parameters * (2 if gpu and facts.get("sight") else 4)
    small = int(facts.get("nf4_bytes") or model.parameters // 2)
    if not gpu:
        folded = max(0, 4 * model.parameters - small) / 3.5  # weights of half a byte; the others have four
        return small + min(DEQUANTIZED_BYTES, round(4 * folded))
    if facts.get("sight"):
        small -= 2 * int(facts.get("eye_parameters") or 0)  # the eye lies in 16 bits there
    return small


def _encoder_bytes(facts: dict[str, Any], recipe: Recipe, gpu: bool) -> int:
    """One clip in an encoder that learns, and its caption where a second one reads it."""
    hidden, blocks = int(facts.get("hidden_size") or 0), int(facts.get("blocks") or 0)
    frames = int(recipe.data.frames or facts.get("frames") or FRAMES)
    size = int(recipe.data.size or facts.get("image_size") or 0)
    patch, tubelet = int(facts.get("patch_size") or 8), int(facts.get("tubelet_size") or 1)
    tokens = max(1, frames // tubelet) * (size // patch) ** 2
    read = _SAID_TOKENS * int(facts.get("text_hidden") or 0) * int(facts.get("text_blocks") or 0)
    return round((blocks * tokens * hidden + read) * _ENCODER_BYTES * (_ON_GPU if gpu else 1))


def _language_bytes(sight: dict[str, int], recipe: Recipe, gpu: bool) -> int:
    """One clip and its caption in the language model; the eye keeps nothing while it is frozen.

    On a GPU each block keeps its input alone and is computed again (Chen et al. 2016).
    """
    tokens = visual_tokens(sight, recipe.data.frames, recipe.data.size) + _SAID_TOKENS
    block = tokens * (_WIDE * sight["hidden"] + _INNER * sight["inner"])
    # The scores of every word, their 32-bit copy, its gradient; where an answer is learned, and nowhere else.
    said = 3 * 4 * _SAID_TOKENS * sight["words"]
    seen = _eye_bytes(sight, recipe, gpu) if recipe.qlora.enabled and recipe.qlora.vision else 0
    if gpu:
        return 2 * block + sight["blocks"] * tokens * sight["hidden"] * 2 + said + seen
    return 4 * sight["blocks"] * block + said + seen


def _eye_bytes(sight: dict[str, int], recipe: Recipe, gpu: bool) -> int:
    """One clip in an eye that learns, too; 0 where a model was registered before its eye was measured."""
    tokens = eye_tokens(sight, recipe.data.frames, recipe.data.size)
    hidden, blocks = sight.get("eye_hidden", 0), sight.get("eye_blocks", 0)
    # On a GPU one block at a time is whole; the others keep their input.
    kept = blocks * 2 + _ENCODER_BYTES * _ON_GPU if gpu else blocks * _ENCODER_BYTES
    return round(kept * tokens * hidden)
