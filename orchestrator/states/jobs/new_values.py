"""The wizard's fields as text: their defaults for a model, their way into a recipe, what is wrong with them."""

import math
import re
from collections.abc import Mapping
from typing import Any

from orchestrator.domain.errors import Invalid
from orchestrator.domain.numbers import parse_id
from orchestrator.domain.recipes import Recipe, parse_recipe
from orchestrator.domain.tasks import task_spec

SEEN_FIELDS = ("data.frames", "data.size", "data.fps")
"""What the model sees of a clip; left empty, the base decides."""
_MAY_BE_EMPTY = (*SEEN_FIELDS, "optim.max_steps")
COUNTS = frozenset(
    f"{part}.{name}"
    for part in ("qlora", "optim", "data", "machine")
    for name, leaf in type(getattr(Recipe(), part)).model_fields.items()
    if leaf.annotation in (int, int | None)
)
"""Whole numbers: 5,000 and 5.000 are no way to write 5."""
FLAG_FIELDS = ("qlora.vision", "optim.liger")
"""Switches: "true", or empty."""
PARAMETER_FIELDS = (
    "qlora.bits",
    "qlora.r",
    "qlora.alpha",
    "qlora.dropout",
    "qlora.target_modules",
    "optim.learning_rate",
    "optim.batch_size",
    "optim.gradient_accumulation",
    "optim.epochs",
    "optim.scheduler",
    "optim.max_steps",
    "optim.warmup_ratio",
    "optim.weight_decay",
    "optim.max_grad_norm",
    "optim.seed",
    "data.validation_share",
    *SEEN_FIELDS,
    "optim.optimizer",
    *FLAG_FIELDS,
    "machine.kind",
    "machine.memory_gb",
    "machine.gpus",
    "output_name",
)
"""In the order they stand on the page: the first bad one gets the focus."""

ADVANCED_FIELDS = frozenset(
    {
        "optim.max_steps",
        "optim.warmup_ratio",
        "optim.weight_decay",
        "optim.max_grad_norm",
        "optim.seed",
        "data.validation_share",
        *SEEN_FIELDS,
        "optim.optimizer",
        *FLAG_FIELDS,
        "machine.kind",
        "machine.memory_gb",
        "machine.gpus",
    }
)
TINY = 5_000_000
"""Parameters under which a base learns from a few hundred quick steps at a high rate."""

_PRESET_EPOCHS_TINY = {"quick": 4, "balanced": Recipe().optim.epochs, "best": 2 * Recipe().optim.epochs}
_PRESET_EPOCHS = {"quick": 1, "balanced": 6, "best": 10}
_PRESET_RANK = {"quick": 8, "balanced": 16, "best": 32}
PRESETS = (("quick", "Quick look"), ("balanced", "Balanced"), ("best", "Best quality"))


_ADAPTED = "Each ticked kind of layer gets an adapter."


def learns(training_type: str, task: str) -> str:
    """What a training of this type does with a base of this task."""
    row = task_spec(task)
    return row.pretrain_note if training_type == "pretrain" else row.finetune_note


def head_note(task: str, has_vision_tower: bool) -> str:
    """What of a base of this task is trained besides the adapters; `has_eye`: it is a video language model."""
    return _ADAPTED if has_vision_tower else f"{_ADAPTED} {task_spec(task).trained_fully} trained whole."


def field_text(value: Any) -> str:
    """A recipe's value as a person would type it: 0.0002 -> "2e-4", 0.05 -> "0.05"."""
    if isinstance(value, bool):
        return "true" if value else ""
    if value is None:
        return ""
    if isinstance(value, float):
        if value and abs(value) < 0.01:
            mantissa, _, exponent = f"{value:e}".partition("e")
            return f"{mantissa.rstrip('0').rstrip('.')}e{int(exponent)}"
        return f"{value:g}"
    return str(value)


def values_from_recipe(recipe: Recipe) -> dict[str, str]:
    """Every field of the form, as text; target modules stand beside it in a list of their own."""
    dump = recipe.model_dump(mode="json")
    values = {"training_type": dump["training_type"], "output_name": dump["output_name"]}
    for part in ("qlora", "optim", "data", "machine"):
        for name, value in dump[part].items():
            if f"{part}.{name}" in PARAMETER_FIELDS and name != "target_modules":
                values[f"{part}.{name}"] = field_text(value)
    return values


def preset_values(preset: str, parameters: int, task: str = "") -> dict[str, str]:
    """The fields that a preset sets, for a base of that many parameters and what it does."""
    tiny = 0 < parameters < TINY
    rank = _PRESET_RANK[preset]
    epochs = (_PRESET_EPOCHS_TINY if tiny else _PRESET_EPOCHS)[preset]
    if tiny:
        epochs *= task_spec(task).tiny_base_epochs
    whole = {"optim.epochs": str(epochs), "optim.max_steps": ""}  # a limit left from before would cut it short
    return {"qlora.r": str(rank), "qlora.alpha": str(2 * rank)} | whole


def default_values(parameters: int, task: str = "") -> dict[str, str]:
    """Sensible values for a base model: tiny bases take the recipe's own, larger ones smaller batches and rates."""
    values = values_from_recipe(Recipe()) | preset_values("balanced", parameters, task)
    if 0 < parameters < TINY:
        values |= task_spec(task).tiny_base_values
    if parameters >= TINY:
        values |= {"optim.learning_rate": "2e-4", "optim.batch_size": "4", "optim.gradient_accumulation": "2"}
    return values


def matching_preset(values: Mapping[str, str], parameters: int, task: str = "") -> str:
    """Which preset these values are, or ""."""
    for key, _ in PRESETS:
        if all(values.get(name, "").strip() == text for name, text in preset_values(key, parameters, task).items()):
            return key
    return ""


def output_name(dataset_name: str, model_name: str, rank: str) -> str:
    """Such as "Home captions", "Tiny VideoMAE", "16" -> "home-captions-tiny-videomae-r16", at most 64 letters."""
    words = "-".join(re.sub(r"[^a-z0-9]+", "-", part.lower()).strip("-") for part in (dataset_name, model_name))
    tail = f"-r{rank}" if parse_id(rank) else ""
    return (words.strip("-")[: 64 - len(tail)].rstrip("-") or "adapter") + tail


def _counts(name: str, values: Mapping[str, str]) -> bool:
    """False for what was typed into a field that the page does not show any more: nobody could mend it there."""
    if name.startswith("qlora."):
        return values.get("training_type") != "pretrain"
    return name not in ("machine.memory_gb", "machine.gpus") or values.get("machine.kind") == "gpu"


def raw_recipe(values: Mapping[str, str], targets: list[str]) -> dict[str, Any]:
    """The form as `parse_recipe` takes it: text stays text, so that what is wrong is said by the domain."""
    raw: dict[str, Any] = {"qlora": {"target_modules": list(targets)}, "optim": {}, "data": {}, "machine": {}}
    raw["training_type"] = values.get("training_type", "finetune")
    raw["output_name"] = values.get("output_name", "").strip()
    for name in PARAMETER_FIELDS:
        part, _, key = name.partition(".")
        if key and name in values and _counts(name, values) and (name not in _MAY_BE_EMPTY or values[name].strip()):
            mark = (".", ",") if name in COUNTS else (",", ".")
            raw[part][key] = values[name].strip().replace(*mark)
            if name in FLAG_FIELDS:
                raw[part][key] = values[name] == "true"
    raw["qlora"]["target_modules"] = list(targets)
    return raw


def read_recipe(values: Mapping[str, str], targets: list[str], has_layers: bool = True) -> Recipe:
    """The recipe that the form asks for.

    Raises:
        Invalid: `problems` names each bad field, in the order of the page.
    """
    problems: dict[str, str] = {}
    recipe: Recipe | None = None
    try:
        recipe = parse_recipe(raw_recipe(values, targets))
    except Invalid as error:
        problems = dict(error.problems)
    if has_layers and not targets and values.get("training_type") != "pretrain":
        problems["qlora.target_modules"] = "Choose at least one kind of layer: without one there is nothing to train."
    if recipe is None or problems:
        ordered = sorted(problems.items(), key=lambda item: _place(item[0]))
        raise Invalid(ordered[0][1], ordered[0][0], ordered)
    return recipe


def problems_in(values: Mapping[str, str], targets: list[str], has_layers: bool = True) -> dict[str, str]:
    """Field -> sentence, first bad field of the page first; empty when the form is whole."""
    try:
        read_recipe(values, targets, has_layers)
    except Invalid as error:
        return dict(error.problems)
    return {}


def _place(field: str) -> int:
    return PARAMETER_FIELDS.index(field) if field in PARAMETER_FIELDS else len(PARAMETER_FIELDS)


def rate_path(values: Mapping[str, str], width: int = 120, height: int = 32) -> str:
    """The learning rate over the run as an SVG path: warm-up, then the schedule; "" while a field is no number."""
    try:
        warm = min(0.5, max(0.0, float(values.get("optim.warmup_ratio", "0").replace(",", "."))))
    except ValueError:
        return ""
    points = []
    for i in range(41):
        done = i / 40
        share = (
            done / warm if done < warm else _rate_after(values.get("optim.scheduler", ""), (done - warm) / (1 - warm))
        )
        points.append(f"{done * width:.1f},{height - share * (height - 2):.1f}")
    return "M" + " L".join(points)


def _rate_after(scheduler: str, done: float) -> float:
    if scheduler == "constant":
        return 1.0
    return 0.5 * (1 + math.cos(math.pi * done)) if scheduler == "cosine" else 1.0 - done
