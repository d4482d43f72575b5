"""Rows as JSON: ids as strings, times in UTC, lists as {items, next, total}; and the types of ids in requests."""

import dataclasses
import re
from collections.abc import Iterable
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, TypeVar
from urllib.parse import quote

from fastapi import Path as PathParameter
from fastapi import Query
from fastapi.responses import FileResponse
from pydantic import BaseModel, Field

from orchestrator.api.rules import ID_AS_TEXT, ID_OR_0_AS_TEXT, NO_FLAG
from orchestrator.api.schema.markers import Media
from orchestrator.api.schema.shapes import sent_fields
from orchestrator.domain.numbers import LARGEST_ID, LARGEST_SIZE
from orchestrator.services.paging import Page

_NOT_PLAIN = re.compile(r"[^A-Za-z0-9._ -]")
T = TypeVar("T")
R = TypeVar("R")
Id = Annotated[int, PathParameter(ge=1, le=LARGEST_ID)]
"""An id in the path."""
QueryId = Annotated[int | None, Query(ge=1, le=LARGEST_ID)]
"""An optional id in the query, by which a list is filtered."""
RequiredQueryId = Annotated[int, Query(ge=1, le=LARGEST_ID)]
"""An id that the query must have."""
QueryCount = Annotated[int, Query(ge=0, le=LARGEST_ID)]
"""A step or a record number in the query."""
OptionalQueryCount = Annotated[int | None, Query(ge=0, le=LARGEST_ID)]
QueryPosition = Annotated[int | None, Query(ge=0, le=LARGEST_SIZE)]
"""A position in a file."""
BodyId = Annotated[int, Field(ge=1, le=LARGEST_ID), NO_FLAG, ID_AS_TEXT]
"""An id in the body."""
BodyIdOr0 = Annotated[int, Field(ge=0, le=LARGEST_ID), NO_FLAG, ID_OR_0_AS_TEXT]
"""An id in the body; 0 stands for none."""


def _value(name: str, value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json", exclude_unset=True)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return to_json(value)
    if isinstance(value, list | tuple):
        return [_value("", item) for item in value]
    if (name == "id" or name.endswith("_id")) and isinstance(value, int):
        return str(value)
    return value


def to_json(row: Any) -> dict[str, Any]:
    """A row (any dataclass) as JSON values by field name; a field declared with `json_key` has that key instead."""
    return {key: _value(name, getattr(row, name)) for key, name in sent_fields(type(row))}


def complete_page(rows: Iterable[T]) -> Page[T]:
    """A complete list, in the form of a page that is the last one."""
    items = list(rows)
    return Page(items, None, len(items))


def extended(extension: type[R], row: Any, **more: Any) -> R:
    """A row of a dataclass that extends the one of `row`, with the values of `row` and `more`."""
    values = {field.name: getattr(row, field.name) for field in dataclasses.fields(row)}
    return extension(**(values | more))


ZipFile = Annotated[FileResponse, Media(("application/zip",), file=True)]
"""The return annotation of a route that sends a zip archive."""


AnyFile = Annotated[FileResponse, Media(("*/*",), file=True)]
"""The same for a file of any type."""


def zip_response(path: Path) -> ZipFile:
    """A zip archive as a download under its own name."""
    return FileResponse(path, filename=path.name, media_type="application/zip")


def attachment(name: str) -> dict[str, str]:
    """The header that offers an answer as a file; no character of the name can end it or begin another."""
    plain = _NOT_PLAIN.sub("_", name)
    encoded = "" if plain == name else f"; filename*=UTF-8''{quote(name, safe='')}"
    return {"Content-Disposition": f'attachment; filename="{plain}"{encoded}'}
