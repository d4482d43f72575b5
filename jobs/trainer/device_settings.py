"""What depends on the device of a run: precision, optimizer, loader processes and kernels."""

import os
from importlib.util import find_spec
from typing import Any

import torch

from jobs.trainer.distributed import world_size
from orchestrator.domain.errors import Invalid
from orchestrator.domain.recipe_optim import Precision
from orchestrator.domain.recipes import LIGER_MISSING, Recipe

_WORKERS = 4
"""Loader processes of a run at most: more would only compete for the processor."""
_FUSED, _PAGED_8BIT = "adamw_torch_fused", "paged_adamw_8bit"
"""The fused optimizer makes one call for all adapters; that of bitsandbytes is not paged on a processor."""


def device_arguments(recipe: Recipe, device: str, decodes: bool, decode_threads: int = 0) -> dict[str, Any]:
    """The Trainer's arguments that depend on the device.

    Args:
        decode_threads: as `TrainSpec.decode_threads`.
        decodes: clips come as frames, which loader processes may prepare. Missing features have to be computed, and a
            forked process must not use the GPU.
    """
    on_gpu = device != "cpu"
    workers = loader_workers(device, decode_threads) if decodes else 0
    return {
        "optim": optimizer_name(recipe, device),
        "bf16": on_gpu and recipe.optim.precision is Precision.BF16,
        "fp16": on_gpu and recipe.optim.precision is Precision.FP16,  # accelerate scales the loss
        "use_cpu": not on_gpu,
        "dataloader_pin_memory": on_gpu,
        "dataloader_num_workers": workers,
        # A copy from pinned memory runs during the step before.
        "accelerator_config": {"non_blocking": on_gpu},
        # Persistent processes would not learn of the next epoch, and the augmentation of a clip depends on it.
        "dataloader_persistent_workers": False,
        "dataloader_prefetch_factor": 2 if workers else None,
    }


def optimizer_name(recipe: Recipe, device: str) -> str:
    """The Trainer's name of the optimizer; a paged one moves its state to host memory when the GPU is full."""
    return _PAGED_8BIT if recipe.uses_8bit_optimizer(on_gpu=device != "cpu") else _FUSED


def loader_workers(device: str, wanted: int = 0) -> int:
    """Processes of each rank that prepare the next batches; on a processor they would only compete with the step.

    Args:
        wanted: what the operator asked for; 0: half of the cores, divided among the ranks, and four at most.
    """
    if device == "cpu":
        return 0
    return wanted or max(1, min(_WORKERS, (os.cpu_count() or 2) // (2 * world_size())))


def decode_threads(wanted: int = 0) -> int:
    """Threads of each rank that decode the clips of the next batches; `wanted` 0: one for each core."""
    return wanted or max(1, (os.cpu_count() or 1) // world_size())


def emulates_bf16(device: str) -> bool:
    """True on a GPU older than Ampere: torch then emulates bf16, which is correct but slow."""
    return device != "cpu" and not torch.cuda.is_bf16_supported(including_emulation=False)


def use_liger(recipe: Recipe, device: str) -> bool:
    """True where the recipe asks for Liger's kernels and they can run.

    Raises:
        Invalid: field `optim.liger`, where they cannot run here.
    """
    if not recipe.optim.liger:
        return False
    if device == "cpu":
        raise Invalid(LIGER_MISSING["gpu"], "optim.liger")
    if find_spec("liger_kernel") is None or find_spec("triton") is None:
        raise Invalid(LIGER_MISSING["package"], "optim.liger")
    return True
