"""Many open tabs of job pages, without a browser: real websockets that speak the pages' protocol and note what arrives.

`python -m benchmarks.tabs URL COOKIE COUNT JOB...` prints "ready" when every tab shows its job; at the end of stdin it
prints one JSON list of [job, first record, last record, unix time] for each update of a chart and ends.
"""

import asyncio
import json
import sys
import time
import uuid
from collections.abc import Iterator
from typing import Any

import reflex as rx
import socketio
from reflex.constants.state import FIELD_MARKER

from orchestrator.states.jobs.detail import JobDetailState

NAMESPACE = "/_event"
BOOT = f"{rx.State.get_full_name()}.hydrate_and_load"
STATE = JobDetailState.get_full_name()
POINTS, HISTORY = f"points{FIELD_MARKER}", f"history{FIELD_MARKER}"
TOGETHER = 20
"""Tabs that open at once."""


class _Ear(socketio.AsyncClient):
    """Once it listens, it notes each message's arrival and reads it only at the end.

    Two hundred tabs share one process here and not one each: what the one takes to read its message would count as the
    others' wait.
    """

    listens = False

    def __init__(self) -> None:
        super().__init__(reconnection=False)
        self.heard: list[tuple[float, str]] = []

    async def _handle_eio_message(self, data: Any) -> None:
        if self.listens:
            self.heard.append((time.time(), data))
        else:
            await super()._handle_eio_message(data)


class Tab:
    """One open job page."""

    def __init__(self, job: str) -> None:
        self.job = job
        self.ready = asyncio.Event()
        self._histories = 0
        self.client = _Ear()
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
        """The first state has an empty history; with the second one the tab follows its job."""
        self._histories += any(HISTORY in changed for changed in _job_page(update))
        if self._histories > 1:
            self.ready.set()

    def seen(self) -> Iterator[tuple[str, int, int, float]]:
        """(job, first record, last record, when) of each update of the chart since it listens."""
        sent_seq = 0
        for at, message in self.client.heard:
            head, comma, body = message.partition(",")
            update = json.loads(body)[1] if comma and head == f"2{NAMESPACE}" else {}
            for changed in _job_page(update):
                points = changed.get(POINTS)
                if points and points["seq"]:
                    yield self.job, max(sent_seq + 1, points["first_seq"]), points["seq"], at
                    sent_seq = points["seq"]


def _job_page(update: dict[str, Any]) -> list[dict[str, Any]]:
    """What an update changes of the job page's own state."""
    return [changed for name, changed in (update.get("delta") or {}).items() if name == STATE]


async def main(url: str, cookie: str, count: int, jobs: list[str]) -> None:
    tabs = [Tab(jobs[number % len(jobs)]) for number in range(count)]
    for first in range(0, count, TOGETHER):
        await asyncio.gather(*(tab.open(url, cookie) for tab in tabs[first : first + TOGETHER]))
    for tab in tabs:
        tab.client.listens = True
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.read)
    print(json.dumps([update for tab in tabs for update in tab.seen()]), flush=True)
    await asyncio.gather(*(tab.client.disconnect() for tab in tabs), return_exceptions=True)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4:]))
