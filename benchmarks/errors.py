"""An unexpected error in a route: how long the event loop is held, and how much it writes to the log."""

import asyncio
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import httpx

from benchmarks.ledger import ledger
from benchmarks.target import Target
from orchestrator.settings import ROOT

TARGETS: dict[str, Target] = {"held_ms": {"max": 20.0}, "log_kb": {"max": 10.0}}
TIMES = 50
_DEPTH = 40
"""Frames between the route and the error: a deep stack with large values in it, as of a parser or a library."""
_SECRET = "MyRealPassw0rd-Z"


def run() -> dict[str, float]:
    """The longest time that the loop of a web process was held by one error, and the most that one error wrote.

    The whole REST application with its middleware and its logs, and a route that fails; `held_plain_ms`: the longest
    hold of as many requests to a route that answers, the noise of this machine.
    """
    with ledger(), tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "web.log"
        with log.open("wb") as out:
            done = subprocess.run(
                [sys.executable, "-m", "benchmarks.errors"],
                cwd=ROOT,
                env=os.environ | {"PYTHONPATH": str(ROOT)},
                stdout=subprocess.PIPE,
                stderr=out,
                text=True,
                timeout=300,
                check=True,
            )
        text = log.read_text()
        plain, held = map(float, done.stdout.split())
    return {
        "held_ms": round(held, 2),
        "held_plain_ms": round(plain, 2),
        "log_kb": round(len(text.encode()) / TIMES / 1000, 2),
        "secrets_in_log": float(text.count(_SECRET)),
    }


async def _measure() -> None:
    from fastapi import FastAPI

    from orchestrator.api.app import create_api

    app: FastAPI = create_api()

    @app.get("/api/v1/bench/broken")
    async def broken(password: str) -> None:
        _fail(_DEPTH, {"password": password, "values": list(range(100_000))})

    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost:3000") as client:
        plain = await _max_hold(client, "/api/v1/health", 200)
        held = await _max_hold(client, f"/api/v1/bench/broken?password={_SECRET}", 500)
    print(plain, held)


def _fail(depth: int, values: dict[str, object]) -> None:
    copy = dict(values)
    if not depth:
        raise RuntimeError("a fault of our own")
    _fail(depth - 1, copy)


async def _max_hold(client: httpx.AsyncClient, address: str, status: int) -> float:
    """Milliseconds for which nothing else of the loop ran, at most, over all requests."""
    longest, ends = 0.0, False

    async def watch() -> None:
        nonlocal longest
        before = time.perf_counter()
        while not ends:
            await asyncio.sleep(0)
            now = time.perf_counter()
            longest, before = max(longest, now - before), now

    await client.get(address)
    watcher = asyncio.create_task(watch())
    for _ in range(TIMES - 1):
        await asyncio.sleep(0)
        answer = await client.get(address)
        await asyncio.sleep(0)  # a request that never waits would end before the watcher looks
        assert answer.status_code == status, answer.text
    ends = True
    await watcher
    return longest * 1000


if __name__ == "__main__":
    from orchestrator.logs import configure_logging

    configure_logging("web")
    asyncio.run(_measure())
