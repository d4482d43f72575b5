"""The overview: true counts, jobs that move by themselves, what happened last, the machines."""

import asyncio
import time
from typing import Any

import reflex as rx

from orchestrator.domain.errors import AppError, NotSignedIn
from orchestrator.domain.live_records import HubRecord
from orchestrator.services.activity import OverviewRow, overview
from orchestrator.services.demo import Demo, find_demo
from orchestrator.states.overview.rows import (
    CURVE_POINTS,
    ActiveCard,
    EventLine,
    Figures,
    Moving,
    RecentJob,
    active_card,
    event_line,
    figures_of,
    moved,
    moving_of,
    number,
    recent_job,
)
from orchestrator.states.shared import formatting
from orchestrator.states.shared.guards import act, signed_in
from orchestrator.states.shared.live import listening
from orchestrator.states.workers.rows import DeviceLine, device_line

WINDOW_S = 0.5
"""Cards move at most twice a second."""
LOOK_AGAIN_S = 5.0
"""Machines say how busy they are only in the ledger."""
SETTLE_S = 0.3
EVENTS = 6


class OverviewState(rx.State):
    """Rows of one visit. `moving` and `curves` (by job id) are all that travels while jobs run."""

    ready: bool = False
    failed: str = ""
    active: list[ActiveCard] = []
    moving: dict[str, Moving] = {}
    curves: dict[str, list[float]] = {}
    recent: list[RecentJob] = []
    events: list[EventLine] = []
    devices: list[DeviceLine] = []
    figures: Figures = Figures()
    any_jobs: bool = False
    demo: Demo = Demo()

    @rx.var
    def note(self) -> str:
        """The line under the headline."""
        if not self.ready:
            return "\u00a0"
        return f"{formatting.plural(len(self.active), 'job')} under way" if self.active else "No job under way"

    @rx.event(background=True)
    @signed_in
    async def watch(self):
        """Reads once, then follows the live records until the page is left."""
        async with listening(None) as subscription:
            await self._read()
            read_at = time.monotonic()
            while not subscription.closed:
                records = await subscription.take(timeout=LOOK_AGAIN_S)
                await asyncio.sleep(WINDOW_S if records else 0)
                records += await subscription.take(timeout=0) if records else []
                if any(record["kind"] in ("status", "gap") for record in records):
                    await asyncio.sleep(SETTLE_S)
                elif records and time.monotonic() - read_at < LOOK_AGAIN_S:
                    await self._move(records)
                    continue
                await self._read()
                read_at = time.monotonic()

    @rx.event
    @signed_in
    async def retry(self):
        """Reads again after an error."""
        self.failed, self.ready = "", False
        return OverviewState.watch

    async def _read(self) -> None:
        try:
            found = await act(self, overview, events=EVENTS)
            demo = Demo() if found.counts.jobs else await act(self, find_demo)
        except NotSignedIn:
            raise
        except AppError as error:
            async with self:
                self.failed = error.message
            return
        async with self:
            self._show(found)
            self._put("demo", demo)
            self.ready, self.failed = True, ""

    def _show(self, found: OverviewRow) -> None:
        active = [active_card(item.job) for item in found.active]
        self._put("active", active)
        # The ledger is a moment behind the stream: a running card must not step back.
        before = self.moving
        moving = {str(item.job.id): moving_of(item) for item in found.active}
        for key, now in moving.items():
            if key in before and before[key].percent > now.percent:
                moving[key] = before[key]
        self._put("moving", moving)
        curves = {str(item.job.id): [round(value, 4) for _, value in item.points] for item in found.active}
        kept = {key: self.curves[key] for key, new in curves.items() if len(new) < len(self.curves.get(key, []))}
        self._put("curves", {**curves, **kept})
        self._put("recent", [recent_job(row) for row in found.recent_jobs])
        self._put("events", [event_line(row) for row in found.events])
        self._put("devices", [device_line(row) for row in found.devices])
        self._put("figures", figures_of(found.counts, len(active)))
        self._put("any_jobs", found.counts.jobs > 0)

    def _put(self, name: str, value: Any) -> None:
        """Assigns only what is different: what is equal does not travel."""
        if getattr(self, name) != value:
            setattr(self, name, value)

    async def _move(self, records: list[HubRecord]) -> None:
        async with self:
            moving, curves = dict(self.moving), dict(self.curves)
            for record in records:
                key = str(record["job"])
                if key not in moving or not (record["kind"] == "progress" or record["kind"] == "metric"):
                    continue
                moving[key] = moved(moving[key], record)
                if record["kind"] == "metric" and (loss := number(record["values"].get("loss"))) is not None:
                    curves[key] = thin([*curves.get(key, []), round(loss, 4)])
            self._put("moving", moving)
            self._put("curves", curves)


def thin(values: list[float]) -> list[float]:
    """At most twice `CURVE_POINTS` values: when full, neighbours become their mean."""
    if len(values) <= 2 * CURVE_POINTS:
        return values
    pairs = zip(values[::2], values[1::2], strict=False)
    return [round((a + b) / 2, 4) for a, b in pairs]
