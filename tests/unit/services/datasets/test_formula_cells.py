"""A label that a spreadsheet would run stands in an export as text, and comes back as it was."""

import csv
import io

import pytest

from orchestrator.services.datasets.formula_cells import escape_formula, unescape_formula


@pytest.mark.parametrize("text", ["=cmd|' /C calc'!A0", "+1", "-left", "@SUM(A1)", "\tx", "'=a", "''+b"])
def test_formulas_become_text_and_come_back(text: str) -> None:
    escaped = escape_formula(text)
    assert escaped[0] == "'"
    assert escaped[1:] == text
    assert unescape_formula(escaped) == text


@pytest.mark.parametrize("text", ["left", "", "'tis", "a=b", "Zoë"])
def test_plain_texts_stay(text: str) -> None:
    assert escape_formula(text) == text == unescape_formula(text)


def test_a_table_holds_no_bare_formula() -> None:
    file = io.StringIO()
    csv.writer(file).writerow([escape_formula("=1+1"), "clip.mp4"])
    assert file.getvalue().startswith("'=1+1")
