"""The settings and the fields of a recipe as documented rows, read from the pydantic models that declare them."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin

from pydantic.fields import FieldInfo

from orchestrator.domain.recipes import FIELDS
from orchestrator.settings import ROOT, Settings

PREFIX = "LOREEL_"
_SIGNS = {"ge": "at least", "gt": "more than", "le": "at most", "lt": "less than"}
_KINDS = {bool: "true or false", int: "whole number", float: "number", str: "text", Path: "folder"}


@dataclass(frozen=True, slots=True)
class Row:
    """One documented value: a setting or a field of a recipe."""

    name: str
    kind: str
    default: str
    description: str


def settings_rows() -> list[Row]:
    """Every setting, in the order of `orchestrator/settings.py`."""
    return [_row(variable_of(name), field) for name, field in Settings.model_fields.items()]


def variable_of(name: str) -> str:
    """The environment variable of a setting: its alias where it has one, else the prefix and its name."""
    alias = Settings.model_fields[name].validation_alias
    return alias if isinstance(alias, str) else f"{PREFIX}{name.upper()}"


def recipe_rows() -> list[Row]:
    """Every field of a recipe as "optim.epochs", part by part, each in the order of the job form."""
    parts = list(dict.fromkeys(name.rpartition(".")[0] for name in FIELDS))
    fields = sorted(FIELDS.values(), key=lambda field: parts.index(field.name.rpartition(".")[0]))
    return [_row(field.name, field.info) for field in fields]


def _row(name: str, field: FieldInfo) -> Row:
    described = " ".join((field.description or "").split())
    return Row(name, _kind(field), _default(field.get_default(call_default_factory=True)), described)


def _kind(field: FieldInfo) -> str:
    """What a value may be, in words: "whole number, at least 1, at most 65535"."""
    limits = [
        f"{word} {_number(getattr(limit, sign))}"
        for limit in field.metadata
        for sign, word in _SIGNS.items()
        if hasattr(limit, sign)
    ]
    return ", ".join([_type(field.annotation), *limits])


def _number(value: float) -> str:
    return f"{value:g}" if isinstance(value, float) else f"{value:,}"


def _type(annotation: Any) -> str:
    if get_origin(annotation) is Literal:
        return _choices(get_args(annotation))
    if get_origin(annotation) in (Union, UnionType):
        kinds = [_type(part) for part in get_args(annotation) if part is not type(None)]
        return f"{' or '.join(kinds)}, or empty"
    if get_origin(annotation) is tuple:
        return "list of texts"
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return _choices(member.value for member in annotation)
    return _KINDS.get(annotation, str(annotation))


def _choices(values: Iterable[Any]) -> str:
    return ", ".join(f"`{value}`" for value in values)


def _default(value: Any) -> str:
    if value is None or value == "" or value == ():
        return "empty"
    if isinstance(value, Path):
        return f"`./{value.relative_to(ROOT)}`" if value.is_relative_to(ROOT) else f"`{value}`"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, int) and value >= 2**20 and value % 2**20 == 0:
        return f"`{value}` ({_binary(value)})"
    return f"`{value:g}`" if isinstance(value, float) else f"`{getattr(value, 'value', value)}`"


def _binary(value: int) -> str:
    unit, size = next((unit, size) for unit, size in (("GiB", 2**30), ("MiB", 2**20)) if value % size == 0)
    return f"{value // size} {unit}"
