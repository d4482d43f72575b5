"""How somebody says that an upload is to be read, where its content alone was not understood rightly."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from orchestrator.domain.errors import Invalid

ROLES = ("file", "label", "caption", "split")
LEVELS = 4
_LONGEST = 200


@dataclass(frozen=True, slots=True)
class Reading:
    """Nothing said: the content decides.

    Attributes:
        layout: a layout's key (detect.LAYOUTS); "" for the one that is detected.
        columns: for a table, the column of a role; "-" for none. What is not named is found as before.
        level: for class folders, which one is the class: 1 is the one a clip lies in.
        ignore_splits: nothing is marked for training or validation, whatever the files say.
        by_hand: what says too little to learn from is taken all the same: labels or captions are written later.
    """

    layout: str = ""
    columns: dict[str, str] = field(default_factory=dict)
    level: int = 1
    ignore_splits: bool = False
    by_hand: bool = False


def parse_reading(values: Mapping[str, Any] | None, known: Mapping[str, Any]) -> Reading:
    """What a form or a script says.

    Raises:
        Invalid: `problems` by field.
    """
    values = values or {}
    problems: list[tuple[str, str]] = []
    layout, columns, level = values.get("layout") or "", values.get("columns") or {}, values.get("level", 1)
    if layout not in ("", *known):
        problems.append(("layout", f"Choose one of: {', '.join(known)}."))
    if not isinstance(columns, Mapping) or not set(columns) <= set(ROLES):
        problems.append(("columns", f"Name the columns of: {', '.join(ROLES)}."))
        columns = {}
    if not isinstance(level, int) or not 1 <= level <= LEVELS:
        problems.append(("level", f"The class is a folder 1 to {LEVELS} above the clip."))
    if problems:
        raise Invalid(problems[0][1], problems[0][0], problems)
    named = {str(role): str(name)[:_LONGEST] for role, name in columns.items() if name}
    return Reading(str(layout), named, level, bool(values.get("ignore_splits")), bool(values.get("by_hand")))
