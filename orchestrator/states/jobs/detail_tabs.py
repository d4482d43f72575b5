"""What the job page shows beside the curves: the machine under the run, its place in the queue, the searched log."""

from dataclasses import dataclass

import reflex as rx

from orchestrator.domain.errors import AppError
from orchestrator.domain.live_records import SystemRecord
from orchestrator.services.metrics.logs import tail
from orchestrator.services.metrics.telemetry import telemetry
from orchestrator.services.training.artifacts import list_artifacts
from orchestrator.services.training.queue_control import set_priority
from orchestrator.services.training.queue_position import QueuePosition, find_position
from orchestrator.services.training.rows import ArtifactRow
from orchestrator.states.jobs.live_follower import Batch, Item
from orchestrator.states.jobs.rows import LogLine, log_row_line
from orchestrator.states.jobs.samples import Sample
from orchestrator.states.shared import formatting
from orchestrator.states.shared.guards import act, said, signed_in

LOG_PAGE = 200


@dataclass(frozen=True, slots=True)
class PlaceLine:
    """A waiting job's place in words; empty when it does not wait."""

    text: str = ""
    note: str = ""


def place_line(place: QueuePosition | None) -> PlaceLine:
    """ "2nd of 5 in the queue", and when it probably starts or what holds it up."""
    if place is None:
        return PlaceLine()
    text = f"{formatting.ordinal(place.position)} of {place.waiting} in the queue" if place.position else "In the queue"
    if place.blocked_by:
        return PlaceLine(text, place.blocked_by)
    if place.starts_in_s is None:
        return PlaceLine(text, "It starts as soon as a worker is free.")
    soon = place.starts_in_s < 5
    return PlaceLine(
        text, "It starts now." if soon else f"It starts in about {formatting.duration(place.starts_in_s)}."
    )


def system_batch(records: list[SystemRecord]) -> Batch:
    """Live samples of the machine as a chart takes them."""
    items = [
        Item(round(record["s"]), name, float(value)) for record in records for name, value in record["values"].items()
    ]
    return Batch(records[-1]["n"], records[0]["n"], tuple(items))


class JobSystem(rx.State, mixin=True):
    """Fields and handlers of the job page that need no curve."""

    telemetry: dict[str, list[list[float]]] = {}
    system: Batch = Batch()
    has_gpu: bool = False
    place: PlaceLine = PlaceLine()
    lines: list[LogLine] = []
    older: int = -1
    """Marker of older log lines, -1 when the first one is here."""
    log_words: str = ""
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
        """Only lines with these words."""
        self.log_words = text[:200]
        await self._read_log(before=None)

    @rx.event
    @signed_in
    async def choose_level(self, level: str):
        """Only lines that are at least so bad."""
        self.log_level = level
        await self._read_log(before=None)

    @rx.event
    @signed_in
    async def choose_priority(self, word: str):
        """Moves the waiting job before or behind the others."""
        try:
            await act(self, set_priority, self._job_id(), word)
        except AppError as error:
            yield said(error)
        self.place = place_line(await act(self, find_position, self._job_id()))

    @rx.event
    @signed_in
    async def read_system(self, _last_seen: int = 0):
        """What the run took of its machine so far."""
        found = await act(self, telemetry, self._job_id())
        self.telemetry, self.has_gpu = found.series, "gpu" in found.series

    @rx.var
    def remembers_memory(self) -> bool:
        """True when the run's memory was measured."""
        return len(self.telemetry.get("memory", [])) > 1

    def _job_id(self) -> int:
        raise NotImplementedError

    def _fits_log(self, line: LogLine) -> bool:
        """Whether a live line belongs to what is looked at."""
        bad = {"all": True, "warning": line.level in ("warn", "error"), "error": line.level == "error"}
        return bad.get(self.log_level, True) and self.log_words.lower() in line.text.lower()

    async def _read_log(self, before: int | None) -> None:
        wanted = {"q": self.log_words, "level": "" if self.log_level == "all" else self.log_level}
        page = await act(self, tail, self._job_id(), limit=LOG_PAGE, before=before, **wanted)
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


def file_line(job_id: int, row: ArtifactRow) -> FileLine:
    """A file with its words ready."""
    return FileLine(
        row.name,
        formatting.size(row.size_bytes),
        f"/api/v1/jobs/{job_id}/artifacts/{row.name}",
        formatting.iso(row.modified_at),
    )


class JobFiles(rx.State, mixin=True):
    """Fields and handlers of the tabs that are about clips and files."""

    mistakes: list[Sample] = []
    pair: str = ""
    """The cell of the confusion matrix whose clips are shown; "": all of them."""
    files: list[FileLine] = []
    files_size: str = ""

    @rx.var
    def shown_mistakes(self) -> list[Sample]:
        """The misclassified clips of the chosen cell."""
        return [sample for sample in self.mistakes if self.pair in ("", sample.pair)]

    @rx.event
    @signed_in
    async def show_mistakes(self, pair: str):
        """Opens the clips of one cell of the confusion matrix, or all of them."""
        self.pair = pair[:400]
        self.tab = "samples"

    async def _read_files(self, job_id: int) -> None:
        rows = await act(self, list_artifacts, job_id)
        self.files = [file_line(job_id, row) for row in rows]
        self.files_size = formatting.size(sum(row.size_bytes for row in rows)) if rows else ""
