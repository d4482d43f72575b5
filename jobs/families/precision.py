"""The precision of a run: which numbers its base has, and the autocast of a forward pass outside of the Trainer."""

import torch

from jobs.families.protocol import Plan
from orchestrator.domain.recipe_optim import Precision

_HALF = {Precision.BF16: torch.bfloat16, Precision.FP16: torch.float16}


def half_precision(plan: Plan) -> torch.dtype:
    """The 16-bit numbers that the recipe asks for on a GPU."""
    return _HALF[plan.recipe.optim.precision]


def base_precision(plan: Plan) -> torch.dtype:
    """The numbers of a base that is loaded with 16 bits on a GPU, and those in which its 4-bit layers compute."""
    return torch.float32 if plan.device == "cpu" else half_precision(plan)


def training_precision(plan: Plan) -> torch.autocast:
    """The autocast under which the Trainer runs its steps: 16 bits on a GPU, nothing on a processor."""
    return torch.autocast(plan.device.split(":")[0], half_precision(plan), enabled=plan.device != "cpu")
