"""The web process collects garbage rarely: a full round with hundreds of open tabs stops it for a third of a second."""

import gc
from collections.abc import Iterator

import pytest

from orchestrator.stack.web import collect_rarely


@pytest.fixture
def collector() -> Iterator[None]:
    before = gc.get_threshold()
    gc.unfreeze()  # the imported modules, which no test is to collect
    yield
    gc.set_threshold(*before)
    gc.freeze()


def test_what_is_there_from_the_start_is_left_out_and_full_rounds_are_rare(collector: None) -> None:
    young, middle, old = gc.get_threshold()
    collect_rarely()
    now = gc.get_threshold()
    assert now[0] * now[1] * now[2] >= 100 * young * middle * old
    assert gc.get_freeze_count() > 1_000
    assert gc.isenabled(), "rings of garbage must go one day"
