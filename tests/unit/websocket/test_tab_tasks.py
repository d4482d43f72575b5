"""What runs for a tab ends with it, also where a library loses the first cancellation."""

import asyncio

import pytest

from orchestrator.websocket import tab_tasks
from orchestrator.websocket.tab_tasks import end_tasks_of_tab, ends_with_tab


def test_a_lost_cancellation_is_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tab_tasks, "CANCEL_AGAIN_S", 0.01)
    lost: list[str] = []

    async def deaf() -> None:
        with ends_with_tab("tab"):
            try:
                await asyncio.sleep(30)
            except asyncio.CancelledError:
                lost.append("once")
            await asyncio.sleep(30)

    async def close_tab() -> None:
        running = asyncio.create_task(deaf())
        await asyncio.sleep(0)
        end_tasks_of_tab("tab")
        with pytest.raises(asyncio.CancelledError):
            await asyncio.wait_for(running, 20)

    asyncio.run(close_tab())
    assert lost == ["once"]


def test_other_tabs_go_on() -> None:
    async def close_tab() -> bool:
        async def work() -> bool:
            with ends_with_tab("mine"):
                await asyncio.sleep(0.01)
            return True

        running = asyncio.create_task(work())
        await asyncio.sleep(0)
        end_tasks_of_tab("another")
        return await running

    assert asyncio.run(close_tab())
