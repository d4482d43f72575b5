"""Options for reading an upload, where the detected layout was wrong."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from orchestrator.domain.errors import Invalid

ROLES = ("file", "label", "labels", "caption", "question", "options", "start", "end", "split")
"""What a column of a table may hold. `labels`: several in a cell. `caption`: also the answer to `question`."""
LEVELS = 4
_MAX_COLUMN = 200
SLOWEST_RATE, FASTEST_RATE = 0.1, 240.0
"""Frames a second that folders of pictures may have."""


@dataclass(frozen=True, slots=True)
class ReadingOptions:
    """The defaults leave everything to the detection.

    Attributes:
        layout: a key of `detect.LAYOUTS`; "" for the detected layout.
        columns: for tables, the column of each role, "-" for none; roles that are missing are detected.
        level: for class folders, which folder is the class: 1 for the clip's own.
        ignore_splits: ignores splits in the files; the trainer draws one.
        by_hand: imports clips without annotations, which the user writes later.
        frame_rate: frames a second of folders of pictures; 0: as the files say, else the usual rate.
    """

    layout: str = ""
    columns: dict[str, str] = field(default_factory=dict)
    level: int = 1
    ignore_splits: bool = False
    by_hand: bool = False
    frame_rate: float = 0.0


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
    rate = values.get("frame_rate") or 0.0
    is_rate = isinstance(rate, int | float) and not isinstance(rate, bool)
    if not is_rate or (rate and not SLOWEST_RATE <= rate <= FASTEST_RATE):
        problems.append(
            ("frame_rate", f"Folders of pictures have {SLOWEST_RATE:g} to {FASTEST_RATE:g} frames a second.")
        )
    if problems:
        raise Invalid(problems[0][1], problems[0][0], problems)
    named = {str(role): str(name)[:_MAX_COLUMN] for role, name in columns.items() if name}
    switches = bool(values.get("ignore_splits")), bool(values.get("by_hand"))
    return ReadingOptions(str(layout), named, level, *switches, float(rate))
