"""Rules of a recipe that several parts of the product follow."""

import pytest

from orchestrator.domain.recipes import smaller_batch


@pytest.mark.parametrize("batch", range(1, 65))
@pytest.mark.parametrize("accumulation", [1, 3])
def test_a_smaller_batch_trains_on_as_many_clips_a_step(batch: int, accumulation: int) -> None:
    smaller = smaller_batch(batch, accumulation)
    assert (smaller is None) is (batch == 1)
    if smaller is not None:
        assert smaller[0] < batch
        assert smaller[0] * smaller[1] == batch * accumulation
