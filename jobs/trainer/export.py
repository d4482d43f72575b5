"""Writes what a person takes home: the adapter with its base, labels, recipe and card; whole or not at all."""

import json
import os
import shutil
from pathlib import Path
from typing import Any

import yaml

from jobs.families.protocol import Base, Family
from jobs.spec import TrainSpec
from jobs.trainer.card import adapter_card, pretrained_card
from jobs.trainer.outcome import Outcome
from orchestrator.domain.recipes import Recipe, TrainingType

BUNDLED_BYTES = 16 * 2**20
"""A base up to this size travels inside the download, so that the adapter works without this machine."""
_BASE_FILES = ("config.json", "preprocessor_config.json", "model.safetensors")


def export(
    spec: TrainSpec, recipe: Recipe, family: Family, base: Base, model: Any, outcome: Outcome, summary: dict[str, Any]
) -> Path:
    """Writes `adapter/` (or `model/` after pretraining) into the job's folder and returns it."""
    folder = Path(spec.folder)
    whole = recipe.training_type is TrainingType.PRETRAIN or not recipe.qlora.enabled
    final = folder / ("model" if whole else "adapter")
    part = folder / f".{final.name}.part"
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    model.save_pretrained(part, safe_serialization=True)
    if base.processor:
        _write_json(part / "preprocessor_config.json", base.processor)
    if whole:
        (part / "README.md").write_text(pretrained_card(spec, recipe, family, summary))
    else:
        _finish_adapter(part, spec, recipe, family, base, outcome, summary)
    (part / "recipe.yaml").write_text(yaml.safe_dump(recipe.model_dump(mode="json"), sort_keys=False))
    _write_json(part / "result.json", summary)
    if outcome.predictions:
        _write_json(part / "predictions.json", outcome.predictions)
    for path in part.rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)
    if final.exists():
        shutil.rmtree(final)
    os.replace(part, final)
    return final


def _finish_adapter(
    part: Path,
    spec: TrainSpec,
    recipe: Recipe,
    family: Family,
    base: Base,
    outcome: Outcome,
    summary: dict[str, Any],
) -> None:
    """Adds what an adapter alone lacks: the classes, the base, a path that means something elsewhere, the card."""
    names = list(spec.class_names)
    labels = {
        "num_labels": len(names),
        "id2label": {str(i): name for i, name in enumerate(names)},
        "label2id": {name: i for i, name in enumerate(names)},
    }
    config = {k: v for k, v in base.config.items() if k not in ("_name_or_path", "quantization_config", "num_labels")}
    _write_json(part / "config.json", config | {k: v for k, v in labels.items() if k != "num_labels"})
    _write_json(part / "labels.json", names)
    bundled = _bundle(base.folder, part / "base")
    settings = json.loads((part / "adapter_config.json").read_text())
    settings["base_model_name_or_path"] = "base" if bundled else spec.model_name
    _write_json(part / "adapter_config.json", settings)
    (part / "README.md").write_text(adapter_card(spec, recipe, family, base, summary, bundled))


def _bundle(source: Path, target: Path) -> bool:
    files = [source / name for name in _BASE_FILES if (source / name).is_file()]
    if len(files) < 2 or not (source / "model.safetensors").is_file():
        return False
    if sum(path.stat().st_size for path in files) > BUNDLED_BYTES:
        return False
    target.mkdir()
    for path in files:
        shutil.copyfile(path, target / path.name)
    return True


def _write_json(path: Path, content: Any) -> None:
    path.write_text(json.dumps(content, indent=2) + "\n")
