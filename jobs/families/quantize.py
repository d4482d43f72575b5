"""4-bit NF4 with double quantization (Dettmers et al. 2023), made safe to train on a CPU."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import nn


def nf4_config(skip: Sequence[str], device: str) -> Any:
    """Quantizes every linear layer but `skip`; computes in float32 on a CPU, in bfloat16 on a GPU."""
    from transformers import BitsAndBytesConfig

    return BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=torch.float32 if device == "cpu" else torch.bfloat16,
        llm_int8_skip_modules=list(skip),
    )


def quantized_layers(model: nn.Module) -> list[nn.Module]:
    """Every layer whose weight lies in 4 bits."""
    from bitsandbytes.nn import Linear4bit

    return [module for module in model.modules() if isinstance(module, Linear4bit)]


def keep_trainable_on_cpu(model: nn.Module) -> int:
    """Stops bitsandbytes from repacking 4-bit weights in an eval() forward; returns how many layers it guarded.

    On CPUs with AVX512-BF16 the repacked form has no backward: training after the first evaluation would lose the
    gradient through the base with no more than a warning.
    """
    layers = quantized_layers(model)
    for layer in layers:
        setattr(layer, "support_avx512bf16_for_cpu", False)  # noqa: B010 (no field of Module as its types know it)
    return len(layers)
