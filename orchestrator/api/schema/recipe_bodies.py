"""The parts of a recipe in request bodies, derived from its fields: the rules of each, which `parse_recipe` checks."""

from typing import Annotated, Any

from pydantic import Field, TypeAdapter

from orchestrator.api.rules import rule
from orchestrator.domain.recipe_fields import RecipeField, RecipePart, ValueKind
from orchestrator.domain.recipe_qlora import LARGEST_PATTERN
from orchestrator.domain.recipes import FIELDS

_NUMBERS_AS_TEXT = {
    ValueKind.COUNT: r"^[0-9]{1,9}$",
    ValueKind.NUMBER: r"^[0-9]{0,9}[.]?[0-9]{1,9}(e-?[0-9]{1,2})?$",
}
"""Numbers may be sent as texts, as forms and shells have them."""


def body_part(part: type[RecipePart]) -> Any:
    """The annotation of a part of the recipe in a body whose values must be valid."""
    names = {name: field for name, field in FIELDS.items() if _stands_in(field, part)}
    properties = {name.rpartition(".")[2]: value_schema(field) for name, field in names.items()}
    words = " ".join((part.__doc__ or "").split())
    return Annotated[
        dict[str, Any],
        Field(default_factory=dict),
        rule(properties=properties, additionalProperties=False, description=words),
    ]


def unchecked_part(part: type[RecipePart]) -> Any:
    """The annotation of a part of the recipe in a body that is only examined: invalid values are answered, too."""
    names = [name.rpartition(".")[2] for name, field in FIELDS.items() if _stands_in(field, part)]
    words = f"As in the body of a job: {', '.join(names)}."
    return Annotated[dict[str, Any], Field(default_factory=dict), rule(description=words)]


def sweep_values() -> dict[str, Any]:
    """The schema of the lists of values by the dotted names of the fields."""
    lists = {name: {"type": "array", "minItems": 1, "items": value_schema(field)} for name, field in FIELDS.items()}
    del lists["output_name"], lists["adapter"]  # the jobs are numbered, and continue from the same adapter
    return {"properties": lists, "additionalProperties": False}


def value_schema(field: RecipeField) -> dict[str, Any]:
    """The schema of one value, with the texts that are read as numbers."""
    annotated: Any = Annotated
    schema = TypeAdapter[Any](annotated[field.info.annotation, *field.info.metadata]).json_schema()
    words = {"description": field.info.description} if field.info.description else {}
    alternatives: list[dict[str, Any]] = [
        _plain(part, schema.get("$defs", {})) for part in schema.get("anyOf", [schema])
    ]
    if field.name == "qlora.bits":
        alternatives = [{"enum": [kind(value) for value, _ in field.spec.choices for kind in (int, str)]}]
    if pattern := _NUMBERS_AS_TEXT.get(field.kind):
        alternatives.append({"type": "string", "pattern": pattern})
    if field.kind is ValueKind.LIST:
        alternatives.append({"type": "string", "minLength": 1, "maxLength": LARGEST_PATTERN})
    if field.kind is ValueKind.MAP:
        alternatives.append({"type": "string"})
    return words | (alternatives[0] if len(alternatives) == 1 else {"anyOf": alternatives})


def _plain(schema: dict[str, Any], definitions: dict[str, Any]) -> dict[str, Any]:
    """Without references and titles."""
    if "$ref" in schema:
        schema = definitions[schema["$ref"].rpartition("/")[2]]
    return {key: value for key, value in schema.items() if key in _KEPT}


_KEPT = {
    "type",
    "enum",
    "items",
    "additionalProperties",
    "pattern",
    "maxLength",
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
}


def _stands_in(field: RecipeField, part: type[RecipePart]) -> bool:
    """Whether the part declares the field."""
    return field.info in part.model_fields.values()
