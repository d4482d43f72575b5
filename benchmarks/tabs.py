"""Many open tabs of job pages, without a browser: real websockets that speak the pages' protocol and note what arrives.

`python -m benchmarks.tabs URL COOKIE COUNT JOB...` prints "ready" when every tab shows its job; at the end of stdin it
prints one JSON list of [job, first record, last record, unix time] for each update of a chart and ends.
"""

import asyncio
import json
import sys
import time
import uuid
from typing import Any

import socketio

NAMESPACE = "/_event"
BOOT = "reflex___state____state.hydrate_and_load"
STATE, POINTS, HISTORY = "job_detail____job_detail", "points_rx_state_", "history_rx_state_"
TOGETHER = 20
"""Tabs that open at once."""


class Tab:
    """One open job page."""

    def __init__(self, job: str, seen: list[tuple[str, int, int, float]]) -> None:
        self.job, self._seen = job, seen
        self.ready = asyncio.Event()
        self.told = 0
        self.client = socketio.AsyncClient(reconnection=False)
        self.client.on("event", self._update, namespace=NAMESPACE)

    async def open(self, url: str, cookie: str) -> None:
        """Connects as the page does: the hydrate event rides in the CONNECT packet."""
        path = f"/jobs/{self.job}"
        route = {"pathname": path, "asPath": path, "query": {"job_id": self.job}}
        await self.client.connect(
            f"{url}?token={uuid.uuid4()}",
            headers={"Cookie": cookie, "Origin": url},
            auth={"event": {"name": BOOT, "payload": {}, "router_data": route}},
            transports=["websocket"],
            namespaces=[NAMESPACE],
            socketio_path="/_event",
            wait_timeout=60,
        )
        async with asyncio.timeout(120):
            await self.ready.wait()

    async def _update(self, update: dict[str, Any]) -> None:
        now = time.time()
        for name, changed in (update.get("delta") or {}).items():
            if not name.endswith(STATE):
                continue
            if HISTORY in changed:
                self.ready.set()
            points = changed.get(POINTS)
            if points and points["seq"]:
                self._seen.append((self.job, max(self.told + 1, points["first_seq"]), points["seq"], now))
                self.told = points["seq"]


async def main(url: str, cookie: str, count: int, jobs: list[str]) -> None:
    seen: list[tuple[str, int, int, float]] = []
    tabs = [Tab(jobs[number % len(jobs)], seen) for number in range(count)]
    for first in range(0, count, TOGETHER):
        await asyncio.gather(*(tab.open(url, cookie) for tab in tabs[first : first + TOGETHER]))
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.read)
    print(json.dumps(seen), flush=True)
    await asyncio.gather(*(tab.client.disconnect() for tab in tabs), return_exceptions=True)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4:]))
