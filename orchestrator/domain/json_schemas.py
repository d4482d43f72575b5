"""What the type of a value does not say of its JSON: the words that a text can be, and what is in a dictionary.

The marks stand in annotations (`Annotated[str, OneOf(JobStatus)]`) and change the OpenAPI document only.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from pydantic import GetJsonSchemaHandler, TypeAdapter
from pydantic_core import CoreSchema


@dataclass(frozen=True, init=False)
class OneOf:
    """A text is one of these words.

    Args:
        words: an enum, or any texts.
        more: further words.
    """

    words: tuple[str, ...]
    enum: type[StrEnum] | None

    def __init__(self, words: Iterable[str], *more: str) -> None:
        object.__setattr__(self, "words", (*more, *map(str, words)))
        object.__setattr__(self, "enum", words if isinstance(words, type) and not more else None)

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        if self.enum is not None:
            return handler(TypeAdapter(self.enum).core_schema)
        return {**handler(core), "enum": list(self.words)}


@dataclass(frozen=True)
class Described:
    """A dictionary has the fields of this model, dataclass or typed dictionary; further fields are possible."""

    model: Any

    def __get_pydantic_json_schema__(self, _core: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        schema = handler(TypeAdapter(self.model).core_schema)
        if "anyOf" in schema:
            return {"type": "object", **schema}
        return schema if "$ref" in schema else {**schema, "additionalProperties": True}
