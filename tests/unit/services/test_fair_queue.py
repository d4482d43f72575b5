"""Slow work is done in turns by person, holds no thread while it waits, and one person's flood ends in 429."""

import asyncio
import threading

import pytest

from orchestrator.domain.errors import TooMany, Unavailable
from orchestrator.services.fair_queue import FairQueue


def test_people_take_turns() -> None:
    queue, order, gate = FairQueue("Clips are being drawn", 1), [], threading.Event()

    async def ask(person: int) -> None:
        await queue.run(person, lambda: order.append(person))

    async def main() -> None:
        first = asyncio.create_task(queue.run(1, lambda: gate.wait(5)))
        await asyncio.sleep(0.05)
        crowd = [asyncio.create_task(ask(1)) for _ in range(5)]
        await asyncio.sleep(0.05)
        crowd.append(asyncio.create_task(ask(2)))
        await asyncio.sleep(0.05)
        gate.set()
        await asyncio.gather(first, *crowd)

    asyncio.run(main())
    assert sorted(order) == [1, 1, 1, 1, 1, 2]
    assert order.index(2) <= 1


def test_a_flood_of_one_person_is_refused_and_others_are_not() -> None:
    queue, gate = FairQueue("Clips are being drawn", 1, per_person=3), threading.Event()

    async def main() -> None:
        mine = [asyncio.create_task(queue.run(1, lambda: gate.wait(5))) for _ in range(3)]
        await asyncio.sleep(0.05)
        with pytest.raises(TooMany, match="3 of them are yours"):
            await queue.run(1, lambda: None)
        other = asyncio.create_task(queue.run(2, lambda: "drawn"))
        await asyncio.sleep(0.05)
        gate.set()
        assert await other == "drawn"
        await asyncio.gather(*mine)
        assert await queue.run(1, lambda: "again") == "again"

    asyncio.run(main())


def test_waiting_holds_no_thread() -> None:
    queue, gate = FairQueue("Clips are being drawn", 2, per_person=100), threading.Event()

    async def main() -> int:
        tasks = [asyncio.create_task(queue.run(1, lambda: gate.wait(5))) for _ in range(60)]
        await asyncio.sleep(0.1)
        threads = sum(thread.name.startswith("fair-queue") for thread in threading.enumerate())
        gate.set()
        await asyncio.gather(*tasks)
        return threads

    assert asyncio.run(main()) <= 6  # ours, and idle ones of the tests before


def test_who_goes_away_leaves_the_line() -> None:
    queue, gate, ran = FairQueue("Clips are being drawn", 1), threading.Event(), []

    async def main() -> None:
        first = asyncio.create_task(queue.run(1, lambda: gate.wait(5)))
        await asyncio.sleep(0.05)
        gone = asyncio.create_task(queue.run(2, lambda: ran.append("gone")))
        stays = asyncio.create_task(queue.run(3, lambda: ran.append("stays")))
        await asyncio.sleep(0.05)
        gone.cancel()
        gate.set()
        await asyncio.gather(first, stays)

    asyncio.run(main())
    assert ran == ["stays"]
    assert (queue._running, queue._counts, queue._waiting) == (0, {}, {})


def test_the_wait_ends_with_a_sentence() -> None:
    queue, gate = FairQueue("Other clips are being drawn", 1, limit_s=0.1), threading.Event()

    async def main() -> None:
        first = asyncio.create_task(queue.run(1, lambda: gate.wait(5)))
        await asyncio.sleep(0.02)
        with pytest.raises(Unavailable, match="Other clips are being drawn"):
            await queue.run(2, lambda: None)
        gate.set()
        await first

    asyncio.run(main())
    assert (queue._running, queue._counts) == (0, {})


def test_an_error_frees_the_turn() -> None:
    queue = FairQueue("Clips are being drawn", 1)

    def fails() -> None:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        queue.run_blocking(1, fails)
    assert queue.run_blocking(1, lambda: "next") == "next"
