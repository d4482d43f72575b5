"""The table of benchmarks/README.md: equal to what the record says, complete, and short enough to read."""

import importlib

import pytest

from benchmarks import catalog
from benchmarks.figures import FIGURES, Figure
from benchmarks.measurements import Measurement, latest, load_history
from benchmarks.table import README, cells, table, with_table
from benchmarks.target import Target
from benchmarks.units import format_target, format_value, unit_of

LONGEST_CELL = 80


def measured(
    value: float | None = 2.0, quiet: bool | None = True, date: str = "2026-11-26", **rest: str
) -> Measurement:
    fields = {"bench": "start", "figure": "warm_s", "unit": "s", "machine": "two cores", "commit": "abc"} | rest
    return Measurement.model_validate(fields | {"value": value, "quiet": quiet, "date": date})


def test_readme_holds_what_the_record_says() -> None:
    text = README.read_text()
    assert text == with_table(text, table(load_history())), "Run `python -m benchmarks.table`."


def test_cells_are_short() -> None:
    rows = [line.strip("| ").split(" | ") for line in table(load_history()).splitlines()]
    assert {len(row) for row in rows} == {7}
    assert [cell for row in rows for cell in row if len(cell) > LONGEST_CELL] == []


def test_every_target_has_a_row_and_no_row_is_there_twice() -> None:
    shown = [(figure.bench, figure.key) for figure in FIGURES]
    asked = {(name, key) for name in catalog.names() for key in catalog.targets(name)}
    assert asked - set(shown) == set()
    assert len(shown) == len(set(shown))
    assert {bench for bench, _ in shown} == set(catalog.names())


def test_targets_are_read_as_the_module_declares_them() -> None:
    for name in ("start", "upload-resume"):
        assert catalog.targets(name) == importlib.import_module(catalog.module_name(name)).TARGETS
    assert catalog.targets("gpu")["qwen2_5_vl_8_times"] == {"min": 2.0}


def test_the_newest_unloaded_measurement_is_shown() -> None:
    older, newer = measured(1.0, date="2026-11-24"), measured(2.0, date="2026-11-25")
    loaded = measured(9.0, quiet=False, date="2026-11-26")
    unknown = measured(8.0, quiet=None, date="2026-11-26")
    variant = measured(7.0, date="2026-11-27", variant="another recipe")
    sentence = measured(None, date="2026-11-27", note="not measured")
    assert latest([older, newer, loaded, unknown, variant, sentence]) == newer
    assert latest([older, loaded, variant]) == older
    assert latest([loaded, variant, sentence]) == loaded
    assert latest([variant, sentence]) is None


@pytest.mark.parametrize(
    ("measurement", "value", "met"),
    [
        (measured(1.98), "1.98 s", "yes"),
        (measured(3.01), "3.01 s", "**no**"),
        (measured(16.6, quiet=False), "16.6 s, under load", "not shown"),
        (measured(1.0, quiet=False), "1 s, under load", "yes"),
        (None, "not measured", "-"),
    ],
)
def test_a_row_says_whether_the_target_is_met(measurement: Measurement | None, value: str, met: str) -> None:
    row = cells(Figure("start", "warm_s", "start"), measurement)
    assert (row[2], row[3], row[6]) == ("≤ 3 s", value, met)


def test_a_figure_without_a_target_is_neither_met_nor_missed() -> None:
    row = cells(Figure("start", "first_s", "first start"), measured(5.0, figure="first_s"))
    assert (row[2], row[6]) == ("-", "-")


@pytest.mark.parametrize(
    ("figure", "value", "text"),
    [
        ("wall_s", 61.44, "61.4 s"),
        ("first_chart_ms", 3567.0, "3,567 ms"),
        ("wall_times", 2.5, "2.50x"),
        ("against_bare", 0.988, "0.988x"),
        ("against_bare", 1.01, "1.01x"),
        ("seed_7_exact", 0.9464, "94.6 %"),
        ("slowed_percent", 0.53, "0.53 %"),
        ("web_growth_mb", 35.0, "35 MB"),
        ("page_mb_per_s", 553.2, "553 MB/s"),
        ("job_best-practices", 100.0, "100"),
        ("points_missing", 0.0, "0"),
        ("strikes", 210.0, "210"),
    ],
)
def test_values_are_written_in_the_unit_of_their_name(figure: str, value: float, text: str) -> None:
    assert format_value(value, unit_of(figure)) == text


@pytest.mark.parametrize(
    ("target", "unit", "text"),
    [
        ({"min": 0.8}, "fraction", "≥ 80 %"),
        ({"max": 1.03}, "x", "≤ 1.03x"),
        ({"max": 0.0}, "", "0"),
        ({"min": 0.0}, "%", "≥ 0 %"),
        ({"min": 1.0, "max": 2.0}, "s", "≥ 1 s, ≤ 2 s"),
        (None, "s", "-"),
    ],
)
def test_targets_are_written_as_bounds(target: Target | None, unit: str, text: str) -> None:
    assert format_target(target, unit) == text
