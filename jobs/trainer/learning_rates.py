"""Learning rates by parameter: modules that are trained in full may learn faster than the adapters."""

from typing import Any

from orchestrator.domain.recipe_optim import Optim

_IN_FULL = ".modules_to_save."
"""In the names of parameters that PEFT trains and saves in full, next to the adapters."""
_SECOND_MATRIX = ".lora_B."


def set_learning_rates(optimizer: Any, model: Any, optim: Optim) -> None:
    """Splits the optimizer's groups by learning rate, before its first step. The first group keeps the recipe's rate.

    The schedule scales each group's own rate.
    """
    if optim.head_lr is not None:
        _move(optimizer, model, _IN_FULL, optim.head_lr)
    if optim.lora_plus_ratio is not None and optim.lora_plus_ratio != 1.0:
        _move(optimizer, model, _SECOND_MATRIX, optim.learning_rate * optim.lora_plus_ratio)


def _move(optimizer: Any, model: Any, inside: str, rate: float) -> None:
    """Moves the parameters with this part in their names into groups of their own."""
    chosen = {id(parameter) for name, parameter in model.named_parameters() if inside in name}
    for group in list(optimizer.param_groups):
        moved = [parameter for parameter in group["params"] if id(parameter) in chosen]
        if not moved:
            continue
        group["params"] = [parameter for parameter in group["params"] if id(parameter) not in chosen]
        settings = {name: value for name, value in group.items() if name != "params"}
        optimizer.add_param_group(settings | {"params": moved, "lr": rate})
