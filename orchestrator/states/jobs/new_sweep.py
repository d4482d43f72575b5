"""The wizard's sweep: parses what was typed into lists of values by recipe field."""

import re
from collections.abc import Mapping
from typing import Any

from orchestrator.domain.errors import Invalid
from orchestrator.domain.recipe_fields import ValueKind
from orchestrator.domain.recipes import FIELDS
from orchestrator.services.training.sweeps import MAX_JOBS, expand

NOTHING = "none"
ROWS = (1, 2)
"""The rows of the form, one for each varied parameter; the REST API takes more."""
_FIRST_CHOICE = "optim.learning_rate"
_SWEEPABLE = sorted((f for f in FIELDS.values() if f.spec.sweepable), key=lambda field: field.name != _FIRST_CHOICE)
CHOICES = [(NOTHING, "None"), *((field.name, field.title) for field in _SWEEPABLE)]
_INTEGERS_ONLY = "Write whole numbers in digits only, with a space between them, such as 5000 10000."
_DECIMAL_POINT = "Write decimals with a point, and a space between the values, such as 0.05 0.1."
SWEEP_FIELDS = frozenset(f"sweep.{part}{row}" for row in ROWS for part in ("field", "values"))
EMPTY = {field: NOTHING if "field" in field else "" for field in sorted(SWEEP_FIELDS)}


def read_grid(values: Mapping[str, str]) -> dict[str, list[str]]:
    """Field to values, {} without a sweep. Values are separated by commas or spaces.

    Raises:
        Invalid: a parameter without values, the same parameter twice, a single value, or a comma that may
            be a separator or a decimal point.
    """
    grid: dict[str, list[str]] = {}
    for row in ROWS:
        field = values.get(f"sweep.field{row}") or NOTHING
        if field == NOTHING:
            continue
        typed = values.get(f"sweep.values{row}", "").strip()
        listed = list(dict.fromkeys(typed.replace(",", " ").replace(";", " ").split()))
        if field in grid:
            raise Invalid("This parameter is already varied above.", f"sweep.values{row}")
        if _is_ambiguous(field, typed, listed):
            raise Invalid(_INTEGERS_ONLY if _is_count(field) else _DECIMAL_POINT, f"sweep.values{row}")
        if len(listed) < 2:
            raise Invalid(
                "Give at least two values with a space between them, such as 1e-3 2e-3.", f"sweep.values{row}"
            )
        grid[field] = listed
    return grid


def _is_count(field: str) -> bool:
    return field in FIELDS and FIELDS[field].kind is ValueKind.COUNT


def _is_ambiguous(field: str, typed: str, listed: list[str]) -> bool:
    """Whether a separator may be part of a number (5,000 or 0,05), so that the list would be 5 and 000."""
    is_count = _is_count(field)
    if any(re.match(r"0\d", value) or (is_count and "." in value) for value in listed):
        return True
    # Other separators are used between the values, so this comma is part of a number.
    return bool(re.search(r"[\s;]", typed) and re.search(r"\d,\d{3}(?!\d)" if is_count else r"\d,\d", typed))


def grid_problems(values: Mapping[str, str], raw: Mapping[str, Any]) -> dict[str, str]:
    """The message for the row whose values do not fit; {} when all do. `raw`: the recipe as typed."""
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
    """How many jobs a launch creates: 1 without a sweep, 0 while its values are invalid."""
    try:
        grid = read_grid(values)
    except Invalid:
        return 0
    size = 1
    for listed in grid.values():
        size *= len(listed)
    return size if size <= MAX_JOBS else 0
