"""Cells of a table that a spreadsheet would run as a formula: written as text, and read back as they were."""

import re

_FORMULA = re.compile(r"'*[=+\-@\t\r]")
_ESCAPED = re.compile(r"'+[=+\-@\t\r]")


def escape_formula(text: str) -> str:
    """The cell with an apostrophe in front where a spreadsheet would read a formula."""
    return f"'{text}" if _FORMULA.match(text) else text


def unescape_formula(text: str) -> str:
    """The cell as it was before `escape_formula`."""
    return text[1:] if _ESCAPED.match(text) else text
