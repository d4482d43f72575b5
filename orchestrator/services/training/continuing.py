"""A run that continues from an adapter: which adapters it may, and the recipe with what comes from the adapter."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlmodel import Session

from orchestrator.domain.adapters import Adapter, ResultKind
from orchestrator.domain.continuing import FROM_ADAPTER, LABELS_FILE, class_changes
from orchestrator.domain.datasets import Dataset
from orchestrator.domain.errors import Invalid, NotFound
from orchestrator.domain.models import VideoModel
from orchestrator.domain.recipe_qlora import TrainingType
from orchestrator.domain.recipes import Recipe, parse_recipe
from orchestrator.domain.tasks import TASKS
from orchestrator.domain.users import Actor
from orchestrator.services.access import owned_adapter
from orchestrator.services.adapters.files import adapter_folder

_FIELD = "adapter"
_GONE = "This adapter does not exist any more. Choose another one, or none."
_NO_ADAPTERS = "A run continues from an adapter only where it trains adapters. Choose fine-tuning with QLoRA, or none."
_OWN_WORDS = "An adapter of an encoder-decoder has a vocabulary of its own, which another run cannot take over."
_OWN_VOCABULARY = frozenset({"vision-encoder-decoder"})
"""Families whose adapters hold the words of their training clips."""


@dataclass(frozen=True, slots=True)
class Continued:
    """A recipe with what comes from the adapter; as it was where it names none, or one that cannot be continued."""

    recipe: Recipe
    problems: list[tuple[str, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    """What is taken from the adapter, and what becomes of its classes."""


def continued(
    session: Session, actor: Actor, recipe: Recipe, model: VideoModel | None, dataset: Dataset | None
) -> Continued:
    """Checks the adapter that a recipe continues from, and takes ranks and layers from it."""
    if recipe.adapter is None:
        return Continued(recipe)
    try:
        adapter = owned_adapter(session, actor, recipe.adapter)
        folder = adapter_folder(adapter)
        if model is None:
            return Continued(recipe)
        _check(adapter, recipe, model)
        taken = _with_matrices_of(adapter, recipe, folder)
    except NotFound:
        return Continued(recipe, [(_FIELD, _GONE)])
    except Invalid as error:
        return Continued(recipe, [(_FIELD, error.message)])
    name, qlora = f"{adapter.name} v{adapter.version}", taken.qlora
    notes = [f"Continues from {name}: rank {qlora.r}, alpha {qlora.alpha} and the layers are those of this adapter."]
    if dataset is not None and TASKS[dataset.task].has_classes:
        notes += class_changes(_class_names(folder), dataset.class_names)
    return Continued(taken, notes=notes)


def _check(adapter: Adapter, recipe: Recipe, model: VideoModel) -> None:
    """Raises Invalid where this adapter cannot be continued on this base."""
    name = f"{adapter.name} v{adapter.version}"
    if adapter.kind is not ResultKind.ADAPTER:
        raise Invalid(f"{name} is a complete model. Register it as a base to train it further.")
    if recipe.training_type is TrainingType.PRETRAIN or not recipe.qlora.enabled:
        raise Invalid(_NO_ADAPTERS)
    if adapter.family != model.family or (adapter.model_id != model.id and not model.revision):
        raise Invalid(f"{name} was trained on {adapter.model_name}. It can be continued on that base only.")
    if adapter.model_revision != model.revision:
        raise Invalid(
            f"{name} was trained on other weights than those of {model.name}. Choose the base it was made on."
        )
    if adapter.family in _OWN_VOCABULARY:
        raise Invalid(_OWN_WORDS)


def _with_matrices_of(adapter: Adapter, recipe: Recipe, folder: Path) -> Recipe:
    """The recipe with `FROM_ADAPTER` as the adapter has them.

    Raises:
        Invalid: its files are gone or damaged, or its rank is larger than a recipe may have.
    """
    try:
        config = json.loads((folder / "adapter_config.json").read_text())
        matrices = {
            "r": int(config["r"]),
            "alpha": max(1, round(config["lora_alpha"])),
            "rslora": bool(config.get("use_rslora")),
            "dora": bool(config.get("use_dora")),
            "rank_pattern": {name: int(rank) for name, rank in (config.get("rank_pattern") or {}).items()},
            "alpha_pattern": {name: max(1, round(a)) for name, a in (config.get("alpha_pattern") or {}).items()},
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise Invalid(
            f"The files of {adapter.name} v{adapter.version} are no longer on the disk, or damaged."
        ) from None
    earlier = dict((adapter.recipe or {}).get("qlora") or {})
    layers = {name: earlier[name] for name in ("target_modules", "target_pattern", "vision") if name in earlier}
    raw: dict[str, Any] = recipe.model_dump(mode="json")
    left = {name: value for name, value in raw["qlora"].items() if f"qlora.{name}" not in FROM_ADAPTER}
    try:
        return parse_recipe({**raw, "qlora": left | layers | matrices})
    except Invalid as error:
        raise Invalid(f"{adapter.name} v{adapter.version} cannot be continued. {error.message}") from error


def _class_names(folder: Path) -> list[str]:
    try:
        return list(map(str, json.loads((folder / LABELS_FILE).read_text())))
    except (OSError, ValueError, TypeError):
        return []
