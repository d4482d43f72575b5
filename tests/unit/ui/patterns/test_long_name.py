"""Names of one series differ at their ends: a long one keeps its end, and is complete on hover."""

import reflex as rx

from orchestrator.ui.patterns.long_name import SHORT, TAIL, long_name

NAME = "a-name-of-a-series-of-many-jobs-0001"


def test_a_long_name_keeps_its_end_and_is_complete_on_hover() -> None:
    drawn = str(long_name(rx.Var.create(NAME)))
    assert f"> {SHORT})" in drawn
    beginning, end = f'pyStrSlice("{NAME}", null, -{TAIL})', f'pyStrSlice("{NAME}", -{TAIL}, null)'
    assert f'className:"overflow-hidden text-ellipsis whitespace-pre"}},{beginning}' in drawn
    assert f'className:"shrink-0 whitespace-pre"}},{end}' in drawn
    assert drawn.count(f'title:"{NAME}"') == 2, "cut or in one piece"
    assert f'className:"sr-only"}},"{NAME}"' in drawn
