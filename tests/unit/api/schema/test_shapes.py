"""The schema of a row says exactly what `to_json` writes of it."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from orchestrator.api.schema.shapes import shape_of
from orchestrator.api.serialization import complete_page, extended, to_json
from orchestrator.domain.json_keys import json_key, not_sent
from orchestrator.domain.run_summary import RunSummary
from orchestrator.services.paging import Page


class Colour(StrEnum):
    RED = "red"


@dataclass(frozen=True, slots=True)
class PartRow:
    """A part."""

    id: int
    parent_id: int | None


@dataclass(frozen=True, slots=True)
class ThingRow:
    """A thing."""

    id: int
    at: datetime
    colour: Colour | None
    parts: list[PartRow]
    pairs: tuple[tuple[str, int], ...]
    """Names
    and numbers."""
    table: dict[str, list[float]]
    summary: RunSummary
    older: str = field(metadata=json_key("newer"))
    path: Path = field(metadata=not_sent())


@dataclass(frozen=True, slots=True, kw_only=True)
class LargerThing(ThingRow):
    """A thing with more."""

    more: int


THING = ThingRow(
    id=3,
    at=datetime(2026, 1, 2, tzinfo=UTC),
    colour=Colour.RED,
    parts=[PartRow(1, None), PartRow(2, 1)],
    pairs=(("a", 1),),
    table={"loss": [1.0, 2.0]},
    summary=RunSummary(task="captioning"),
    older="x",
    path=Path("/secret"),
)


def errors(annotation: Any, value: Any) -> list[str]:
    schema = shape_of(annotation).model_json_schema(mode="serialization")
    return [error.message for error in jsonschema_rs.validator_for(schema, validate_formats=True).iter_errors(value)]


@pytest.mark.parametrize(
    ("annotation", "row"),
    [
        (ThingRow, THING),
        (LargerThing, extended(LargerThing, THING, more=1)),
        (Page[ThingRow], complete_page([THING])),
        (Page[ThingRow], Page([], "next", 7)),
    ],
)
def test_what_is_written_fits_the_schema(annotation: Any, row: Any) -> None:
    written = to_json(row)
    assert errors(annotation, written) == []
    shape = shape_of(annotation)
    assert list(written) == list(shape.model_fields)
    assert set(shape.model_json_schema(mode="serialization")["required"]) == set(written)


def test_a_row_is_written_with_its_keys() -> None:
    written = to_json(THING)
    assert (written["id"], written["parts"][1]["parent_id"], written["newer"]) == ("3", "1", "x")
    assert "path" not in written
    assert written["summary"] == {"task": "captioning"}


def test_what_is_not_written_does_not_fit() -> None:
    written = to_json(THING)
    for change in (
        {"id": 3},
        {"at": "yesterday"},
        {"colour": "blue"},
        {"parts": [{"id": "1"}]},
        {"table": {"a": ["b"]}},
    ):
        assert errors(ThingRow, written | change), change


def test_texts_below_fields_are_their_descriptions() -> None:
    properties = shape_of(LargerThing).model_json_schema()["properties"]
    assert properties["pairs"]["description"] == "Names and numbers."
    assert "description" not in properties["id"]
