"""How many of one's own jobs run and wait, and how far the newest is: for the pill in the top bar of every page."""

import asyncio

import reflex as rx

from orchestrator.domain.live_records import HubRecord
from orchestrator.services.activity import running_now
from orchestrator.states.shared.guards import act, signed_in
from orchestrator.states.shared.identity import find_actor
from orchestrator.states.shared.live import listening, sips

WINDOW_S = 0.5
"""The pill moves at most twice a second."""
_SETTLE_S = 0.3


class _Ear:
    """Which records are for one tab: each hears of every job, so what is not for it must cost next to nothing."""

    def __init__(self, user_id: int) -> None:
        self.user_id, self.job_id = user_id, 0

    def wants(self, record: HubRecord) -> bool:
        """What changes the counts, and the progress of the job that the pill shows."""
        if record["kind"] == "status":
            return record.get("owner", self.user_id) == self.user_id
        return record["kind"] == "gap" or record["job"] == self.job_id


class RunningState(rx.State):
    """What the pill shows; `percent` is -1 while unknown (the ring turns)."""

    count: int = 0
    waiting: int = 0
    percent: float = -1.0
    series: int = 1
    _job_id: int = 0

    @rx.event(background=True)
    @signed_in
    async def watch(self):
        """Reads once, then follows the live records of one's own jobs until the page is left."""
        actor = await find_actor(self)
        if actor is None:
            return

        ear = _Ear(actor.user_id)
        async with listening(None, ear.wants) as subscription:
            ear.job_id = await self._read()
            async for records in sips(subscription, WINDOW_S):
                if any(record["kind"] in ("status", "gap") for record in records):
                    # The record is published right after the commit; a moment later all of a burst is in.
                    await asyncio.sleep(_SETTLE_S)
                    ear.job_id = await self._read()
                else:
                    await self._move(records)

    async def _read(self) -> int:
        row = await act(self, running_now)
        async with self:
            self.count, self.waiting, self._job_id = row.count, row.waiting, row.job_id
            self.series = (row.job_id - 1) % 7 + 1 if row.job_id else 1
            self.percent = _whole(row.progress) if row.started else -1.0
        return row.job_id

    async def _move(self, records: list[HubRecord]) -> None:
        steps = [
            record["step"] / record["total"]
            for record in records
            if (record["kind"] == "progress" or record["kind"] == "metric") and record["total"]
            if record["job"] == self._job_id
        ]
        if not steps or not self._job_id:
            return
        percent = _whole(min(1.0, steps[-1]))
        if percent != self.percent:
            async with self:
                self.percent = percent


def _whole(share: float) -> float:
    """In whole percent, as the pill says it: a long run moves it a hundred times, not at each step."""
    return float(int(100 * share))
