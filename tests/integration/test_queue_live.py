"""The live hub on a real Redis: everyone gets each record once and in order, also over a restart."""

import asyncio
import signal

import pytest

from orchestrator.domain.live_records import HubRecord, pack
from orchestrator.domain.redis_keys import LIVE_STREAM
from orchestrator.services.live_hub import LiveHub, Subscription
from tests import records
from tests.studio import RedisProcess


def send(server: RedisProcess, job_id: int, first: int, last: int) -> None:
    client = server.client()
    with client.pipeline(transaction=False) as pipe:
        for seq in range(first, last + 1):
            pipe.xadd(LIVE_STREAM, {"d": pack(records.metric(job_id, seq))})
        pipe.execute()
    client.close()


async def gather(subscription: Subscription, count: int, limit_s: float = 10.0) -> list[HubRecord]:
    found: list[HubRecord] = []
    async with asyncio.timeout(limit_s):
        while len([r for r in found if r["kind"] != "gap"]) < count:
            found += await subscription.take()
    return found


@pytest.mark.parametrize("listeners", [1, 200])
def test_each_record_once_in_order(redis_server: RedisProcess, listeners: int) -> None:
    async def scenario() -> None:
        hub = LiveHub()
        send(redis_server, 1, 1, 5)  # before anybody listens: not ours
        ones = [await hub.subscribe(1) for _ in range(listeners)]
        other, everything = await hub.subscribe(2), await hub.subscribe(None)
        await asyncio.to_thread(send, redis_server, 1, 6, 505)
        await asyncio.to_thread(send, redis_server, 2, 1, 5)
        for subscription in ones:
            assert [r["seq"] for r in await gather(subscription, 500)] == list(range(6, 506))
        assert [r["seq"] for r in await gather(other, 5)] == [1, 2, 3, 4, 5]
        assert len(await gather(everything, 505)) == 505
        assert await other.take(timeout=0.05) == []
        for subscription in [*ones, other, everything]:
            subscription.close()
        assert hub.listeners == 0
        await hub.stop()

    asyncio.run(scenario())


def test_a_restart_of_redis_is_survived(redis_server: RedisProcess) -> None:
    async def scenario() -> None:
        hub = LiveHub()
        listener = await hub.subscribe(1)
        await asyncio.to_thread(send, redis_server, 1, 1, 3)
        assert len(await gather(listener, 3)) == 3
        await asyncio.to_thread(redis_server.stop, signal.SIGTERM)
        await asyncio.sleep(0.5)
        await asyncio.to_thread(redis_server.start)
        await asyncio.to_thread(send, redis_server, 1, 4, 6)
        found = await gather(listener, 3)
        assert [r["kind"] for r in found].count("gap") == 1
        assert [r["seq"] for r in found if r["kind"] == "metric"] == [4, 5, 6]
        await hub.stop()
        assert listener.closed

    asyncio.run(scenario())


def test_a_slow_listener_gets_a_gap(redis_server: RedisProcess) -> None:
    async def scenario() -> None:
        hub = LiveHub()
        slow, quick = await hub.subscribe(1, size=10), await hub.subscribe(1)
        await asyncio.to_thread(send, redis_server, 1, 1, 100)
        await gather(quick, 100)
        found = await slow.take()
        assert found[0]["kind"] == "gap"
        assert len(found) <= 10
        await hub.stop()

    asyncio.run(scenario())
