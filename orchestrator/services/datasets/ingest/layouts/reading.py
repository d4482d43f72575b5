"""Options for reading an upload, where the detected layout was wrong."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from orchestrator.domain.errors import Invalid

ROLES = ("file", "label", "labels", "caption", "question", "options", "start", "end", "split")
"""What a column of a table may hold. `labels`: several in a cell. `caption`: also the answer to `question`."""
LEVELS = 4
_MAX_COLUMN = 200


@dataclass(frozen=True, slots=True)
class ReadingOptions:
    """The defaults leave everything to the detection.

    Attributes:
        layout: a key of `detect.LAYOUTS`; "" for the detected layout.
        columns: for tables, the column of each role, "-" for none; roles that are missing are detected.
        level: for class folders, which folder is the class: 1 for the clip's own.
        ignore_splits: ignores splits in the files; the trainer draws one.
        by_hand: imports clips without annotations, which the user writes later.
    """

    layout: str = ""
    columns: dict[str, str] = field(default_factory=dict)
    level: int = 1
    ignore_splits: bool = False
    by_hand: bool = False


def parse_reading_options(values: Mapping[str, Any] | None, known: Mapping[str, Any]) -> ReadingOptions:
    """Validates the options of a form or a request.

    Args:
        known: the layouts by key.

    Raises:
        Invalid: `problems` by field.
    """
    values = values or {}
    problems: list[tuple[str, str]] = []
    layout, columns, level = values.get("layout") or "", values.get("columns") or {}, values.get("level", 1)
    if layout not in ("", *known):
        problems.append(("layout", f"Choose one of: {', '.join(known)}."))
    if not isinstance(columns, Mapping) or not set(columns) <= set(ROLES):
        problems.append(("columns", f"Name columns for: {', '.join(ROLES)}."))
        columns = {}
    if not isinstance(level, int) or not 1 <= level <= LEVELS:
        problems.append(("level", f"The class is a folder 1 to {LEVELS} above the clip."))
    if problems:
        raise Invalid(problems[0][1], problems[0][0], problems)
    named = {str(role): str(name)[:_MAX_COLUMN] for role, name in columns.items() if name}
    return ReadingOptions(str(layout), named, level, bool(values.get("ignore_splits")), bool(values.get("by_hand")))
