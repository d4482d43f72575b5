"""Checks how a page follows a run: in groups, in order, seeing each gap."""

import asyncio
from typing import Any

import pytest

from orchestrator.domain.live_records import MetricRecord
from orchestrator.services.live_hub import LiveHub, Subscription
from orchestrator.states.jobs.live_follower import OVERLAP, Follower
from orchestrator.states.shared.live import EAGER_S, MANY, MANY_S, WINDOW_S, eager_wait, sips
from orchestrator.states.shell.running_jobs import _Ear
from tests import records


def metric(seq: int, job: int = 1, **values: float) -> MetricRecord:
    return records.metric(job, seq, None, **values)


async def _drink_three() -> list[list[int]]:
    subscription = Subscription(LiveHub(), 1, 100)
    found: list[list[int]] = []

    async def drink() -> None:
        async for group in sips(subscription, 0.02):
            found.append([record["seq"] for record in group])

    task = asyncio.create_task(drink())
    await asyncio.sleep(0)
    subscription.put(metric(1))
    await asyncio.sleep(0.005)
    subscription.put(metric(2))
    await asyncio.sleep(0.05)
    subscription.put(metric(3))
    await asyncio.sleep(0.05)
    subscription.close()
    await asyncio.wait_for(task, 1)
    return found


def test_records_of_one_window_come_together() -> None:
    assert asyncio.run(_drink_three()) == [[1, 2], [3]]


def test_the_first_record_after_a_pause_travels_at_once_and_many_tabs_are_told_less_often() -> None:
    assert eager_wait(since_last=10.0, listeners=1) == EAGER_S
    assert eager_wait(since_last=10.0, listeners=MANY + 1) == EAGER_S
    assert eager_wait(since_last=0.01, listeners=1) == pytest.approx(WINDOW_S - 0.01)
    assert eager_wait(since_last=0.01, listeners=MANY + 1) == pytest.approx(MANY_S - 0.01)


def test_a_hidden_tab_rests_and_catches_up() -> None:
    async def scenario() -> list[list[int]]:
        subscription, looked_at = Subscription(LiveHub(), 1, 100), False
        groups = sips(subscription, 0.01, seen=lambda: looked_at)
        subscription.put(metric(1))
        waiting = asyncio.ensure_future(anext(groups))
        await asyncio.sleep(0.1)
        subscription.put(metric(2))
        assert not waiting.done()
        looked_at = True
        return [[record["seq"] for record in await asyncio.wait_for(waiting, 1)]]

    assert asyncio.run(scenario()) == [[1, 2]]


def test_what_is_not_wanted_wakes_nobody() -> None:
    async def scenario() -> tuple[list[Any], list[Any]]:
        subscription = Subscription(LiveHub(), None, 100, accepts=lambda record: record["job"] == 2)
        subscription.put(metric(1))
        before = await subscription.take(timeout=0.01)
        subscription.put(metric(2, job=2))
        return before, await subscription.take(timeout=0.01)

    before, after = asyncio.run(scenario())
    assert before == []
    assert [record["seq"] for record in after] == [2]


def test_the_pill_hears_its_own_job_and_the_moves_of_its_person() -> None:
    ear = _Ear(user_id=7)
    ear.job_id = 3
    heard = [
        ear.wants(records.status(9, owner=7)),
        ear.wants(records.status(9, owner=8)),
        ear.wants(records.gap()),
        ear.wants(metric(1, job=3)),
        ear.wants(metric(1, job=4)),
    ]
    assert heard == [True, False, True, True, False]


def test_what_the_history_told_is_left_out() -> None:
    follower = Follower(seq=5)
    news = follower.take([metric(4), metric(5), metric(6)])
    assert [point.seq for point in news.points] == [6]
    assert not news.gap


def test_a_missing_number_is_a_gap() -> None:
    follower = Follower(seq=5)
    assert follower.take([metric(8)]).gap
    assert follower.take([records.gap()]).gap
    assert not follower.take([metric(9)]).gap


def test_status_lines_carry_no_number() -> None:
    news = Follower(seq=5).take([records.status(), metric(6)])
    assert news.status_changed
    assert Follower(seq=5).take([records.noted()]).status_changed
    assert not news.gap


def test_a_batch_repeats_the_batches_before_it() -> None:
    follower = Follower()
    batches = [follower.batch(follower.take([metric(seq)]).points) for seq in range(1, 31)]
    batch = batches[-1]
    assert (batch.seq, batch.first_seq) == (30, 30 - OVERLAP)
    assert [item.step for item in batch.items] == list(range(30 - OVERLAP, 31))
    assert {item.series for item in batch.items} == {"loss"}


def test_the_first_batch_follows_the_history() -> None:
    follower = Follower(seq=500)
    assert follower.batch(follower.take([metric(501)]).points).first_seq == 1
    assert follower.batch(follower.take([metric(503)]).points).first_seq == 1


def test_a_value_that_is_no_number_stays_off_the_curve() -> None:
    news = Follower().take([metric(1, loss=float("nan"), grad_norm=2.0)])
    assert news.points[0].values == {"grad_norm": 2.0}
