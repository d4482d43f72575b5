"""The overview: counts, jobs that update while they run, the last events, and the workers."""

import asyncio
import time
from typing import Any

import reflex as rx
from reflex_components_sonner.toast import ToastAction

from orchestrator.domain import formatting
from orchestrator.domain.errors import AppError
from orchestrator.domain.live_records import HubRecord
from orchestrator.services.activity import OverviewRow, overview
from orchestrator.services.demo import Demo, find_demo
from orchestrator.services.milestones import first_steps, hide_checklist
from orchestrator.states.jobs.demo import DemoLaunch
from orchestrator.states.overview.checklist import ChecklistItem, checklist
from orchestrator.states.overview.rows import (
    CURVE_POINTS,
    ActiveCard,
    EventLine,
    Figures,
    LiveFigures,
    RecentJob,
    active_card,
    event_line,
    figures_of,
    live_figures,
    number,
    recent_job,
    updated,
)
from orchestrator.states.shared.guards import run_as_user, signed_in
from orchestrator.states.shared.live import listening
from orchestrator.states.workers.rows import DeviceLine, device_line
from orchestrator.ui.primitives.toast import toast

WINDOW_S = 0.5
"""Cards update at most twice a second."""
REFRESH_S = 5.0
"""How often everything is read again: workers report their load only to the database."""
SETTLE_S = 0.3
EVENTS = 6


class OverviewState(DemoLaunch, rx.State):
    """What the overview shows. Only `live` and `curves` (by job id) are sent while jobs run."""

    loaded: bool = False
    problem: str = ""
    active: list[ActiveCard] = []
    live: dict[str, LiveFigures] = {}
    curves: dict[str, list[float]] = {}
    recent: list[RecentJob] = []
    events: list[EventLine] = []
    devices: list[DeviceLine] = []
    figures: Figures = Figures()
    any_jobs: bool = False
    demo: Demo = Demo()
    checklist: list[ChecklistItem] = []
    """The first steps; empty once they were put away."""

    @rx.var
    def checklist_done(self) -> int:
        """How many of the steps are done."""
        return sum(item.done for item in self.checklist)

    @rx.event
    @signed_in
    async def show_checklist(self, shown: bool):
        """Puts the checklist away, or shows it again."""
        await run_as_user(self, hide_checklist, not shown)
        self.checklist = checklist(await run_as_user(self, first_steps))
        undo = ToastAction("Undo", OverviewState.show_checklist(True))
        return None if shown else toast("info", "First steps hidden.", action=undo)

    @rx.var
    def note(self) -> str:
        """The line under the headline."""
        if not self.loaded:
            return "\u00a0"
        waiting = sum(card.status == "queued" for card in self.active)
        running = len(self.active) - waiting
        words = [f"{formatting.plural(running, 'job')} running"] if running else []
        return ", ".join([*words, *([f"{waiting:,} waiting"] if waiting else [])]) or "No jobs running"

    @rx.event(background=True)
    @signed_in
    async def watch(self):
        """Reads once, then follows the live records until the page is left."""
        async with listening(None) as subscription:
            await self._read()
            read_at = time.monotonic()
            while not subscription.closed:
                records = await subscription.take(timeout=REFRESH_S)
                await asyncio.sleep(WINDOW_S if records else 0)
                records += await subscription.take(timeout=0) if records else []
                if any(record["kind"] in ("status", "gap") for record in records):
                    await asyncio.sleep(SETTLE_S)
                elif records and time.monotonic() - read_at < REFRESH_S:
                    await self._apply_records(records)
                    continue
                await self._read()
                read_at = time.monotonic()

    @rx.event
    @signed_in
    async def refresh(self):
        """Reads again after an error."""
        self.problem, self.loaded = "", False
        return OverviewState.watch

    async def _read(self) -> None:
        try:
            row = await run_as_user(self, overview, events=EVENTS)
            demo = Demo() if row.counts.jobs else await run_as_user(self, find_demo)
            steps = await run_as_user(self, first_steps)
        except AppError as error:
            async with self:
                self.problem = error.message
            return
        async with self:
            self._show(row)
            self._assign("demo", demo)
            self._assign("checklist", checklist(steps))
            self.loaded, self.problem = True, ""

    def _show(self, row: OverviewRow) -> None:
        active = [active_card(item.job) for item in row.active]
        self._assign("active", active)
        # The database is a moment behind the live records: a running card must not go back.
        before = self.live
        live = {str(item.job.id): live_figures(item) for item in row.active}
        for key, figures in live.items():
            if key in before and before[key].percent > figures.percent:
                live[key] = before[key]
        self._assign("live", live)
        curves = {str(item.job.id): [round(value, 4) for _, value in item.points] for item in row.active}
        longer = {key: self.curves[key] for key, new in curves.items() if len(new) < len(self.curves.get(key, []))}
        self._assign("curves", {**curves, **longer})
        self._assign("recent", [recent_job(job) for job in row.recent_jobs])
        self._assign("events", [event_line(news) for news in row.news])
        self._assign("devices", [device_line(worker) for worker in row.devices])
        self._assign("figures", figures_of(row.counts, len(active)))
        self._assign("any_jobs", row.counts.jobs > 0)

    def _assign(self, name: str, value: Any) -> None:
        """Assigns only a changed value: an equal one is not sent."""
        if getattr(self, name) != value:
            setattr(self, name, value)

    async def _apply_records(self, records: list[HubRecord]) -> None:
        async with self:
            live, curves = dict(self.live), dict(self.curves)
            for record in records:
                key = str(record["job"])
                if key not in live or not (record["kind"] == "progress" or record["kind"] == "metric"):
                    continue
                live[key] = updated(live[key], record)
                if record["kind"] == "metric" and (loss := number(record["values"].get("loss"))) is not None:
                    curves[key] = thin([*curves.get(key, []), round(loss, 4)])
            self._assign("live", live)
            self._assign("curves", curves)


def thin(values: list[float]) -> list[float]:
    """At most twice `CURVE_POINTS` values: when full, neighbours become their mean."""
    if len(values) <= 2 * CURVE_POINTS:
        return values
    pairs = zip(values[::2], values[1::2], strict=False)
    return [round((a + b) / 2, 4) for a, b in pairs]
