"""The wizard's fields as text: defaults for a model, conversion to and from a recipe, validation."""

import math
import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, assert_never

from orchestrator.domain.errors import Invalid
from orchestrator.domain.numbers import parse_id
from orchestrator.domain.recipe_defaults import BaseFacts, Default, defaults, preset_epochs
from orchestrator.domain.recipe_fields import RecipeField, Section, ValueKind, map_text
from orchestrator.domain.recipes import FIELDS, Recipe, parse_recipe
from orchestrator.domain.tasks import task_spec

FORM_FIELDS = {name: field for name, field in FIELDS.items() if field.on_form}
"""The fields of the page in its order: the first invalid one gets the focus."""
_PRESET_RANK = {"quick": 8, "balanced": 16, "best": 32}
PRESETS = (("quick", "Quick look"), ("balanced", "Balanced"), ("best", "Best quality"))


_LARGEST_PLAIN = 1e15
"""From here on numbers are written with an exponent."""
_ADAPTED = "Each chosen kind of layer gets an adapter."


def section_fields(section: Section) -> list[RecipeField]:
    """The fields of one section of the page, in their order."""
    return [field for field in FORM_FIELDS.values() if field.spec.section is section]


def training_note(training_type: str, task: str) -> str:
    """What a training of this type trains of a base of this task."""
    row = task_spec(task)
    return row.pretrain_note if training_type == "pretrain" else row.finetune_note


def head_note(task: str, has_vision_tower: bool) -> str:
    """What is trained in addition to the adapters; `has_vision_tower`: the base is a video language model."""
    return _ADAPTED if has_vision_tower else f"{_ADAPTED} {task_spec(task).trained_fully} trained whole."


def field_text(value: Any) -> str:
    """A recipe's value as people type it, with all its digits: 0.0002 -> "2e-4", 0.05 -> "0.05"."""
    if isinstance(value, bool):
        return "true" if value else ""
    if value is None:
        return ""
    if isinstance(value, Mapping):
        return map_text(value)
    if isinstance(value, float):
        exact = Decimal(repr(value)).normalize()
        if value and abs(value) < 0.01:
            mantissa, _, exponent = f"{exact:e}".partition("e")
            return f"{mantissa}e{int(exponent)}"
        return f"{exact:f}" if abs(value) < _LARGEST_PLAIN else f"{exact:e}"
    return str(value)


def values_from_recipe(recipe: Recipe) -> dict[str, str]:
    """Every field of the form, as text; without the target modules, which are a list of their own.

    Fields that scripts alone can set are among them where the recipe has another value than its training type implies,
    so that the form does not lose them.
    """
    implied = Recipe.model_validate({"training_type": recipe.training_type})
    return {
        name: field_text(field.value_in(recipe))
        for name, field in FIELDS.items()
        if field.kind is not ValueKind.LIST and (field.on_form or field.value_in(recipe) != field.value_in(implied))
    }


def preset_values(preset: str, parameters: int, task: str = "", family: str = "") -> dict[str, str]:
    """The fields that a preset sets, for a base of that many parameters, that task and family."""
    rank = _PRESET_RANK[preset]
    epochs = preset_epochs(preset, BaseFacts(parameters, family), task)
    length = {"optim.epochs": str(epochs), "optim.max_steps": ""}  # an earlier limit would end the run too soon
    return {"qlora.r": str(rank), "qlora.alpha": str(2 * rank)} | length


def default_values(parameters: int, task: str = "", family: str = "") -> dict[str, str]:
    """The defaults for a base model, as text."""
    return values_from_defaults(defaults(BaseFacts(parameters, family), task).values())


def values_from_defaults(found: Iterable[Default]) -> dict[str, str]:
    """Defaults as text, by the names of the form's fields."""
    return {
        default.field: field_text(default.value)
        for default in found
        if default.field in FORM_FIELDS and FIELDS[default.field].kind is not ValueKind.LIST
    }


def matching_preset(values: Mapping[str, str], parameters: int, task: str = "", family: str = "") -> str:
    """The preset that has these values, or ""."""
    for key, _ in PRESETS:
        preset = preset_values(key, parameters, task, family)
        if all(values.get(name, "").strip() == text for name, text in preset.items()):
            return key
    return ""


_KEPT = ("training_type", "adapter", "output_name")
"""Fields that neither a preset nor a reset changes: what is trained, from where, and how it is called."""


def reset_values(
    values: Mapping[str, str], preset: str, parameters: int, task: str = "", family: str = ""
) -> dict[str, str]:
    """The fields as a preset leaves them, all of them: an invalid value elsewhere would stay in the way of a launch."""
    kept = {name: values[name] for name in _KEPT if name in values}
    preset_fields = preset_values(preset, parameters, task, family)
    return default_values(parameters, task, family) | preset_fields | kept


def count_changed(values: Mapping[str, str], parameters: int, task: str = "", family: str = "") -> int:
    """How many fields differ from the preset that the form has, else from the defaults."""
    preset = matching_preset(values, parameters, task, family) or "balanced"
    start = reset_values(values, preset, parameters, task, family)
    return sum(values.get(name, "").strip() != start.get(name, "") for name in FORM_FIELDS if name in values)


def output_name(dataset_name: str, model_name: str, rank: str) -> str:
    """Such as "Home captions", "Tiny VideoMAE", "16" -> "home-captions-tiny-videomae-r16", at most 64 letters."""
    words = "-".join(re.sub(r"[^a-z0-9]+", "-", part.lower()).strip("-") for part in (dataset_name, model_name))
    tail = f"-r{rank}" if parse_id(rank) else ""
    return (words.strip("-")[: 64 - len(tail)].rstrip("-") or "adapter") + tail


def raw_recipe(values: Mapping[str, str], targets: list[str]) -> dict[str, Any]:
    """The form as `parse_recipe` takes it: as text, so that the domain validates it."""
    raw: dict[str, Any] = {}
    for name, field in FIELDS.items():
        if field.kind is not ValueKind.LIST and name in values and field.is_shown(values):
            text = values[name].strip()
            if text or not field.optional:
                _set_field(raw, name, _parse_text(text, field.kind))
            elif field.default is not None:  # empty is a value of its own
                _set_field(raw, name, None)
    _set_field(raw, "qlora.target_modules", list(targets))
    return raw


def _parse_text(text: str, kind: ValueKind) -> Any:
    """Typed text as the domain expects it: a decimal comma becomes a point, but not in a whole number."""
    match kind:
        case ValueKind.SWITCH:
            return text == "true"
        case ValueKind.COUNT:
            return text.replace(".", ",")
        case ValueKind.NUMBER:
            return text.replace(",", ".")
        case ValueKind.CHOICE | ValueKind.TEXT | ValueKind.LIST | ValueKind.MAP:
            return text
        case _:
            assert_never(kind)


def _set_field(raw: dict[str, Any], name: str, value: Any) -> None:
    """Sets a field by its dotted name."""
    part, _, leaf = name.rpartition(".")
    (raw.setdefault(part, {}) if part else raw)[leaf] = value


def read_recipe(values: Mapping[str, str], targets: list[str], has_layers: bool = True) -> Recipe:
    """The recipe of the form.

    Raises:
        Invalid: `problems` has each invalid field, in the order of the page.
    """
    problems: dict[str, str] = {}
    recipe: Recipe | None = None
    try:
        recipe = parse_recipe(raw_recipe(values, targets))
    except Invalid as error:
        problems = dict(error.problems)
    by_pattern = bool(values.get("qlora.target_pattern", "").strip())
    if has_layers and not targets and not by_pattern and values.get("training_type") != "pretrain":
        problems["qlora.target_modules"] = "Choose at least one kind of layer: without one there is nothing to train."
    if recipe is None or problems:
        page = list(FORM_FIELDS)
        ordered = sorted(problems.items(), key=lambda item: page.index(item[0]) if item[0] in page else len(page))
        raise Invalid(ordered[0][1], ordered[0][0], ordered)
    return recipe


def problems_in(values: Mapping[str, str], targets: list[str], has_layers: bool = True) -> dict[str, str]:
    """Field -> message, in the order of the page; empty when the form is valid."""
    try:
        read_recipe(values, targets, has_layers)
    except Invalid as error:
        return dict(error.problems)
    return {}


def rate_path(values: Mapping[str, str], width: int = 120, height: int = 32) -> str:
    """The learning rate over the run as an SVG path: warm-up, then the schedule; "" while a field is not a number."""
    try:
        warmup = min(0.5, max(0.0, float(values.get("optim.warmup_ratio", "0").replace(",", "."))))
    except ValueError:
        return ""
    points = []
    for i in range(41):
        done = i / 40
        share = (
            done / warmup
            if done < warmup
            else _rate_after(values.get("optim.scheduler", ""), (done - warmup) / (1 - warmup))
        )
        points.append(f"{done * width:.1f},{height - share * (height - 2):.1f}")
    return "M" + " L".join(points)


def _rate_after(scheduler: str, done: float) -> float:
    if scheduler == "constant":
        return 1.0
    return 0.5 * (1 + math.cos(math.pi * done)) if scheduler == "cosine" else 1.0 - done
