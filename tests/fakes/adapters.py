"""Adapters in the shape that a finished job leaves, without the training: random weights on a real base."""

from pathlib import Path

import torch

from jobs.families.protocol import Plan
from jobs.families.registry import read_base, resolve
from jobs.trainer.setup import load_with_adapters
from orchestrator.domain.recipes import parse_recipe

RECIPE = {"qlora": {"r": 4, "alpha": 8}}


def make_adapter(
    job_folder: Path, base_folder: Path, task: str, class_names: tuple[str, ...] = (), captions: tuple[str, ...] = ()
) -> Path:
    """Writes `adapter/` into the job's folder; it says something else than its base."""
    base, recipe = read_base(base_folder), parse_recipe(RECIPE)
    family = resolve(base)
    plan = Plan(base, recipe, task, class_names, captions)
    torch.manual_seed(1)
    model = load_with_adapters(family, plan)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if "lora_B" in name or ".modules_to_save." in name:
                weight += 0.3 * torch.randn_like(weight)
    folder = job_folder / "adapter"
    folder.mkdir(parents=True)
    model.save_pretrained(folder, safe_serialization=True)
    family.save_processor(plan, folder)
    return folder
