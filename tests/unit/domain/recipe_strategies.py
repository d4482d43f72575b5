"""Random valid recipes, drawn field by field from what the fields declare."""

from typing import Any

from annotated_types import Ge, Gt, Le, Lt
from hypothesis import strategies as st

from orchestrator.domain.recipe_fields import RecipeField, ValueKind
from orchestrator.domain.recipes import FIELDS, Recipe

_ODD_NAMES = st.sampled_from(["null", "on", "1.0", "1e3", "0x1f", "2026-01-01", "007", "no", "~", "- a", "a: b", "#c"])
_ODD_FILES = st.sampled_from(["null", "on", "1.0", "1e3", "0x1f", "2026-01-01"])
_NAMES = {
    "output_name": st.from_regex(r"[a-z0-9][a-z0-9._-]{0,63}", fullmatch=True) | _ODD_FILES,
    "qlora.target_modules": st.lists(_ODD_NAMES | st.from_regex(r"[a-z_.]{1,20}", fullmatch=True), max_size=6),
    "qlora.target_pattern": st.sampled_from(["", r".*\.layers\.[0-3]\..*", "a|b", ".*q_proj"]) | _ODD_FILES,
}


def _bounds(field: RecipeField) -> tuple[Any, Any, bool, bool]:
    low, high, above, below = None, None, False, False
    for item in field.info.metadata:
        if isinstance(item, Ge):
            low = item.ge
        if isinstance(item, Gt):
            low, above = item.gt, True
        if isinstance(item, Le):
            high = item.le
        if isinstance(item, Lt):
            high, below = item.lt, True
    return low, high, above, below


def _values(field: RecipeField) -> st.SearchStrategy[Any]:
    low, high, above, below = _bounds(field)
    match field.kind:
        case ValueKind.SWITCH:
            drawn: st.SearchStrategy[Any] = st.booleans()
        case ValueKind.CHOICE:
            drawn = st.sampled_from([value for value, _ in field.spec.choices])
        case ValueKind.COUNT:
            drawn = st.integers(low, 2**31 - 1 if high is None else high)
        case ValueKind.NUMBER:
            drawn = st.floats(low, high, exclude_min=above, exclude_max=below, allow_nan=False, allow_infinity=False)
        case ValueKind.MAP:
            drawn = st.dictionaries(
                st.from_regex(r"[A-Za-z0-9_.]{1,20}", fullmatch=True), st.integers(1, 256), max_size=4
            )
        case ValueKind.LIST | ValueKind.TEXT:
            drawn = _NAMES[field.name]
    return st.none() | drawn if field.optional else drawn


def _nested(flat: dict[str, Any]) -> Recipe:
    raw: dict[str, Any] = {}
    if flat.get("data.min_frames") and flat.get("data.max_frames"):
        flat["data.max_frames"] = max(flat["data.max_frames"], flat["data.min_frames"])
    for name, value in flat.items():
        part, _, leaf = name.rpartition(".")
        (raw.setdefault(part, {}) if part else raw)[leaf] = value
    return Recipe.model_validate(raw)


def recipes() -> st.SearchStrategy[Recipe]:
    """Any recipe; some fields at their defaults."""
    return st.fixed_dictionaries({}, optional={name: _values(field) for name, field in FIELDS.items()}).map(_nested)
