"""Writes the result: the adapter with its base, labels, recipe and card, complete or not at all."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from jobs.families.protocol import Family, Plan
from jobs.runs.spec import TrainSpec
from jobs.trainer.card import adapter_card, pretrained_card
from jobs.trainer.pissa import convert_saved_adapter
from jobs.trainer.results import EvaluationResult
from orchestrator.domain.recipe_qlora import TrainingType
from orchestrator.domain.recipe_text import dump_recipe
from orchestrator.domain.run_summary import RunSummary

BUNDLED_BYTES = 16 * 2**20
"""A base up to this size is part of the download, so that the adapter works on another machine."""
_BASE_FILES = ("*.json", "*.safetensors", "*.txt", "*.jinja", "*.model")
_NOT_BASE = ("pretraining.json",)


def export(
    spec: TrainSpec,
    plan: Plan,
    family: Family,
    model: Any,
    outcome: EvaluationResult,
    summary: RunSummary,
    check_stop: Callable[[], None] = lambda: None,
) -> Path:
    """Writes `adapter/` (or `model/` after pretraining) into the job's folder and returns it.

    Args:
        check_stop: called between the files; what it raises leaves the folder of an earlier export as it is.
    """
    folder, recipe = Path(spec.folder), plan.recipe
    is_full_model = recipe.training_type is TrainingType.PRETRAIN or not recipe.qlora.enabled
    final = folder / ("model" if is_full_model else "adapter")
    part = folder / f".{final.name}.part"
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    check_stop()
    model.save_pretrained(part, safe_serialization=True)
    convert_saved_adapter(model, part)
    check_stop()
    family.save_processor(plan, part)
    if is_full_model:
        (part / "README.md").write_text(pretrained_card(spec, plan, family, summary))
    else:
        _finish_adapter(part, spec, plan, family, summary)
    (part / "recipe.yaml").write_text(dump_recipe(recipe))
    _write_json(part / "result.json", summary.to_json())
    if outcome.predictions:
        _write_json(part / "predictions.json", [row.to_json() for row in outcome.predictions])
    for path in part.rglob("*"):
        path.chmod(0o700 if path.is_dir() else 0o600)
    check_stop()
    if final.exists():
        shutil.rmtree(final)
    os.replace(part, final)
    return final


def _finish_adapter(part: Path, spec: TrainSpec, plan: Plan, family: Family, summary: RunSummary) -> None:
    """Adds what an adapter lacks: the base, a name of the base that is valid on other machines, the card."""
    bundled = _bundle(plan.base.folder, part / "base")
    settings = json.loads((part / "adapter_config.json").read_text())
    settings["base_model_name_or_path"] = "base" if bundled else spec.public_base
    _write_json(part / "adapter_config.json", settings)
    (part / "README.md").write_text(adapter_card(spec, plan, family, summary, bundled))


def _bundle(source: Path, target: Path) -> bool:
    matches = {path for pattern in _BASE_FILES for path in source.glob(pattern) if path.name not in _NOT_BASE}
    files = sorted(path for path in matches if path.is_file())
    if not (source / "config.json").is_file() or not any(path.suffix == ".safetensors" for path in files):
        return False
    if sum(path.stat().st_size for path in files) > BUNDLED_BYTES:
        return False
    target.mkdir()
    for path in files:
        shutil.copyfile(path, target / path.name)
    return True


def _write_json(path: Path, content: Any) -> None:
    path.write_text(json.dumps(content, indent=2) + "\n")
