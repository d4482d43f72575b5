"""Language models whose blocks choose among experts: what of them can be quantized and adapted, and what cannot.

transformers keeps the experts of a block in one tensor of three dimensions. bitsandbytes quantizes linear layers and
LoRA adapts linear layers, so neither reaches them. PEFT takes the names of the layers inside of an expert (`gate_proj`,
`up_proj`, `down_proj`) for those tensors with some model types, so adapters go to the attention alone.
"""

import re
from collections.abc import Mapping
from typing import Any

from orchestrator.domain.recipe_qlora import Qlora

EXPERT_TENSOR = re.compile(r"(^|\.)experts\.")
"""Names of the weights of experts."""
ROUTING_LAYER = re.compile(r"(^|\.)(router\.\w+|gate|shared_expert_gate)(\.weight)?$")
"""Names of layers that choose experts or weigh them: they get no adapter."""
_COUNTS = ("num_experts", "n_routed_experts", "num_local_experts")
EXPERT_LAYERS = frozenset({"gate_proj", "up_proj", "down_proj", "gate_up_proj", "gate", "experts"})
"""Names that layers of an expert have, which the layers beside it share."""
NOT_QUANTIZED = (
    "The experts of this base hold most of its weights, and 4 bits do not reach them: bitsandbytes quantizes linear "
    "layers, and the experts of a block are one tensor. Choose 16-bit."
)
NOT_ADAPTED = (
    "The experts of this base cannot get adapters: those of a block are one tensor and no linear layer. Choose layers "
    "of the attention, such as q_proj, or leave the layers empty."
)
FROZEN = "The experts of this base stay as they are: adapters go to the layers of its attention."


def count_experts(config: Mapping[str, Any]) -> int:
    """Experts of a block of the language model; 0 where it has none."""
    text = config.get("text_config") or config
    if text.get("enable_moe_block") is False:
        return 0
    return next((int(text[name]) for name in _COUNTS if text.get(name)), 0)


def expert_problems(qlora: Qlora) -> list[tuple[str, str]]:
    """The fields, with a sentence each, that ask for what cannot be had of a base with experts."""
    if not qlora.enabled:
        return []
    problems = [("qlora.bits", NOT_QUANTIZED)] if qlora.bits == 4 else []
    if EXPERT_LAYERS & set(qlora.target_modules):
        problems.append(("qlora.target_modules", NOT_ADAPTED))
    return problems
