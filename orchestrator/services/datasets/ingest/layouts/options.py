"""Multiple-choice questions: the options of a row, and the text of the option that its answer names."""

import json
import re
from typing import Any

from orchestrator.domain.annotations import OPTION_LETTERS
from orchestrator.services.datasets.ingest.layouts.rows import Row

_COLUMN = re.compile(r"(?:a|option|opt|choice|candidate)[_ ]?(\d{1,2}|[a-j])", re.IGNORECASE)
_LISTS = ("options", "choices", "candidates")


def options_of(row: Row) -> dict[str, str]:
    """The options by their marks, in their order: columns a0 to a4, option_a to option_d, or a list; {} without."""
    columns = {match[1].lower(): row[key] for key in row if key and (match := _COLUMN.fullmatch(str(key)))}
    texts = {mark: str(value).strip() for mark, value in columns.items() if value not in (None, "")}
    if len(texts) > 1:
        return texts
    listed = next((row[key] for key in _LISTS if isinstance(row.get(key), list)), [])
    return {str(number): str(text).strip() for number, text in enumerate(listed)} if len(listed) > 1 else {}


def split_cell(value: Any) -> list[str]:
    """The texts of a cell that holds several: a list, a JSON list, or texts with "|", ";", line ends or commas between.

    The first of these separators that stands in the cell is taken, so that a text may have commas.
    """
    if isinstance(value, str) and value.lstrip().startswith("["):
        try:
            value = json.loads(value)
        except ValueError:
            value = value.strip().strip("[]").replace("'", "").replace('"', "")
    if isinstance(value, str):
        separator = next((mark for mark in "|;\n," if mark in value), "|")
        value = value.split(separator)
    items = value if isinstance(value, list) else [value]
    return [text for item in items if item is not None and (text := str(item).strip())]


def chosen_option(options: dict[str, str], answer: Any) -> str:
    """The text of the option that the answer names by its mark, its letter or its text; "" where it names none."""
    stated = str(answer).strip() if isinstance(answer, str | int | float) and not isinstance(answer, bool) else ""
    if stated in options.values():
        return stated
    stated = stated.removesuffix(".0")
    if stated in options.values():
        return stated
    mark = stated.strip("().").lower()
    if mark in options:
        return options[mark]
    texts = list(options.values())
    number = OPTION_LETTERS.find(mark.upper()) if len(mark) == 1 else -1
    return texts[number] if 0 <= number < len(texts) else ""
