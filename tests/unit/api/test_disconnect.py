"""Work for a client that has gone ends, also where a library loses the first cancellation."""

import asyncio
from typing import Any

import pytest
from fastapi import Request
from starlette.requests import ClientDisconnect

from orchestrator.api import disconnect


def test_a_lost_cancellation_is_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disconnect, "CANCEL_AGAIN_S", 0.05)
    cancelled = 0

    async def work() -> None:
        nonlocal cancelled
        while cancelled < 2:
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                cancelled += 1

    async def receive() -> dict[str, Any]:
        await asyncio.sleep(0.01)
        return {"type": "http.disconnect"}

    async def main() -> None:
        with pytest.raises(ClientDisconnect):
            await disconnect.while_connected(Request({"type": "http", "headers": []}, receive), work())

    asyncio.run(asyncio.wait_for(main(), 5))
    assert cancelled == 2
