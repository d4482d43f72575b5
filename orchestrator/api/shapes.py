"""How rows become JSON: ids as strings, times in UTC, pages as {items, next, total}."""

import dataclasses
from datetime import UTC, datetime
from enum import Enum
from typing import Annotated, Any

from fastapi import Path, Query
from pydantic import Field

from orchestrator.services.paging import Page

_LARGEST_ID = 2**63 - 1
Id = Annotated[int, Path(ge=1, le=_LARGEST_ID)]
"""An id in an address; a larger number would not fit the database's integers."""
QueryId = Annotated[int | None, Query(ge=1, le=_LARGEST_ID)]
"""An id by which a list is narrowed; None: not narrowed."""
AskedId = Annotated[int, Query(ge=1, le=_LARGEST_ID)]
"""An id that a question must name."""
BodyId = Annotated[int, Field(ge=1, le=_LARGEST_ID)]
BodyIdOr0 = Annotated[int, Field(ge=0, le=_LARGEST_ID)]
"""The same where 0 stands for none."""

_PLAIN_IDS = frozenset({"step"})


def _value(name: str, value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, Enum):
        return value.value
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return shape(value)
    if isinstance(value, list | tuple):
        return [_value("", item) for item in value]
    if (name == "id" or name.endswith("_id")) and isinstance(value, int) and name not in _PLAIN_IDS:
        return str(value)
    return value


def shape(row: Any, **extra: Any) -> dict[str, Any]:
    """A row (any dataclass) as JSON values; `extra` adds or replaces fields."""
    fields = {field.name: _value(field.name, getattr(row, field.name)) for field in dataclasses.fields(row)}
    return fields | extra


def page(found: Page[Any]) -> dict[str, Any]:
    """A list's answer."""
    return {"items": [shape(row) for row in found.items], "next": found.next, "total": found.total}
