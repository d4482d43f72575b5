"""What a page says of a run by its records: the time to go follows from the pace of the attempt that it follows."""

from datetime import UTC, datetime, timedelta

import pytest

from orchestrator.domain.live_records import ProgressRecord
from orchestrator.states.jobs.live_follower import Follower

NOON = datetime(2026, 11, 30, 12, tzinfo=UTC)


def at(seconds: float, step: int, attempt: int = 1) -> ProgressRecord:
    return {
        "job": 1,
        "attempt": attempt,
        "seq": step,
        "t": (NOON + timedelta(seconds=seconds)).isoformat(),
        "kind": "progress",
        "step": step,
        "total": 100,
        "epoch": 0.0,
        "message": "",
    }


def test_the_time_to_go_has_the_pace_of_the_attempt() -> None:
    follower = Follower()
    assert follower.seconds_left(at(0, 0)) is None, "no step was taken"
    assert follower.seconds_left(at(30, 10)) is None
    assert follower.seconds_left(at(50, 20)) == pytest.approx(160)
    hours = 10 * 3_600
    assert follower.seconds_left(at(hours, 20, attempt=2)) is None, "it waited between the attempts"
    assert follower.seconds_left(at(hours + 10, 30, attempt=2)) == pytest.approx(70)
    assert follower.seconds_left(at(hours + 80, 100, attempt=2)) == 0
