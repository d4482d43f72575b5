"""A run that reaches neither store ends by itself; one of the two is enough to go on."""

import time
from typing import Any, cast

import pytest

from jobs.runs import isolation
from jobs.runs.isolation import IsolationWatch
from tests.studio import until


class Trainer:
    """Notes what is asked of it."""

    pid = 1

    def __init__(self) -> None:
        self.calls: list[str] = []

    def ask_to_stop(self) -> None:
        self.calls.append("stop")

    def kill(self) -> None:
        self.calls.append("kill")


@pytest.mark.parametrize(
    ("redis_answers", "database_answers", "ends"),
    [(True, True, False), (True, False, False), (False, True, False), (False, False, True)],
)
def test_one_store_is_enough(
    monkeypatch: pytest.MonkeyPatch, redis_answers: bool, database_answers: bool, ends: bool
) -> None:
    trainer, now, checks = Trainer(), 0.0, 0

    def redis_reached_at() -> float:
        nonlocal checks
        checks += 1
        return now if redis_answers else 0.0

    monkeypatch.setattr(isolation, "_CHECK_S", 0.001)
    watch = IsolationWatch(cast("Any", trainer), redis_reached_at, limit_s=60.0, grace_s=60.0, clock=lambda: now)
    watch.start()
    for _ in range(4):
        now += 40.0  # less than the limit, so that a check between these two lines does not end the run
        if database_answers:
            watch.database_reached()
        seen = checks
        until(lambda seen=seen: checks > seen + 1 or watch.isolated, what="it is checked")
    if ends:
        until(lambda: trainer.calls, what="the trainer is asked to stop")
    watch.stop()
    assert watch.isolated is ends
    assert trainer.calls == (["stop"] if ends else [])


def test_a_trainer_that_does_not_answer_is_killed() -> None:
    trainer = Trainer()
    IsolationWatch(cast("Any", trainer), lambda: 0.0, limit_s=0.1, grace_s=0.2).start()
    until(lambda: trainer.calls == ["stop", "kill"], 5, "it is killed")


def test_a_run_that_has_ended_is_left_alone() -> None:
    trainer = Trainer()
    watch = IsolationWatch(cast("Any", trainer), lambda: 0.0, limit_s=0.6, grace_s=0.1)
    watch.start()
    watch.stop()
    time.sleep(1.0)
    assert (trainer.calls, watch.isolated) == ([], False)
