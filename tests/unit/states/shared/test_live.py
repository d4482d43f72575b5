"""Checks how a page follows a run: records in batches, in order, with every gap noticed."""

import asyncio
from typing import Any

import pytest

from orchestrator.domain.live_records import MetricRecord
from orchestrator.services.live_hub import LiveHub, Subscription
from orchestrator.states.jobs.live_follower import OVERLAP, Follower
from orchestrator.states.shared.live import (
    EAGER_S,
    MANY_LISTENERS,
    MANY_LISTENERS_WINDOW_S,
    WINDOW_S,
    batches,
    eager_wait,
)
from orchestrator.states.shell.running_jobs import RecordFilter
from tests import records


def metric(seq: int, job: int = 1, **values: float) -> MetricRecord:
    return records.metric(job, seq, None, **values)


async def _batches_of_three() -> list[list[int]]:
    subscription = Subscription(LiveHub(), 1, 100)
    batched: list[list[int]] = []

    async def collect() -> None:
        async for batch in batches(subscription, 0.02):
            batched.append([record["seq"] for record in batch])

    task = asyncio.create_task(collect())
    await asyncio.sleep(0)
    subscription.put(metric(1))
    await asyncio.sleep(0.005)
    subscription.put(metric(2))
    await asyncio.sleep(0.05)
    subscription.put(metric(3))
    await asyncio.sleep(0.05)
    subscription.close()
    await asyncio.wait_for(task, 1)
    return batched


def test_records_of_one_window_come_together() -> None:
    assert asyncio.run(_batches_of_three()) == [[1, 2], [3]]


def test_the_first_record_after_a_pause_is_sent_at_once_and_many_tabs_get_updates_less_often() -> None:
    assert eager_wait(since_last=10.0, listeners=1) == EAGER_S
    assert eager_wait(since_last=10.0, listeners=MANY_LISTENERS + 1) == EAGER_S
    assert eager_wait(since_last=0.01, listeners=1) == pytest.approx(WINDOW_S - 0.01)
    assert eager_wait(since_last=0.01, listeners=MANY_LISTENERS + 1) == pytest.approx(MANY_LISTENERS_WINDOW_S - 0.01)


def test_a_hidden_tab_gets_its_records_when_it_is_visible_again() -> None:
    async def scenario() -> list[list[int]]:
        subscription, visible = Subscription(LiveHub(), 1, 100), False
        groups = batches(subscription, 0.01, visible=lambda: visible)
        subscription.put(metric(1))
        waiting = asyncio.ensure_future(anext(groups))
        await asyncio.sleep(0.1)
        subscription.put(metric(2))
        assert not waiting.done()
        visible = True
        return [[record["seq"] for record in await asyncio.wait_for(waiting, 1)]]

    assert asyncio.run(scenario()) == [[1, 2]]


def test_a_record_that_the_filter_refuses_does_not_wake_the_subscriber() -> None:
    async def scenario() -> tuple[list[Any], list[Any]]:
        subscription = Subscription(LiveHub(), None, 100, accepts=lambda record: record["job"] == 2)
        subscription.put(metric(1))
        before = await subscription.take(timeout=0.01)
        subscription.put(metric(2, job=2))
        return before, await subscription.take(timeout=0.01)

    before, after = asyncio.run(scenario())
    assert before == []
    assert [record["seq"] for record in after] == [2]


def test_the_pill_gets_its_own_job_and_the_status_changes_of_its_user() -> None:
    record_filter = RecordFilter(user_id=7)
    record_filter.job_id = 3
    matches = [
        record_filter.matches(records.status(9, owner=7)),
        record_filter.matches(records.status(9, owner=8)),
        record_filter.matches(records.gap()),
        record_filter.matches(metric(1, job=3)),
        record_filter.matches(metric(1, job=4)),
    ]
    assert matches == [True, False, True, True, False]


def test_records_that_the_history_contains_are_skipped() -> None:
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
