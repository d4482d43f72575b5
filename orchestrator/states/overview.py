"""The overview: true counts, jobs that move by themselves, what happened last, the machines."""

from dataclasses import dataclass

import reflex as rx

from orchestrator.services.activity import ActiveJob, OverviewRow, overview
from orchestrator.services.demo import Demo, find_demo
from orchestrator.services.training.rows import EventRow
from orchestrator.services.workers import WorkerRow
from orchestrator.states import words
from orchestrator.states.guards import act, signed_in
from orchestrator.states.job_rows import JobLine, job_line
from orchestrator.states.live import listening, sips

REFRESH_S = 1.0
"""The cards need not move more often."""


@dataclass(frozen=True)
class ActiveCard:
    """A waiting or running job as a card."""

    id: int
    name: str
    status: str
    series: int
    subject: str
    percent: float
    percent_words: str
    left: str
    step: str
    total: str
    epoch: str
    loss: str
    accuracy: str
    line: str
    area: str


@dataclass(frozen=True)
class EventLine:
    """One thing that happened."""

    job_id: int
    job_name: str
    kind: str
    message: str
    at: str


@dataclass(frozen=True)
class DeviceLine:
    """One machine that trains."""

    name: str
    device: str
    alive: bool
    doing: str
    memory_percent: float
    memory: str
    busy_percent: float
    busy: str


class OverviewState(rx.State):
    """Rows of one visit; refreshed at most once a second, and only when something moved."""

    ready: bool = False
    active: list[ActiveCard] = []
    recent: list[JobLine] = []
    events: list[EventLine] = []
    devices: list[DeviceLine] = []
    datasets: str = "0"
    datasets_note: str = ""
    models: str = "0"
    jobs: str = "0"
    jobs_note: str = ""
    adapters: str = "0"
    demo: Demo = Demo()

    @rx.var
    def note(self) -> str:
        """The line under the headline."""
        running = len(self.active)
        if not self.ready:
            return "\u00a0"
        return f"{words.plural(running, 'job')} under way" if running else "No job under way"

    @rx.event(background=True)
    @signed_in
    async def watch(self):
        """Reads once, then again whenever a job moved."""
        async with listening(None) as subscription:
            await self._read()
            async for _records in sips(subscription, REFRESH_S):
                await self._read()

    async def _read(self) -> None:
        found = await act(self, overview)
        demo = await act(self, find_demo) if not found.counts.jobs else Demo()
        async with self:
            self._show(found)
            self.demo, self.ready = demo, True

    def _show(self, found: OverviewRow) -> None:
        self.active = [_card(item) for item in found.active]
        self.recent = [job_line(row) for row in found.recent_jobs]
        self.events = [_event(row) for row in found.events]
        self.devices = [_device(row) for row in found.devices]
        counts = found.counts
        self.datasets, self.models, self.jobs = (words.count(n) for n in (counts.datasets, counts.models, counts.jobs))
        self.datasets_note = f"{words.plural(counts.clips, 'clip')}, {words.size(counts.dataset_bytes)}"
        done = counts.jobs_by_status.get("completed", 0)
        self.adapters = words.count(done)
        failed = counts.jobs_by_status.get("failed", 0)
        self.jobs_note = f"{words.count(done)} completed, {words.count(failed)} failed"


def _card(item: ActiveJob) -> ActiveCard:
    job = item.job
    line, area = spark(item.points)
    accuracy = job.summary.get("eval_accuracy")
    return ActiveCard(
        id=job.id,
        name=job.name,
        status=job.status,
        series=(job.id - 1) % 7 + 1,
        subject=f"{job.dataset_name} \u00b7 {job.model_name}",
        percent=round(100 * job.progress, 1),
        percent_words=f"{int(100 * job.progress)}",
        left=f"{words.duration(job.eta_s)} left" if job.eta_s else ("Waiting" if job.status == "queued" else ""),
        step=words.count(job.step),
        total=words.count(job.total_steps),
        epoch=f"{job.epoch:.1f} / {job.epochs}",
        loss=words.loss(job.summary.get("loss")) or "\u2013",
        accuracy=words.percent(accuracy, 1) if isinstance(accuracy, int | float) else "\u2013",
        line=line,
        area=area,
    )


def spark(points: list[list[float]], width: int = 240, height: int = 56) -> tuple[str, str]:
    """Polyline and area path of a curve in a box; both empty below two points."""
    if len(points) < 2:
        return "", ""
    values = [value for _, value in points]
    low, high = min(values), max(values)
    spread = (high - low) or 1.0
    dots = [
        f"{width * i / (len(values) - 1):.1f},{2 + (height - 4) * (1 - (value - low) / spread):.1f}"
        for i, value in enumerate(values)
    ]
    line = "M" + " L".join(dots)
    return line, f"{line} L{width},{height} L0,{height} Z"


def _event(row: EventRow) -> EventLine:
    return EventLine(row.job_id, row.job_name, row.kind, row.message, words.ago(row.at))


def _device(row: WorkerRow) -> DeviceLine:
    share = row.memory_used / row.memory_total if row.memory_total else 0.0
    doing = row.job_name or ("Busy" if row.busy else "Idle") if row.alive else "Silent"
    return DeviceLine(
        name=row.host,
        device=f"{row.device}, {row.cores} cores" if row.device == "cpu" else row.device,
        alive=row.alive,
        doing=doing,
        memory_percent=round(100 * share, 1),
        memory=f"{words.size(row.memory_used)} / {words.size(row.memory_total)}",
        busy_percent=round(100 * row.utilisation, 1),
        busy=words.percent(row.utilisation),
    )
