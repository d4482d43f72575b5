"""What people see of a recipe's fields: forms, error sentences, reviews, sweeps and the docs are derived from it.

Each pydantic field of a recipe carries a `FieldSpec` in its annotation; `fields_of` reads them back in page order.
"""

from collections.abc import Iterator, Mapping
from dataclasses import KW_ONLY, dataclass
from enum import Enum, StrEnum
from types import UnionType
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel, ConfigDict, ValidationInfo, field_validator
from pydantic.fields import FieldInfo

from orchestrator.domain.terms import Term


class Section(StrEnum):
    """Where a field stands in the job form and in the review, in this order."""

    TRAINING_TYPE = "Training type"
    QLORA = "QLoRA"
    OPTIMIZATION = "Optimization"
    ADVANCED = "Advanced"
    OUTPUT = "Output"
    NONE = ""
    """Set by REST and scripts only."""


class Group(StrEnum):
    """The heading under which an advanced field stands in the job form, in this order."""

    LENGTH = "Length and rates"
    ADAPTERS = "Adapters"
    CLASSES = "Classes and loss"
    AUGMENTATION = "Augmentation"
    EVALUATION = "Evaluation"
    FRAMES = "Frames"
    MACHINE = "Machine and memory"
    OTHER = "Further settings"


class ValueKind(StrEnum):
    """What a value is; it decides the control of the form and how typed text is read."""

    COUNT = "count"
    """A whole number: 5,000 and 5.000 are no way to write 5."""
    NUMBER = "number"
    SWITCH = "switch"
    CHOICE = "choice"
    LIST = "list"
    MAP = "map"
    """Numbers by name: q_proj=8, v_proj=32."""
    TEXT = "text"


class Format(StrEnum):
    """How the review writes a value."""

    PLAIN = "plain"
    RATE = "rate"
    """2e-4."""
    PERCENT = "percent"
    COUNT = "count"
    """With separators between the thousands."""
    CLIPS = "clips"
    """16 clips."""
    HIDDEN = "hidden"
    """The review has a line of its own for it."""


RecipeValue = bool | int | float | str | list[str] | dict[str, int] | None
"""A value of a field, as JSON has it."""


@dataclass(frozen=True, slots=True)
class FieldSpec:
    """How one field of the recipe is called, explained, asked for and shown."""

    label: str
    sentence: str
    """The error of the field, in the form and in REST."""
    section: Section
    order: int
    """Its position on the page, among all fields."""
    _: KW_ONLY
    hint: str = ""
    """Below the control."""
    unit: str = ""
    """Behind the value, in the control."""
    title: str = ""
    """Its name away from the form, as in the tables that compare jobs; the label where empty."""
    choices: tuple[tuple[str, str], ...] = ()
    """(value, what the form calls it)."""
    sweepable: bool = False
    """The form offers to try several values of it."""
    only_with: tuple[str, str] | None = None
    """(field, value): shown and read only while that other field has this value."""
    format: Format = Format.PLAIN
    review_label: str = ""
    """What the review calls it; the label where empty."""
    review_text: str = ""
    """What the review says of a switch that is on."""
    review_default: bool = True
    """False: left out of the review while it has its default."""
    empty_text: str = ""
    """What the review says of an empty list."""
    term: Term | None = None
    """What "?" next to its label explains."""
    group: Group = Group.OTHER
    """The heading of an advanced field."""


@dataclass(frozen=True, slots=True)
class RecipeField:
    """One field as it was declared: its dotted name, its spec, its type and its default."""

    name: str
    """Such as "optim.learning_rate"."""
    spec: FieldSpec
    kind: ValueKind
    optional: bool
    """May be empty."""
    default: Any
    info: FieldInfo

    @property
    def title(self) -> str:
        """Its name away from the form."""
        return self.spec.title or self.spec.label

    @property
    def on_form(self) -> bool:
        return self.spec.section is not Section.NONE

    def value_in(self, recipe: Any) -> Any:
        """Its value in a recipe."""
        for part in self.name.split("."):
            recipe = getattr(recipe, part)
        return recipe

    def is_shown(self, values: Mapping[str, str]) -> bool:
        """False while the field that it depends on has another value, because the form hides it then."""
        if self.spec.only_with is None:
            return True
        other, required = self.spec.only_with
        return values.get(other, required) == required


class RecipePart(BaseModel):
    """Frozen, and refuses what it does not know; the line below a field describes it in the docs."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    @field_validator("*", mode="before")
    @classmethod
    def _switches_are_true_or_false(cls, value: Any, info: ValidationInfo) -> Any:
        """Pydantic reads 1 and "yes" as true, and true as 1."""
        is_switch = cls.model_fields[str(info.field_name)].annotation is bool
        if is_switch != isinstance(value, bool):
            raise ValueError("true or false" if is_switch else "not true or false")
        return value


def map_text(value: Mapping[str, int]) -> str:
    """A map as people type it: "q_proj=8, v_proj=32"."""
    return ", ".join(f"{name}={number}" for name, number in value.items())


def fields_of(model: type[BaseModel]) -> dict[str, RecipeField]:
    """Every field of a recipe by its dotted name, in the order of the page.

    Raises:
        TypeError: a field carries no `FieldSpec`.
    """
    return {field.name: field for field in sorted(_walk(model), key=lambda field: field.spec.order)}


def _walk(model: type[BaseModel], prefix: str = "") -> Iterator[RecipeField]:
    for name, info in model.model_fields.items():
        if isinstance(info.annotation, type) and issubclass(info.annotation, BaseModel):
            yield from _walk(info.annotation, f"{prefix}{name}.")
            continue
        spec = next((item for item in info.metadata if isinstance(item, FieldSpec)), None)
        if spec is None:
            raise TypeError(f"{prefix}{name} has no FieldSpec.")
        type_, optional = _without_none(info.annotation)
        yield RecipeField(f"{prefix}{name}", spec, _kind(type_, spec), optional, info.default, info)


def _without_none(annotation: Any) -> tuple[Any, bool]:
    if get_origin(annotation) not in (Union, UnionType):
        return annotation, False
    rest = [part for part in get_args(annotation) if part is not type(None)]
    return rest[0], len(rest) < len(get_args(annotation))


def _kind(type_: Any, spec: FieldSpec) -> ValueKind:
    if get_origin(type_) is tuple:
        return ValueKind.LIST
    if get_origin(type_) is dict:
        return ValueKind.MAP
    if spec.choices or issubclass(type_, Enum):
        return ValueKind.CHOICE
    return {bool: ValueKind.SWITCH, int: ValueKind.COUNT, float: ValueKind.NUMBER}.get(type_, ValueKind.TEXT)
