"""Parses numbers in addresses, headers and form fields, within the ranges that the database can store."""

LARGEST_ID = 2**31 - 1
"""Ids, steps and counts are 32-bit integers in the database."""
LARGEST_SIZE = 10**18 - 1
"""Bytes are 64-bit integers in the database."""
_MAX_DIGITS = 18


def parse_number(text: str, largest: int = LARGEST_SIZE) -> int | None:
    """The number that the text writes in ASCII digits; None where it is anything else, or larger than `largest`.

    `str.isdigit` alone accepts `²` and a thousand digits, and `int` fails on both.
    """
    if not (text.isascii() and text.isdigit()) or len(text) > _MAX_DIGITS:
        return None
    number = int(text)
    return number if number <= largest else None


def parse_id(text: str) -> int:
    """The id, or the count, that the text writes in ASCII digits; 0 where it is anything else."""
    return parse_number(text, LARGEST_ID) or 0
