"""Which bytes of a file a header Range asks for, by RFC 9110 section 14.

Starlette refuses units that it does not know, which must be ignored, and refuses all ranges for one that begins after
the end of the file.
"""

import re

_RANGE = re.compile(r"([0-9]{1,4000})-([0-9]{0,4000})|-([0-9]{1,4000})")
_UNIT = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


class UnreadableRange(ValueError):
    """The header is no range: a position that is no number, or one that ends before it begins."""


def satisfiable(header: str, size: int) -> str | None:
    """The header with only those ranges that the file has; the same header if it has none of them.

    Returns:
        None for a unit other than bytes: it must be answered as if there were no header.

    Raises:
        UnreadableRange: it must be refused, or ignored.
    """
    unit, equals, texts = header.partition("=")
    if not equals or not _UNIT.fullmatch(unit):
        raise UnreadableRange
    if unit.lower() != "bytes":
        return None
    ranges = [text.strip(" \t") for text in texts.split(",")]
    ranges = [text for text in ranges if text]
    if not ranges:
        raise UnreadableRange
    here = [text for text in ranges if _is_here(text, size)]
    return f"bytes={','.join(here)}" if here else header


def _is_here(text: str, size: int) -> bool:
    match = _RANGE.fullmatch(text)
    if match is None:
        raise UnreadableRange
    first, last, suffix = match.groups()
    if first is None:
        return int(suffix) > 0 and size > 0
    if last and int(last) < int(first):
        raise UnreadableRange
    return int(first) < size
