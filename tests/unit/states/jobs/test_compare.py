"""The axes and values of the compare page."""

from typing import Any

from orchestrator.services.training.compare import Comparison, Line
from orchestrator.states.jobs.compare import axes_of, title_of, value_text


def compared(*lines: Line, results: list[Any]) -> Comparison:
    jobs: Any = [None] * len(results)
    metric = Line("best_eval_accuracy", tuple(results), differs=True, best=0)
    return Comparison(jobs=jobs, parameters=list(lines), metrics=[metric], series=[])


def test_a_job_without_a_result_has_no_position_on_the_axis_of_results() -> None:
    rate = Line("optim.learning_rate", (5e-4, 1e-3, 4e-3), differs=True)
    parameter, result = axes_of(compared(rate, results=[0.292, None, None]))
    assert parameter["positions"] == [0.0, 0.1429, 1.0]
    assert result["name"] == "Best accuracy"
    assert result["positions"] == [0.0, None, None]
    assert result["labels"][1:] == ["not measured", "not measured"]


def test_measured_results_keep_their_positions() -> None:
    rate = Line("optim.learning_rate", (5e-4, 1e-3, 4e-3), differs=True)
    (_, result) = axes_of(compared(rate, results=[0.25, None, 0.75]))
    assert result["positions"] == [0.0, None, 1.0]


def test_rates_are_written_alike() -> None:
    assert [value_text("optim.learning_rate", rate) for rate in (5e-4, 1e-3, 1.25e-3, 0.02)] == [
        "5e-4", "1e-3", "1.25e-3", "2e-2",
    ]  # fmt: skip


def test_names_in_a_phrase() -> None:
    assert (title_of("best_eval_accuracy"), title_of("best_eval_r1")) == ("Best accuracy", "Best R@1")
