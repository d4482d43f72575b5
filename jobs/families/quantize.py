"""4-bit NF4 with double quantization (Dettmers et al. 2023), made safe to train on a CPU."""

from collections.abc import Sequence
from typing import Any

from torch import nn

from jobs.families.precision import base_precision
from jobs.families.protocol import Plan


def quantization_options(plan: Plan, skip: Sequence[str]) -> dict[str, Any]:
    """The arguments of `from_pretrained` that load a base in 4 bits on the plan's device; empty for 16 bits.

    Every linear layer is quantized except those inside the modules `skip`; they compute in float32 on a CPU and in
    16 bits on a GPU.
    """
    if not plan.four_bit:
        return {}
    from transformers import BitsAndBytesConfig

    config = BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=base_precision(plan),
        llm_int8_skip_modules=list(skip),
    )
    return {"quantization_config": config, "device_map": {"": plan.device}}


def quantized_layers(model: nn.Module) -> list[nn.Module]:
    """Every layer whose weight is stored in 4 bits."""
    from bitsandbytes.nn import Linear4bit

    return [module for module in model.modules() if isinstance(module, Linear4bit)]


def keep_trainable_on_cpu(model: nn.Module) -> int:
    """Stops bitsandbytes from repacking 4-bit weights in a forward pass in eval() mode.

    On CPUs with AVX512-BF16 the repacked form has no backward: after the first evaluation, training would lose the
    gradient through the base with no more than a warning.

    Returns:
        How many layers were changed.
    """
    layers = quantized_layers(model)
    for layer in layers:
        setattr(layer, "support_avx512bf16_for_cpu", False)  # noqa: B010 (no field of Module as its types know it)
    return len(layers)
