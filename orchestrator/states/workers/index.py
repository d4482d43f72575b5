"""The workers page: each worker live, the queue, and what an administrator may change."""

import asyncio
from dataclasses import dataclass, field
from typing import Any

import reflex as rx

from orchestrator.domain import formatting
from orchestrator.domain.errors import AppError
from orchestrator.domain.numbers import parse_id
from orchestrator.services.training.queue_control import QueueRow, drain_worker, queue_row, steer_queue
from orchestrator.services.workers import WorkerRow, list_workers
from orchestrator.states.shared.guards import run_as_user, signed_in
from orchestrator.states.shared.identity import find_actor
from orchestrator.states.shared.presentation import series_of
from orchestrator.states.workers.rows import busy_label

REFRESH_S = 5.0
"""Workers send a heartbeat every five seconds; reading more often would show the same."""


@dataclass(frozen=True, slots=True)
class WorkerCard:
    """One worker as the page shows it."""

    name: str
    host: str
    device: str
    kind: str
    """CPU or GPU."""
    alive: bool
    draining: bool
    state: str
    """working | idle | draining | silent."""
    job_id: int
    job: str
    owner: str
    series: int
    memory: str
    memory_percent: float
    gpu_memory: str
    gpu_memory_percent: float
    busy_label: str
    busy: str
    busy_percent: float
    heartbeat: str
    """ISO time of the last heartbeat."""
    since: str
    busy_curve: list[float] = field(default_factory=list)
    memory_curve: list[float] = field(default_factory=list)


class WorkersState(rx.State):
    """What the workers page shows; read again every few seconds while it is open."""

    loaded: bool = False
    problem: str = ""
    workers: list[WorkerCard] = []
    waiting: int = 0
    running: int = 0
    paused: bool = False
    limit: str = "none"
    """How many jobs of one user may train at once; "none": as many as there are workers."""

    @rx.event(background=True)
    @signed_in
    async def watch(self):
        """Reads the workers and the queue again and again until the page is left."""
        while await find_actor(self) is not None:
            try:
                rows, queue = await run_as_user(self, list_workers), await run_as_user(self, queue_row)
            except AppError as error:
                async with self:
                    self.problem, self.loaded = error.message, True
                return
            async with self:
                self._show(rows, queue)
            await asyncio.sleep(REFRESH_S)

    @rx.event
    @signed_in
    async def refresh(self):
        """Reads again after an error."""
        self.problem, self.loaded = "", False
        return WorkersState.watch

    @rx.event
    @signed_in
    async def drain(self, name: str, draining: bool):
        """Lets a worker finish its job and take no other, or take jobs again."""
        await run_as_user(self, drain_worker, name, draining)
        self._show(await run_as_user(self, list_workers), await run_as_user(self, queue_row))
        return rx.toast.success(f"{name} takes no new jobs." if draining else f"{name} takes jobs again.")

    @rx.event
    @signed_in
    async def pause(self, paused: bool):
        """Pauses the queue, or resumes it."""
        await self._steer(paused=paused)
        return rx.toast.success("Queue paused." if paused else "Queue resumed.")

    @rx.event
    @signed_in
    async def set_limit(self, limit: str):
        """Sets how many jobs of one user may train at once."""
        if per_user := parse_id(limit):
            return await self._steer(per_user=per_user)
        return await self._steer(unlimited=True)

    async def _steer(self, **changes: Any) -> None:
        self._show_queue(await run_as_user(self, steer_queue, **changes))

    def _show(self, rows: list[WorkerRow], queue: QueueRow) -> None:
        self.workers = [worker_card(row) for row in rows]
        self._show_queue(queue)
        self.problem, self.loaded = "", True

    def _show_queue(self, queue: QueueRow) -> None:
        self.waiting, self.running, self.paused = queue.waiting, queue.running, queue.paused
        self.limit = str(queue.per_user) if queue.per_user else "none"


def worker_card(row: WorkerRow) -> WorkerCard:
    """A worker as a card."""
    state = "silent" if not row.alive else "draining" if row.draining else "working" if row.busy else "idle"
    job = row.job_name or ("another user's job" if row.busy else "")
    memory = row.memory_used / row.memory_total if row.memory_total else 0.0
    gpu_memory = row.gpu_memory_used / row.gpu_memory_total if row.gpu_memory_total else 0.0
    return WorkerCard(
        name=row.name,
        host=row.host,
        device=row.device,
        kind=row.device_class.upper(),
        alive=row.alive,
        draining=row.draining,
        state=state,
        job_id=row.job_id or 0,
        job=job,
        owner=row.job_owner,
        series=series_of(row.job_id) if row.job_id else 0,
        memory=f"{formatting.size(row.memory_used)} / {formatting.size(row.memory_total)}" if row.memory_total else "",
        memory_percent=round(memory * 100, 1),
        gpu_memory=f"{formatting.size(row.gpu_memory_used)} / {formatting.size(row.gpu_memory_total)}"
        if gpu_memory
        else "",
        gpu_memory_percent=round(gpu_memory * 100, 1),
        busy_label=busy_label(row),
        busy=formatting.percent(row.utilisation),
        busy_percent=round(row.utilisation * 100, 1),
        heartbeat=formatting.iso(row.beat_at),
        since=formatting.iso(row.started_at),
        busy_curve=[sample[0] for sample in row.past],
        memory_curve=[sample[1] for sample in row.past],
    )
