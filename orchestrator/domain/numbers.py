"""Whole numbers as they stand in addresses, headers and form fields."""

_MAX_DIGITS = 18
"""Every number of 18 digits fits the 64-bit integers of the database."""


def parse_number(text: str) -> int | None:
    """The number that the text writes in ASCII digits; None where it is anything else, or too long for an id."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _MAX_DIGITS else None
