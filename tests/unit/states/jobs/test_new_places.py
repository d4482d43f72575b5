"""A refusal's sentence stands beside the field of the wizard that would mend it, the first of the page first."""

from orchestrator.states.jobs.new_fields import placed
from orchestrator.states.jobs.new_sweep import EMPTY


def test_the_first_of_the_page_comes_first() -> None:
    refused = {"data.size": "too large", "optim.batch_size": "too many", "model_id": "gone"}
    assert list(placed(refused, EMPTY)) == ["model_id", "optim.batch_size", "data.size"]


def test_swept_fields_are_reported_at_their_values() -> None:
    tried = EMPTY | {"sweep.field2": "optim.batch_size", "sweep.values2": "1 16"}
    assert placed({"optim.batch_size": "alone", "qlora.r": "odd"}, tried) == {
        "qlora.r": "odd",
        "sweep.values2": "alone",
    }
    assert placed({"sweep": "too many jobs"}, tried) == {"sweep.values1": "too many jobs"}


def test_what_the_page_has_no_field_for_is_left_to_a_toast() -> None:
    assert placed({"": "No worker is running.", "idempotency_key": "too long"}, EMPTY) == {}
