"""Adapters that began as the principal part of the weights (PiSSA), written as plain ones for the untouched base.

With W = R + s B0 A0, where R stays frozen, training ends at R + s B A. The same weights are W + s (B A - B0 A0), which
is an adapter of twice the rank: the matrices [A; A0] and [B, -B0].
"""

import json
import math
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file

_INITIAL = "initial_lora_weights"
_WEIGHTS, _CONFIG = "adapter_model.safetensors", "adapter_config.json"


def remember_initial_weights(model: Any) -> None:
    """Keeps copies of the matrices before the first step on the model itself.

    A resumed run makes the same ones: they follow from the weights of the base alone.
    """
    matrices = {
        name.replace(".default.weight", ".weight"): parameter.detach().cpu().clone()
        for name, parameter in model.named_parameters()
        if ".lora_A." in name or ".lora_B." in name
    }
    setattr(model, _INITIAL, matrices)


def convert_saved_adapter(model: Any, folder: Path) -> None:
    """Rewrites what `model.save_pretrained(folder)` wrote; does nothing for adapters that began otherwise."""
    initial: dict[str, torch.Tensor] | None = getattr(model, _INITIAL, None)
    if initial is None:
        return
    weights = load_file(folder / _WEIGHTS)
    for name, first in initial.items():
        first = first.to(weights[name].dtype)
        added, dimension = (first, 0) if ".lora_A." in name else (-first, 1)
        weights[name] = torch.cat([weights[name], added], dim=dimension).contiguous()
    save_file(weights, folder / _WEIGHTS, metadata={"format": "pt"})
    config = json.loads((folder / _CONFIG).read_text())
    # The scale, alpha / r or alpha / sqrt(r), stays the same.
    factor = math.sqrt(2) if config["use_rslora"] else 2
    config["init_lora_weights"] = True
    config["r"] *= 2
    config["lora_alpha"] *= factor
    config["rank_pattern"] = {name: 2 * rank for name, rank in config["rank_pattern"].items()}
    config["alpha_pattern"] = {name: factor * alpha for name, alpha in config["alpha_pattern"].items()}
    (folder / _CONFIG).write_text(json.dumps(config, indent=2) + "\n")
