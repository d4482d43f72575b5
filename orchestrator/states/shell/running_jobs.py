"""How many of the user's jobs run and wait, and the newest one's progress: the pill in the top bar of every page."""

import asyncio

import reflex as rx

from orchestrator.domain.live_records import HubRecord
from orchestrator.services.activity import running_now
from orchestrator.states.shared.guards import run_as_user, signed_in
from orchestrator.states.shared.identity import find_actor
from orchestrator.states.shared.live import batches, listening
from orchestrator.states.shared.presentation import series_of

WINDOW_S = 0.5
"""The pill updates at most twice a second."""
_SETTLE_S = 0.3


class RecordFilter:
    """Which records concern one tab: each tab receives those of every job, so the others must cost next to nothing."""

    def __init__(self, user_id: int) -> None:
        self.user_id, self.job_id = user_id, 0

    def matches(self, record: HubRecord) -> bool:
        """Status changes of the user's jobs, and the progress of the job that the pill shows."""
        if record["kind"] == "status":
            return record.get("owner", self.user_id) == self.user_id
        return record["kind"] == "gap" or record["job"] == self.job_id


class RunningJobsState(rx.State):
    """What the pill shows; `percent` is -1 while unknown (the ring turns)."""

    count: int = 0
    waiting: int = 0
    percent: float = -1.0
    series: int = 1
    _job_id: int = 0

    @rx.event(background=True)
    @signed_in
    async def watch(self):
        """Reads once, then follows the live records of the user's jobs until the page is left."""
        actor = await find_actor(self)
        if actor is None:
            return

        record_filter = RecordFilter(actor.user_id)
        async with listening(None, record_filter.matches) as subscription:
            record_filter.job_id = await self._read()
            async for records in batches(subscription, WINDOW_S):
                if any(record["kind"] in ("status", "gap") for record in records):
                    # The record is published right after the commit; a moment later all of a burst is in.
                    await asyncio.sleep(_SETTLE_S)
                    record_filter.job_id = await self._read()
                else:
                    await self._move(records)

    async def _read(self) -> int:
        row = await run_as_user(self, running_now)
        async with self:
            self.count, self.waiting, self._job_id = row.count, row.waiting, row.job_id
            self.series = series_of(row.job_id) if row.job_id else 1
            self.percent = _integer_percent(row.progress) if row.started else -1.0
        return row.job_id

    async def _move(self, records: list[HubRecord]) -> None:
        shares = [
            record["step"] / record["total"]
            for record in records
            if (record["kind"] == "progress" or record["kind"] == "metric") and record["total"]
            if record["job"] == self._job_id
        ]
        if not shares or not self._job_id:
            return
        percent = _integer_percent(min(1.0, shares[-1]))
        if percent != self.percent:
            async with self:
                self.percent = percent


def _integer_percent(share: float) -> float:
    """As the pill shows it: a long run changes it a hundred times, not at each step."""
    return float(int(100 * share))
