"""What several pages show is the same on each: a job's colour."""

import pytest

from orchestrator.states.shared.presentation import series_of


@pytest.mark.parametrize(("job", "series"), [(1, 1), (7, 7), (8, 1), (22, 1), (23, 2)])
def test_a_job_keeps_one_of_seven_colours(job: int, series: int) -> None:
    assert series_of(job) == series
