"""REST keeps what version 0.1 offered: no operation, field or answer is gone or changed; what came since is listed."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from orchestrator.domain.numbers import LARGEST_ID
from tests.openapi import document

FORMER = Path(__file__).parents[1] / "data" / "openapi-0.1.json"
PROSE = frozenset({"title", "description"})
"""Words for people, which may be improved; the names of schemas are only seen through references. Summaries are kept:
made from the names of functions, they name the methods of generated clients."""

_LIMITS = {"maximum", "maxItems", "maxLength", "minimum", "minItems", "minLength", "minProperties"}
RULES = frozenset({"enum", "format", "pattern", *_LIMITS})
"""Keywords of rules that the services always enforced, which the document now states."""
_PLAN = " / /api/v1/jobs/preflight / post / responses / 200 / content / application/json / schema / type"
_ME, _TOKENS = (
    f" / /api/v1/{path} / requestBody / content / application/json / schema / properties / "
    for path in ("me / patch", "tokens / post")
)
NEW_OPERATIONS = (
    " / /api/v1/me/confirm / post / ",
    " / /api/v1/jobs/{job_id}/checkpoints / ",
    " / /api/v1/recipes/defaults / get / ",
    " / /api/v1/recipes/parse / post / ",
    " / /api/v1/datasets/{dataset_id}/conversions / post / ",
    " / /api/v1/datasets/{dataset_id}/labels / post / ",
    " / /api/v1/people",
    " / /api/v1/auth/reset / post / ",
    " / /api/v1/me/sign-out-everywhere / post / ",
    " / /api/v1/audit / get / ",
    " / /api/v1/audit/export / get / ",
    " / /api/v1/audit/verify / get / ",
)
_BODY = "post / requestBody / content / application/json / schema / properties"
_INTEGER = ("anyOf / 0 / type", "anyOf / 1 / type")
_CLONE = " / /api/v1/jobs/{job_id}/clone / post / parameters / query"
ADDED = frozenset(
    {
        *(
            f" / /api/v1/{route} / {_BODY} / {name} / {part}"
            for route in ("jobs", "jobs/preflight", "rehearsals", "sweeps")
            for name in ("dataset_version", "adapter")
            for part in _INTEGER
        ),
        *(
            f"{_CLONE} {name} / {part}"
            for name in ("dataset", "model")
            for part in ("in", "name", "required", *(f"schema / {part}" for part in _INTEGER))
        ),
        *(f"{body}current_password / {part}" for body in (_ME, _TOKENS) for part in ("type", "default")),
    }
)
"""What REST says since version 0.1, as `parts` names it, besides rules and answers."""
_CLIP_BODY = "patch / requestBody / content / application/json / schema / properties"
_READING_BODY = "post / requestBody / content / application/json / schema / properties"
NEW_FIELDS = (
    *(
        f" / /api/v1/{route} / {_CLIP_BODY} / {name} / "
        for route in ("clips/{clip_id}", "datasets/{dataset_id}/clips")
        for name in ("labels", "captions", "conversations", "start_s", "end_s", "whole_film")
    ),
    f" / /api/v1/datasets/{{dataset_id}}/read / {_READING_BODY} / frame_rate / ",
    *(
        f" / /api/v1/clips/{{clip_id}}/{route} / get / parameters / query {name} / "
        for route in ("seen", "seen.png")
        for name in ("min_frames", "max_frames", "frame_tokens", "frame_shape")
    ),
)
"""Optional fields of bodies and queries since version 0.1, with all that belongs to them."""

TYPED = ("qlora", "optim", "data", "eval", "augment", "machine", "sweep", "source", "values", "columns")
"""Objects of bodies that were announced as objects of any fields, and whose fields were checked by the services."""
Parts = dict[str, Any]


def parts(document: dict[str, Any]) -> Parts:
    """Everything that a client may rely on, by its place in the document; references are followed."""
    schemas = document["components"]["schemas"]

    def walk(value: Any, place: str) -> Iterator[tuple[str, Any]]:
        if isinstance(value, dict) and "$ref" in value:
            value = schemas[value["$ref"].rpartition("/")[2]]
        if isinstance(value, dict):
            for key, inner in value.items():
                if key not in PROSE or isinstance(inner, dict):
                    yield from walk(inner, f"{place} / {key}")
        elif isinstance(value, list):
            for number, inner in enumerate(value):
                yield from walk(inner, f"{place} / {_name_of(inner, number)}")
        else:
            yield place, value

    return dict(walk(document["paths"], ""))


def _name_of(item: Any, number: int) -> str:
    """A parameter is known by its name and a required field by itself, not by its place in a list."""
    if isinstance(item, dict) and "name" in item and "in" in item:
        return f"{item['in']} {item['name']}"
    return str(item) if isinstance(item, str) else str(number)


def test_nothing_that_was_offered_is_removed_or_changed() -> None:
    before, now = parts(json.loads(FORMER.read_text())), parts(document())
    lost = {place: (value, now.get(place)) for place, value in before.items() if now.get(place, ...) != value}
    assert {place: change for place, change in lost.items() if not _is_repaired(now, place, *change)} == {}


def _is_repaired(document: Parts, place: str, before: Any, now: Any) -> bool:
    """Whether the former document said what was never true.

    Ids up to 2**63 were announced, and those above the database's integers answered with an error of ours. Refusals
    never were JSON of FastAPI's own form, and answers were not described: "an object of any fields".
    """
    if " / responses / 422 / content / application/json / " in place:
        return now is None
    if place.endswith(" / content / application/json / schema / additionalProperties"):
        return before is True and now is None
    if _is_typed(place) and " / additionalProperties" in place:
        return now in (None, False)
    if place == _PLAN:
        return before == "object" and now is None  # one of two kinds of objects
    if place.endswith(" / type") and before == "integer":  # ids, which answers give as texts
        return {f"{place} / integer", f"{place} / string"} <= set(document)
    if " / parameters / header content-" in place:  # OpenAPI ignores them: the request body describes both
        return now is None
    return place.endswith(" / maximum") and before >= 2**63 - 1 and now == LARGEST_ID


def _is_typed(place: str) -> bool:
    return " / requestBody / " in place and any(f" / properties / {name} / " in place for name in TYPED)


def test_what_came_since_is_described() -> None:
    before, now = parts(json.loads(FORMER.read_text())), parts(document())
    came = {place for place in set(now) - set(before) if not place.startswith((*NEW_OPERATIONS, *NEW_FIELDS))}
    assert {place for place in came if not _is_described(place)} == ADDED


def _is_described(place: str) -> bool:
    """Answers, refusals and logins, which nothing described; rules; streamed bodies; and ids that are sent as texts."""
    parts_of_place = place.split(" / ")
    return (
        _is_typed(place)
        or bool({"responses", "security"} & set(parts_of_place))
        or bool(RULES & set(parts_of_place))
        or parts_of_place[-2:] in (["type", "integer"], ["type", "string"])
        or (" / requestBody / " in place and " / content / application/json / " not in place)
        or place.endswith(" / requestBody / required")
    )
