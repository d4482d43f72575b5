"""A recipe as lines of text, for the last step of the form, a job's page and an adapter's page."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any, assert_never

from orchestrator.domain import formatting
from orchestrator.domain.machines import ANY, describe_need
from orchestrator.domain.recipe_fields import Format, RecipeField, Section, ValueKind, map_text
from orchestrator.domain.recipe_qlora import TrainingType
from orchestrator.domain.recipes import FIELDS, Recipe
from orchestrator.states.jobs.new_values import values_from_recipe


@dataclass(frozen=True, slots=True)
class ReviewRow:
    """One line of the last step; `step` is where its Edit link leads."""

    group: str
    label: str
    value: str
    step: int


_GROUPS = {
    "": "Training",
    "qlora": "QLoRA",
    "optim": "Optimization",
    "data": "Optimization",
    "augment": "Augmentation",
}
"""The group in which a part of the recipe is listed; other parts have one of their own."""
_FIRST = ("optim.learning_rate", "optim.scheduler", "optim.optimizer", "optim.liger")
"""The first lines of the optimization; the rest follows in the order of the form."""


def recipe_lines(recipe: Recipe, varied: Collection[str] = ()) -> list[ReviewRow]:
    """The settings of the recipe, without unlisted defaults, fields of other training types and `varied` ones."""
    values = values_from_recipe(recipe)
    shown = [field for field in FIELDS.values() if field.spec.format is not Format.HIDDEN and field.is_shown(values)]
    listed = [field for field in shown if field.spec.review_default or field.value_in(recipe) != field.default]
    listed = [field for field in listed if field.name not in varied]
    groups = list(dict.fromkeys(map(_group, FIELDS.values())))
    lines = [
        _line(field, recipe) for field in sorted(listed, key=lambda field: (groups.index(_group(field)), _rank(field)))
    ]
    if not recipe.qlora.enabled and recipe.training_type is TrainingType.FINETUNE:
        lines.insert(0, ReviewRow("QLoRA", "Adapters", "none: all weights of the base are trained", 3))
    if (need := recipe.machine.need).kind != ANY:
        lines.insert(-1, ReviewRow("Machine", "Runs on", describe_need(need), 3))
    return lines


def _rank(field: RecipeField) -> tuple[int, int]:
    return (_FIRST.index(field.name) if field.name in _FIRST else len(_FIRST), field.spec.order)


def _group(field: RecipeField) -> str:
    if field.spec.section is Section.OUTPUT:
        return Section.OUTPUT.value
    part = field.name.rpartition(".")[0]
    return _GROUPS.get(part, part.capitalize())


def _line(field: RecipeField, recipe: Recipe) -> ReviewRow:
    value = field.value_in(recipe)
    text = _TEXTS[field.name](recipe) if field.name in _TEXTS else value_text(field, value)
    return ReviewRow(_group(field), field.spec.review_label or field.title, text, 3)


_TEXTS: dict[str, Callable[[Recipe], str]] = {
    "qlora.bits": lambda recipe: "4-bit NF4" if recipe.qlora.bits == 4 else "16-bit",
    "optim.gradient_accumulation": lambda recipe: (
        f"{recipe.optim.gradient_accumulation} \u00d7, "
        + formatting.plural(recipe.optim.batch_size * recipe.optim.gradient_accumulation, "clip")
        + " per step"
    ),
}
"""Texts of fields that say more than their value."""


def value_text(field: RecipeField, value: Any) -> str:
    """A value of the recipe as text."""
    match field.kind:
        case ValueKind.SWITCH:
            return (field.spec.review_text or "on") if value else "off"
        case ValueKind.CHOICE:
            return dict(field.spec.choices).get(str(value), str(value))
        case ValueKind.LIST:
            return ", ".join(value) or field.spec.empty_text
        case ValueKind.MAP:
            return map_text(value)
        case ValueKind.TEXT:
            return str(value)
        case ValueKind.COUNT | ValueKind.NUMBER:
            return _number_text(field.spec.format, value)
        case _:
            assert_never(field.kind)


def _number_text(form: Format, value: Any) -> str:
    if value is None:
        return "empty"
    match form:
        case Format.PLAIN | Format.HIDDEN:
            return f"{value:g}" if isinstance(value, float) else str(value)
        case Format.RATE:
            return formatting.rate(value)
        case Format.PERCENT:
            return formatting.percent(value, 1).replace(".0", "")
        case Format.COUNT:
            return formatting.count(value)
        case Format.CLIPS:
            return formatting.plural(value, "clip")
        case _:
            assert_never(form)
