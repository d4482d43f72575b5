"""What is typed under "Try several values" is parsed into lists, or refused at its field."""

import pytest

from orchestrator.states.jobs.new_sweep import EMPTY, count_jobs, grid_problems, read_grid

RAW = {"output_name": "try"}


def typed(field: str, values: str, second: str = "none", more: str = "") -> dict[str, str]:
    return EMPTY | {
        "sweep.field1": field,
        "sweep.values1": values,
        "sweep.field2": second,
        "sweep.values2": more,
    }


def test_without_a_sweep_there_is_one_job() -> None:
    assert read_grid(EMPTY) == {}
    assert count_jobs(EMPTY) == 1
    assert grid_problems(EMPTY, RAW) == {}


def test_steps_are_tried_like_epochs() -> None:
    values = typed("optim.max_steps", "50 100")
    assert read_grid(values) == {"optim.max_steps": ["50", "100"]}
    assert grid_problems(values, RAW) == {}
    assert grid_problems(typed("optim.max_steps", "50 many"), RAW)["sweep.values1"].startswith("Steps at most must be")


def test_lists_multiply() -> None:
    values = typed("optim.learning_rate", "1e-3, 2e-3 2e-3", "qlora.r", "8;16;32")
    assert read_grid(values) == {"optim.learning_rate": ["1e-3", "2e-3"], "qlora.r": ["8", "16", "32"]}
    assert count_jobs(values) == 6
    assert grid_problems(values, RAW) == {}


@pytest.mark.parametrize(
    ("values", "field"),
    [
        (typed("qlora.r", "8"), "sweep.values1"),
        (typed("qlora.r", "8 many"), "sweep.values1"),
        (typed("qlora.r", "8 16", "qlora.r", "8 16"), "sweep.values2"),
        (typed("qlora.r", "8 16", "optim.epochs", "0 3"), "sweep.values2"),
        (typed("optim.max_steps", "0 50"), "sweep.values1"),
    ],
)
def test_values_that_do_not_fit_are_reported_at_their_row(values: dict[str, str], field: str) -> None:
    assert list(grid_problems(values, RAW)) == [field]


@pytest.mark.parametrize(
    ("field", "values", "says"),
    [
        ("optim.max_steps", "5,000, 10,000", "5000 10000"),
        ("optim.max_steps", "5,000,10,000", "5000 10000"),
        ("optim.max_steps", "1,500 3,000", "5000 10000"),
        ("optim.max_steps", "1,500; 3,000", "5000 10000"),
        ("optim.max_steps", "5 000 10 000", "5000 10000"),
        ("optim.max_steps", "5.000 10.000", "5000 10000"),
        ("optim.weight_decay", "0,05 0,1", "0.05 0.1"),
        ("qlora.dropout", "0,05,0,1", "0.05 0.1"),
        ("qlora.dropout", "0,1 0,2", "0.05 0.1"),
    ],
)
def test_a_number_is_never_cut_at_its_comma(field: str, values: str, says: str) -> None:
    problems = grid_problems(typed(field, values), RAW)
    assert list(problems) == ["sweep.values1"]
    assert says in problems["sweep.values1"]
    assert count_jobs(typed(field, values)) == 0


@pytest.mark.parametrize(
    ("field", "values", "found"),
    [
        ("optim.max_steps", "100,200", ["100", "200"]),
        ("optim.max_steps", "5000, 10000", ["5000", "10000"]),
        ("optim.batch_size", "8,16, 32", ["8", "16", "32"]),
        ("optim.seed", "0 1", ["0", "1"]),
        ("optim.learning_rate", "1e-3,2e-3", ["1e-3", "2e-3"]),
        ("qlora.dropout", "0, 0.05", ["0", "0.05"]),
    ],
)
def test_lists_with_commas_are_lists(field: str, values: str, found: list[str]) -> None:
    assert read_grid(typed(field, values)) == {field: found}
