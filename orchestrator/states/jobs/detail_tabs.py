"""The tabs of a job's page without curves: system telemetry, log and files; and its position in the queue."""

from dataclasses import dataclass

import reflex as rx

from orchestrator.domain import formatting
from orchestrator.domain.errors import AppError
from orchestrator.domain.live_records import SystemRecord
from orchestrator.services.metrics.logs import tail
from orchestrator.services.metrics.telemetry import telemetry
from orchestrator.services.training.artifacts import list_artifacts
from orchestrator.services.training.checkpoints import delete_checkpoints, list_checkpoints
from orchestrator.services.training.queue_control import set_priority
from orchestrator.services.training.queue_position import QueuePosition, find_position
from orchestrator.services.training.rows import ArtifactRow, CheckpointRow
from orchestrator.states.jobs.live_follower import Batch, Item
from orchestrator.states.jobs.rows import LogLine, log_row_line
from orchestrator.states.jobs.samples import Sample
from orchestrator.states.shared.focus import focus_element
from orchestrator.states.shared.guards import run_as_user, signed_in, toast_for

LOG_PAGE = 200
MISTAKES_ID = "misclassified"
"""The id of the card with the misclassified clips."""


@dataclass(frozen=True, slots=True)
class QueuePositionLine:
    """A waiting job's position in the queue, in words; empty when it does not wait."""

    text: str = ""
    note: str = ""


def queue_position_line(place: QueuePosition | None) -> QueuePositionLine:
    """Such as "2nd of 5 in the queue", and when it probably starts or what delays it."""
    if place is None:
        return QueuePositionLine()
    text = f"{formatting.ordinal(place.position)} of {place.waiting} in the queue" if place.position else "In the queue"
    if place.blocked_by:
        return QueuePositionLine(text, place.blocked_by)
    if place.starts_in_s is None:
        return QueuePositionLine(text, "It starts as soon as a worker is free.")
    soon = place.starts_in_s < 5
    return QueuePositionLine(
        text, "It starts now." if soon else f"It starts in about {formatting.duration(place.starts_in_s)}."
    )


def system_batch(records: list[SystemRecord]) -> Batch:
    """Live telemetry as a chart takes it."""
    items = [
        Item(round(record["s"]), name, float(value)) for record in records for name, value in record["values"].items()
    ]
    return Batch(records[-1]["n"], records[0]["n"], tuple(items))


class JobSystem(rx.State, mixin=True):
    """Telemetry, log and queue position of the job page."""

    telemetry: dict[str, list[list[float]]] = {}
    system: Batch = Batch()
    has_gpu: bool = False
    queue_position: QueuePositionLine = QueuePositionLine()
    lines: list[LogLine] = []
    older: int = -1
    """Where older log lines end in the file; -1 when the first line is shown."""
    log_query: str = ""
    log_level: str = "all"

    @rx.event
    @signed_in
    async def older_lines(self):
        """The log lines before the first one shown."""
        if self.older >= 0:
            await self._read_log(before=self.older)

    @rx.event
    @signed_in
    async def search_log(self, text: str):
        """Shows only lines that contain this text."""
        self.log_query = text[:200]
        await self._read_log(before=None)

    @rx.event
    @signed_in
    async def choose_level(self, level: str):
        """Shows only lines of this level or a worse one."""
        self.log_level = level
        await self._read_log(before=None)

    @rx.event
    @signed_in
    async def choose_priority(self, word: str):
        """Changes the priority of a waiting job."""
        try:
            await run_as_user(self, set_priority, self._job_id(), word)
        except AppError as error:
            yield toast_for(error)
        self.queue_position = queue_position_line(await run_as_user(self, find_position, self._job_id()))

    @rx.event
    @signed_in
    async def read_system(self, _last_seen: int = 0):
        """Reads the telemetry of the run so far."""
        history = await run_as_user(self, telemetry, self._job_id())
        self.telemetry, self.has_gpu = history.series, "gpu" in history.series

    @rx.var
    def has_memory_curve(self) -> bool:
        """The run's memory was measured."""
        return len(self.telemetry.get("memory", [])) > 1

    def _job_id(self) -> int:
        raise NotImplementedError

    def _fits_log(self, line: LogLine) -> bool:
        """Whether a live line matches the search and level."""
        matches = {"all": True, "warning": line.level in ("warn", "error"), "error": line.level == "error"}
        return matches.get(self.log_level, True) and self.log_query.lower() in line.text.lower()

    async def _read_log(self, before: int | None) -> None:
        query = {"q": self.log_query, "level": "" if self.log_level == "all" else self.log_level}
        page = await run_as_user(self, tail, self._job_id(), limit=LOG_PAGE, before=before, **query)
        fresh = [log_row_line(line) for line in page.lines]
        self.lines = [*fresh, *self.lines] if before is not None else fresh
        self.older = page.before if page.before is not None else -1


@dataclass(frozen=True, slots=True)
class FileLine:
    """One file of the run."""

    name: str
    size: str
    href: str
    at: str
    """ISO time."""


@dataclass(frozen=True, slots=True)
class CheckpointLine:
    """One checkpoint of the run."""

    step: str
    size: str
    at: str
    """ISO time."""


def checkpoint_line(row: CheckpointRow) -> CheckpointLine:
    """A checkpoint as a row."""
    step = formatting.count(row.step) + (", the best" if row.best else "")
    return CheckpointLine(step, formatting.size(row.size_bytes), formatting.iso(row.saved_at))


def file_line(job_id: int, row: ArtifactRow) -> FileLine:
    """A file of the run as a row."""
    return FileLine(
        row.name,
        formatting.size(row.size_bytes),
        f"/api/v1/jobs/{job_id}/artifacts/{row.name}",
        formatting.iso(row.modified_at),
    )


class JobFiles(rx.State, mixin=True):
    """The misclassified clips and the files of the job page."""

    mistakes: list[Sample] = []
    pair: str = ""
    """The cell of the confusion matrix whose clips are shown; "": all misclassified clips."""
    files: list[FileLine] = []
    files_size: str = ""
    checkpoints: list[CheckpointLine] = []
    checkpoints_size: str = ""

    @rx.var
    def shown_mistakes(self) -> list[Sample]:
        """The misclassified clips of the chosen cell."""
        return [sample for sample in self.mistakes if self.pair in ("", sample.pair)]

    @rx.event
    @signed_in
    async def show_mistakes(self, pair: str):
        """Shows the clips of one cell of the confusion matrix, or all misclassified ones."""
        self.pair = pair[:400]
        self.tab = "samples"
        return [self._write_tab(), focus_element(MISTAKES_ID, block="start")]

    @rx.event
    @signed_in
    async def delete_checkpoints(self):
        """Deletes the checkpoints of a job that has ended."""
        job_id = self._job_id()
        try:
            freed = await run_as_user(self, delete_checkpoints, job_id, give_up_resume=True)
        except AppError as error:
            yield toast_for(error)
        else:
            yield rx.toast.success(f"{formatting.size(freed)} are free again.")
        await self._read_files(job_id)

    def _job_id(self) -> int:
        raise NotImplementedError

    def _write_tab(self) -> rx.event.EventSpec:
        raise NotImplementedError

    async def _read_files(self, job_id: int) -> None:
        rows = await run_as_user(self, list_artifacts, job_id)
        self.files = [file_line(job_id, row) for row in rows]
        self.files_size = formatting.size(sum(row.size_bytes for row in rows)) if rows else ""
        saved = await run_as_user(self, list_checkpoints, job_id)
        self.checkpoints = [checkpoint_line(row) for row in saved]
        self.checkpoints_size = formatting.size(sum(row.size_bytes for row in saved)) if saved else ""
