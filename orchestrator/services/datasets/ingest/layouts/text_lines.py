"""Lines of annotation files, as CSV, JSON lines and text lists define them."""

import re
from collections.abc import Sequence

_LINE_END = re.compile(r"\r\n|\n|\r")
_MAX_NUMBERS = 5


def text_lines(text: str) -> list[str]:
    """The lines of a text, which end at LF, CR LF or CR only.

    `str.splitlines` also splits at form feeds, U+0085, U+2028 and U+2029, which occur inside captions.
    """
    return _LINE_END.split(text)


def filled_lines(text: str) -> list[tuple[int, str]]:
    """(number, text) of the lines that are not empty, without blanks around them; the first line has number 1."""
    return [(number, line.strip()) for number, line in enumerate(text_lines(text), 1) if line.strip()]


def name_lines(numbers: Sequence[int]) -> str:
    """The numbers of some lines for a sentence: "line 4", "lines 2 and 4", "7 lines (1, 2, 3, 4, 5, …)"."""
    if len(numbers) == 1:
        return f"line {numbers[0]:,}"
    shown = [f"{number:,}" for number in numbers[:_MAX_NUMBERS]]
    if len(numbers) <= _MAX_NUMBERS:
        return f"lines {', '.join(shown[:-1])} and {shown[-1]}"
    return f"{len(numbers):,} lines ({', '.join(shown)}, …)"
