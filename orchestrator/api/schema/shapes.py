"""Pydantic models of rows as `orchestrator.api.serialization` writes them, so that no field is named twice."""

import ast
import dataclasses
import inspect
import itertools
import textwrap
import types
from datetime import datetime
from functools import cache
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin, get_type_hints

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, create_model

from orchestrator.domain.json_keys import JSON_KEY, NOT_SENT
from orchestrator.domain.json_schemas import Described, OneOf

StringId = Annotated[str, Field(pattern=r"^[0-9]{1,19}$", examples=["1"])]
"""An id in an answer: digits."""


@cache
def sent_fields(row: type) -> tuple[tuple[str, str], ...]:
    """(key in JSON, name) of the fields of a dataclass that answers show."""
    return tuple(
        (field.metadata.get(JSON_KEY, field.name), field.name)
        for field in dataclasses.fields(row)
        if NOT_SENT not in field.metadata
    )


def shape_of(annotation: Any) -> Any:
    """The type that a value of the annotated type has in JSON; a dataclass becomes a model."""
    return _converted("", annotation, {})


def _converted(name: str, annotation: Any, arguments: dict[Any, Any]) -> Any:
    if isinstance(annotation, TypeVar):
        annotation = arguments[annotation]
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        marks = [part for part in inner[1:] if isinstance(part, OneOf | Described)]
        shape = _converted(name, inner[0], arguments)
        return Annotated[shape, *marks] if marks else shape
    if origin in (Union, types.UnionType):
        return Union[tuple(_converted(name, part, arguments) for part in inner)]  # noqa: UP007
    if origin in (list, set, frozenset) or (origin is tuple and inner[-1] is Ellipsis):
        return list[_converted("", inner[0], arguments)]
    if origin is tuple:
        return tuple[tuple(_converted("", part, arguments) for part in inner)]
    if origin is dict:
        return dict[inner[0], _converted("", inner[1], arguments)]
    if dataclasses.is_dataclass(origin or annotation):
        resolved = tuple(arguments.get(part, part) for part in inner)
        return _model(origin or annotation, resolved)
    if annotation is datetime:
        return AwareDatetime
    if annotation is int and (name == "id" or name.endswith("_id")):
        return StringId
    return annotation


@cache
def _model(row: type, arguments: tuple[Any, ...]) -> type[BaseModel]:
    """The model of a dataclass; all of its fields are always there."""
    variables = dict(zip(getattr(row, "__parameters__", ()), arguments, strict=True))
    hints = get_type_hints(row, include_extras=True)
    texts = _attribute_docstrings(row)
    fields: dict[str, Any] = {
        key: (_converted(name, hints[name], variables), Field(description=texts.get(name)))
        for key, name in sent_fields(row)
    }
    title = "".join([_title(row), *(f"Of{_title(part)}" for part in arguments)])
    model: type[BaseModel] = create_model(title, __config__=ConfigDict(title=title), __doc__=row.__doc__, **fields)
    return model


def _attribute_docstrings(row: type) -> dict[str, str]:
    """The texts below the fields of a dataclass and of those it extends, in one line each."""
    found: dict[str, str] = {}
    for base in reversed(row.__mro__[:-1]):
        if not dataclasses.is_dataclass(base):
            continue
        (definition,) = ast.parse(textwrap.dedent(inspect.getsource(base))).body
        assert isinstance(definition, ast.ClassDef)
        for field, text in itertools.pairwise(definition.body):
            match field, text:
                case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(words))):
                    found[name] = " ".join(words.split())
    return found


def _title(row: Any) -> str:
    return str(getattr(row, "__name__", row)).removesuffix("Row").lstrip("_")
