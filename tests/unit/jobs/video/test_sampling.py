"""The sampled frames are exact, inside the clip and in order."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.video.sampling import fit, sample_indices


def test_middle_of_each_part() -> None:
    assert sample_indices(16, 8) == [1, 3, 5, 7, 9, 11, 13, 15]
    assert sample_indices(24, 8) == [1, 4, 7, 10, 13, 16, 19, 22]


def test_short_clip_repeats_frames() -> None:
    assert sample_indices(3, 6) == [0, 0, 1, 1, 2, 2]


def test_rate_is_centred_and_falls_back() -> None:
    assert sample_indices(101, 5, native_fps=20, fps=2) == [30, 40, 50, 60, 70]
    assert sample_indices(10, 5, native_fps=20, fps=2) == sample_indices(10, 5)


@given(st.integers(1, 5000), st.integers(1, 64), st.floats(0, 120), st.none() | st.floats(0.1, 120))
def test_always_inside_and_in_order(total: int, count: int, native: float, fps: float | None) -> None:
    indices = sample_indices(total, count, native, fps)
    assert len(indices) == count
    assert indices == sorted(indices)
    assert 0 <= indices[0] <= indices[-1] < total


def test_nothing_to_sample() -> None:
    with pytest.raises(ValueError, match="Cannot take 8 frames of 0"):
        sample_indices(0, 8)


def test_fit() -> None:
    assert fit(160, 120, {"height": 48, "width": 48}) == (48, 48)
    assert fit(160, 120, {"shortest_edge": 60}) == (80, 60)
    assert fit(120, 160, {"shortest_edge": 60}) == (60, 80)
