"""Only plain numbers that the database can hold are read from addresses and headers."""

import pytest

from orchestrator.domain.numbers import parse_number


@pytest.mark.parametrize(("text", "number"), [("0", 0), ("42", 42), ("007", 7), ("9" * 18, 10**18 - 1)])
def test_ascii_digits_are_a_number(text: str, number: int) -> None:
    assert parse_number(text) == number


@pytest.mark.parametrize("text", ["", "-1", "1.0", " 1", "1_000", "²", "٣", "9" * 19, "1e3"])
def test_anything_else_is_none(text: str) -> None:
    assert parse_number(text) is None
