"""The wizard's "Try several values": what was typed becomes lists of values by recipe field."""

import re
from collections.abc import Mapping
from typing import Any

from orchestrator.domain.errors import Invalid
from orchestrator.domain.recipe_fields import ValueKind
from orchestrator.domain.recipes import FIELDS
from orchestrator.services.training.sweeps import MAX_JOBS, expand

NOTHING = "none"
ROWS = (1, 2)
"""How many parameters can be tried at once in the wizard; scripts may try more."""
_MOST_TRIED = "optim.learning_rate"
_SWEEPABLE = sorted((f for f in FIELDS.values() if f.spec.sweepable), key=lambda field: field.name != _MOST_TRIED)
CHOICES = [(NOTHING, "Nothing"), *((field.name, field.title) for field in _SWEEPABLE)]
_WHOLE = "Write whole numbers in digits only, with a space between them, such as 5000 10000."
_DECIMAL = "Write decimals with a point, and a space between the values, such as 0.05 0.1."
SWEEP_FIELDS = frozenset(f"sweep.{part}{row}" for row in ROWS for part in ("field", "values"))
EMPTY = {field: NOTHING if "field" in field else "" for field in sorted(SWEEP_FIELDS)}


def read_grid(values: Mapping[str, str]) -> dict[str, list[str]]:
    """Field to values, {} while nothing is tried. Values stand with commas or spaces between them.

    Raises:
        Invalid: a parameter without values, the same parameter twice, a single value, or commas that may be either.
    """
    grid: dict[str, list[str]] = {}
    for row in ROWS:
        field = values.get(f"sweep.field{row}") or NOTHING
        if field == NOTHING:
            continue
        typed = values.get(f"sweep.values{row}", "").strip()
        found = list(dict.fromkeys(typed.replace(",", " ").replace(";", " ").split()))
        if field in grid:
            raise Invalid("This parameter is tried above already.", f"sweep.values{row}")
        if _is_cut(field, typed, found):
            raise Invalid(_WHOLE if _is_count(field) else _DECIMAL, f"sweep.values{row}")
        if len(found) < 2:
            raise Invalid(
                "Give at least two values with a space between them, such as 1e-3 2e-3.", f"sweep.values{row}"
            )
        grid[field] = found
    return grid


def _is_count(field: str) -> bool:
    return field in FIELDS and FIELDS[field].kind is ValueKind.COUNT


def _is_cut(field: str, typed: str, found: list[str]) -> bool:
    """A comma, point or space may stand inside a number here (5,000 or 0,05): it is no list of 5 and 000."""
    whole = _is_count(field)
    if any(re.match(r"0\d", value) or (whole and "." in value) for value in found):
        return True
    # What stands between the values is something else, so this comma is none of those.
    return bool(re.search(r"[\s;]", typed) and re.search(r"\d,\d{3}(?!\d)" if whole else r"\d,\d", typed))


def grid_problems(values: Mapping[str, str], raw: Mapping[str, Any]) -> dict[str, str]:
    """The sentence beside the values that do not fit; {} when all do. `raw`: the recipe as typed."""
    try:
        grid = read_grid(values)
        if grid:
            expand(dict(raw), grid)
    except Invalid as error:
        if error.field.startswith("sweep."):
            return {error.field: error.message}
        row = next((row for row in ROWS if values.get(f"sweep.field{row}") in dict(error.problems)), ROWS[0])
        return {f"sweep.values{row}": error.message}
    return {}


def count_jobs(values: Mapping[str, str]) -> int:
    """How many jobs a launch makes; 1 while nothing is tried, 0 while something is wrong."""
    try:
        grid = read_grid(values)
    except Invalid:
        return 0
    size = 1
    for found in grid.values():
        size *= len(found)
    return size if size <= MAX_JOBS else 0
