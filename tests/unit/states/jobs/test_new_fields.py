"""A refusal is shown at the field of the wizard to change, in the order of the page."""

from orchestrator.states.jobs.new_fields import problems_by_control
from orchestrator.states.jobs.new_sweep import EMPTY


def test_problems_are_in_the_order_of_the_page() -> None:
    problems = {"data.size": "too large", "optim.batch_size": "too many", "model_id": "deleted"}
    assert list(problems_by_control(problems, EMPTY)) == ["model_id", "optim.batch_size", "data.size"]


def test_a_problem_of_a_varied_field_is_shown_at_the_sweep() -> None:
    values = EMPTY | {"sweep.field2": "optim.batch_size", "sweep.values2": "1 16"}
    assert problems_by_control({"optim.batch_size": "alone", "qlora.r": "odd"}, values) == {
        "qlora.r": "odd",
        "sweep.values2": "alone",
    }
    assert problems_by_control({"sweep": "too many jobs"}, values) == {"sweep.values1": "too many jobs"}


def test_a_problem_without_a_field_on_the_page_is_left_to_a_toast() -> None:
    assert problems_by_control({"": "No worker is running.", "idempotency_key": "too long"}, EMPTY) == {}
