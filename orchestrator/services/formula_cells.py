"""Cells of a table that a spreadsheet would run as a formula: written as text, and read back as they were."""

import re

_BEGINS = r"[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]"
"""How a formula begins; spreadsheets of some languages take the full-width signs for the usual ones."""
_FORMULA = re.compile(f"'*{_BEGINS}")
_ESCAPED = re.compile(f"'+{_BEGINS}")


def escape_formula(text: str) -> str:
    """The cell with an apostrophe in front where a spreadsheet would read a formula."""
    return f"'{text}" if _FORMULA.match(text) else text


def unescape_formula(text: str) -> str:
    """The cell as it was before `escape_formula`."""
    return text[1:] if _ESCAPED.match(text) else text
