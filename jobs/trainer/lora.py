"""Puts the adapters of a recipe on a loaded base: which layers, with which ranks, beginning as which weights."""

from collections.abc import Mapping, Sequence
from typing import Any

import regex
from peft import LoraConfig, get_peft_model
from peft.tuners.tuners_utils import check_target_module_exists

from jobs.families.protocol import Family, Plan
from jobs.trainer.continuing import continue_adapter
from jobs.trainer.pissa import remember_initial_weights
from orchestrator.domain.errors import Invalid
from orchestrator.domain.recipe_qlora import InitialWeights, Qlora
from orchestrator.domain.recipes import Recipe

_INITIAL_WEIGHTS: Mapping[InitialWeights, Any] = {
    InitialWeights.DEFAULT: True,
    InitialWeights.GAUSSIAN: "gaussian",
    InitialWeights.PISSA: "pissa",
}
"""What PEFT calls them."""
_MATCH_S = 0.2
"""Time in which a pattern must match one name: some patterns take ages for a long one."""
_PATTERN = "qlora.target_pattern"


def add_adapters(family: Family, plan: Plan, model: Any) -> Any:
    """The base with its frozen weights and new adapters as the recipe describes them.

    Raises:
        Invalid: the layers, the pattern or the initial weights that were asked for cannot be had with this base.
    """
    if plan.continued is not None:
        return continue_adapter(family, plan, model, plan.continued)
    qlora = plan.recipe.qlora
    if problem := qlora.initial_weights_problem:
        raise Invalid(problem, "qlora.init_lora_weights")
    targets = target_layers(family, plan.recipe, model)
    config = LoraConfig(
        r=qlora.r,
        lora_alpha=qlora.alpha,
        lora_dropout=qlora.dropout,
        use_rslora=qlora.rslora,
        use_dora=qlora.dora,
        rank_pattern=dict(qlora.rank_pattern),
        alpha_pattern=dict(qlora.alpha_pattern),
        init_lora_weights=_INITIAL_WEIGHTS[qlora.init_lora_weights],
        target_modules=targets,
        modules_to_save=list(family.head) or None,
    )
    try:
        adapted = get_peft_model(model, config)
    except ValueError as error:
        names = targets if isinstance(targets, str) else ", ".join(targets)
        text = f"None of the target modules ({names}) is a linear layer of this base. Choose others."
        raise Invalid(text, "qlora.target_modules") from error
    _check_patterns(adapted, qlora)
    if qlora.init_lora_weights is InitialWeights.PISSA:
        remember_initial_weights(adapted)
    return adapted


def target_layers(family: Family, recipe: Recipe, model: Any) -> list[str] | str:
    """The layers that get an adapter, as PEFT takes them.

    A pattern chooses among the layers that the family would adapt by default, so that it reaches no head, and the
    vision tower only where the recipe adapts it.

    Raises:
        Invalid: the pattern matches none of them, or takes too long.
    """
    pattern = recipe.qlora.target_pattern
    if not pattern:
        return family.targets(recipe, model)
    everything = recipe.model_copy(update={"qlora": recipe.qlora.model_copy(update={"target_modules": ()})})
    config = LoraConfig(target_modules=family.targets(everything, model))
    layers = [
        name
        for name, module in model.named_modules()
        if not any(module.children()) and check_target_module_exists(config, name)
    ]
    found = matching(pattern, layers)
    if not found:
        example = f" One of them is {layers[0]}." if layers else ""
        text = f"The pattern {pattern!r} matches no layer of this base that may get an adapter.{example}"
        raise Invalid(text, _PATTERN)
    return found


def matching(pattern: str, names: Sequence[str]) -> list[str]:
    """The names that the expression matches completely.

    Raises:
        Invalid: it is no expression, or a match takes longer than `_MATCH_S`.
    """
    try:
        compiled = regex.compile(pattern)
        return [name for name in names if compiled.fullmatch(name, timeout=_MATCH_S)]
    except TimeoutError as error:
        raise Invalid(
            f"The pattern {pattern!r} takes too long to match a name. Write a simpler one.", _PATTERN
        ) from error
    except regex.error as error:
        raise Invalid(f"The pattern {pattern!r} is no regular expression: {error}.", _PATTERN) from error


def _check_patterns(adapted: Any, qlora: Qlora) -> None:
    """Raises Invalid for a rank or alpha of a layer that has no adapter."""
    layers = [name for name, module in adapted.named_modules() if hasattr(module, "lora_A")]
    for field in ("rank_pattern", "alpha_pattern"):
        for ending in getattr(qlora, field):
            if not any(name == ending or name.endswith(f".{ending}") for name in layers):
                raise Invalid(f"No layer with an adapter has a name that ends in {ending}.", f"qlora.{field}")
