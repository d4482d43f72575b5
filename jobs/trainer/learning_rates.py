"""Learning rates by parameter: modules that are trained in full may learn faster than the adapters."""

from typing import Any

from orchestrator.domain.recipe_optim import Optim

_IN_FULL = ".modules_to_save."
"""In the names of parameters that PEFT trains and saves in full, next to the adapters."""


def set_learning_rates(optimizer: Any, model: Any, optim: Optim) -> None:
    """Splits the optimizer's groups by learning rate, before its first step. The first group keeps the recipe's rate.

    The schedule scales each group's own rate.
    """
    if optim.head_lr is None:
        return
    heads = {id(parameter) for name, parameter in model.named_parameters() if _IN_FULL in name}
    for group in list(optimizer.param_groups):
        moved = [parameter for parameter in group["params"] if id(parameter) in heads]
        if not moved:
            continue
        group["params"] = [parameter for parameter in group["params"] if id(parameter) not in heads]
        settings = {name: value for name, value in group.items() if name != "params"}
        optimizer.add_param_group(settings | {"params": moved, "lr": optim.head_lr})
