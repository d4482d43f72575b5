"""The compare page: up to twenty jobs side by side, their curves on one plot, what differs, what each reached."""

from dataclasses import dataclass, field
from typing import Any

import reflex as rx

from orchestrator.domain.errors import AppError
from orchestrator.domain.numbers import parse_id
from orchestrator.domain.recipes import FIELDS
from orchestrator.domain.run_summary import is_best, metric_of
from orchestrator.domain.tasks import METRICS, TASKS, headline_in
from orchestrator.domain.training_jobs import ACTIVE
from orchestrator.services.training import sweeps
from orchestrator.services.training.compare import MAX_JOBS, Comparison, Line, compare_jobs, curves_of
from orchestrator.services.training.jobs import list_jobs
from orchestrator.states.jobs.rows import hue
from orchestrator.states.shared import formatting
from orchestrator.states.shared.guards import act, signed_in
from orchestrator.states.shared.live import listening, sips

WINDOW_S = 2.0
TITLES = {
    "loss": "Train loss",
    "eval_loss": "Validation loss",
    "learning_rate": "Learning rate",
    "grad_norm": "Gradient norm",
    "samples_per_s": "Speed, clips/s",
    "best_eval_loss": "Best validation loss",
    "seconds": "Time",
    "dataset": "Dataset",
    "model": "Base model",
}


@dataclass(frozen=True, slots=True)
class CompareJob:
    """A job on the page."""

    id: int
    name: str
    status: str
    series: int
    dash: int
    note: str
    score: str
    others: str
    """The ids of the other jobs, for the address without this one."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One value of a table."""

    text: str
    differs: bool
    best: bool


@dataclass(frozen=True, slots=True)
class CompareLine:
    """One row of a table."""

    name: str
    cells: list[Cell] = field(default_factory=list)
    differs: bool = False


class JobCompare(rx.State):
    """What is compared in this tab; the address names the jobs."""

    ready: bool = False
    problem: str = ""
    jobs: list[CompareJob] = []
    parameters: list[CompareLine] = []
    metrics: list[CompareLine] = []
    series: list[dict[str, str]] = []
    shown: str = "loss"
    lines: list[dict[str, Any]] = []
    axes: list[dict[str, Any]] = []
    choices: list[dict[str, str]] = []
    """Jobs that could be added."""
    only_differences: bool = False
    sweep_id: int = 0
    sweep_name: str = ""
    sweep_note: str = ""
    sweep_active: bool = False
    """True while one of its jobs waits or runs."""
    _ids: list[int] = []

    @rx.var
    def shown_title(self) -> str:
        return title_of(self.shown)

    @rx.var
    def headline(self) -> str:
        return f"Compare {len(self.jobs)} jobs" if len(self.jobs) > 1 else "Compare jobs"

    @rx.var
    def differing(self) -> int:
        """How many parameters differ."""
        return sum(line.differs for line in self.parameters)

    @rx.event
    @signed_in
    async def load(self):
        """Opens the jobs of the address: ?ids=1,2,3 or ?sweep=4."""
        query = self.router.url.query_parameters
        self._ids = [number for part in query.get("ids", "").split(",") if (number := parse_id(part))]
        try:
            self.sweep_id = 0
            if not self._ids and (sweep_id := parse_id(query.get("sweep", ""))):
                await self._read_sweep(sweep_id)
            await self._read()
            # Of many equal rows the few that differ are what one came for.
            self.only_differences = self.differing > 0
        except AppError as error:
            self.problem, self.ready = error.message, True
            return None
        return JobCompare.watch

    @rx.event
    @signed_in
    async def show(self, series: str):
        """Draws another curve of the same jobs."""
        self.shown = series
        self.lines = await self._curves()

    @rx.event
    @signed_in
    async def add(self, job_id: str):
        """Takes one more job in."""
        if not (number := parse_id(job_id)):
            return None
        return rx.redirect(f"/jobs/compare?ids={','.join(map(str, [*self._ids, number]))}")

    @rx.event
    @signed_in
    async def narrow(self, only: bool):
        """Shows only the parameters that differ, or all."""
        self.only_differences = only

    @rx.event(background=True)
    @signed_in
    async def watch(self):
        """Draws on while one of the jobs still runs."""
        async with self:
            ids = set(self._ids)
        async with listening(None, lambda record: record["job"] in ids or record["kind"] == "gap") as subscription:
            async for _ in sips(subscription, WINDOW_S):
                async with self:
                    wanted, shown, sweep_id = list(self._ids), self.shown, self.sweep_id
                found = await act(self, compare_jobs, wanted)
                curves = await act(self, curves_of, wanted, shown)
                sweep = await act(self, sweeps.get_sweep, sweep_id) if sweep_id else None
                async with self:
                    if wanted == self._ids and shown == self.shown:
                        self._show(found)
                        self.lines = self._drawn(curves)
                        if sweep:
                            self._say(sweep)

    @rx.event
    @signed_in
    async def stop_sweep(self):
        """Ends whatever of the sweep still waits or runs."""
        stopped = await act(self, sweeps.stop_sweep, self.sweep_id)
        await self._read_sweep(self.sweep_id)
        await self._read()
        return rx.toast.success(f"{formatting.plural(stopped, 'job')} asked to stop.")

    async def _read_sweep(self, sweep_id: int) -> None:
        """The sweep's best jobs, as many as can stand side by side."""
        found = await act(self, sweeps.get_sweep, sweep_id)
        self._ids = [job.id for job in found.jobs[:MAX_JOBS]]
        self._say(found)

    def _say(self, found: sweeps.SweepRow) -> None:
        self.sweep_id, self.sweep_name = found.id, found.name
        self.sweep_active = any(found.counts.get(status.value) for status in ACTIVE)
        counts = ", ".join(f"{count} {status}" for status, count in found.counts.items())
        more = f"; the best {MAX_JOBS} are shown" if len(found.jobs) > MAX_JOBS else ""
        self.sweep_note = f"{formatting.plural(len(found.jobs), 'job')}: {counts}{more}"

    async def _read(self) -> None:
        found = await act(self, compare_jobs, self._ids)
        self.problem = ""
        self._show(found)
        if self.shown not in found.series:
            self.shown = "loss"
        self.lines = await self._curves()
        newest = await act(self, list_jobs, limit=50)
        self.choices = [
            {"value": str(job.id), "label": f"{job.name} #{job.id}"} for job in newest.items if job.id not in self._ids
        ]
        self.ready = True

    def _show(self, found: Comparison) -> None:
        self.jobs = compare_lines(found)
        self.parameters = [table_line(line) for line in found.parameters]
        self.metrics = [table_line(line, marks=False) for line in found.metrics]
        self.series = [{"value": name, "label": title_of(name)} for name in found.series][:6]
        self.axes = axes_of(found)

    async def _curves(self) -> list[dict[str, Any]]:
        return self._drawn(await act(self, curves_of, self._ids, self.shown))

    def _drawn(self, curves: dict[int, list[list[float]]]) -> list[dict[str, Any]]:
        return [
            {"id": job.id, "name": job.name, "series": job.series, "dash": job.dash, "points": curves.get(job.id, [])}
            for job in self.jobs
        ]


def title_of(name: str) -> str:
    """A field's or series' name in words."""
    if field := FIELDS.get(name):
        return field.title
    if metric := METRICS.get(metric_of(name)):
        return f"Best {metric.label}" if is_best(name) else metric.label
    plain = name.rpartition(".")[2].replace("eval_", "validation ").replace("_", " ")
    return TITLES.get(name) or plain.capitalize()


def compare_lines(found: Comparison) -> list[CompareJob]:
    """Each job in its own colour; a later one whose colour is taken gets the next that is free."""
    taken: list[int] = []
    lines: list[CompareJob] = []
    for place, job in enumerate(found.jobs):
        series = hue(job.id)
        while series in taken and len(set(taken)) < 7:
            series = series % 7 + 1
        taken.append(series)
        metric, loss = headline_in(job.summary.values), job.summary.eval_loss
        loss = job.summary.loss if loss is None else loss
        score = value_words(metric.name, job.summary.value(metric.name)) if metric else formatting.loss(loss)
        others = ",".join(str(other.id) for other in found.jobs if other.id != job.id)
        note = f"#{job.id}, step {formatting.count(job.step)}"
        lines.append(CompareJob(job.id, job.name, job.status, series, place % 4, note, score, others))
    return lines


def table_line(line: Line, marks: bool = True) -> CompareLine:
    """A row in words, with the best value marked; `marks`: also what differs from the first column.

    Of results nearly all differ: there a mark would tell nothing.
    """
    first = repr(line.values[0]) if line.values else ""
    cells = [
        Cell(value_words(line.name, value), marks and line.differs and repr(value) != first, place == line.best)
        for place, value in enumerate(line.values)
    ]
    return CompareLine(title_of(line.name), cells, line.differs)


def value_words(name: str, value: Any) -> str:
    """A value of a recipe or a summary."""
    if value is None:
        return "\u2013"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if name == "seconds":
        return formatting.duration(value)
    metric = METRICS.get(metric_of(name))
    if metric and isinstance(value, int | float):
        return formatting.percent(value, 1) if metric.share else f"{value:g}"
    if isinstance(value, float):
        return formatting.rate(value) if value and abs(value) < 0.001 else f"{value:.4g}"
    return str(value) if value != "" else "default"


def axes_of(found: Comparison) -> list[dict[str, Any]]:
    """An axis for each parameter that differs and for what was reached, at most eight; none for a single job."""
    if len(found.jobs) < 2:
        return []
    headlines = {f"best_{task.headline.name}" for task in TASKS.values()}
    last = next((line for line in found.metrics if line.name in headlines), None)
    last = last or next((line for line in found.metrics if line.name == "best_eval_loss"), None)
    lines = [line for line in found.parameters if line.differs and line.name != "optim.seed"][:7]
    return [_axis(line) for line in [*lines, *([last] if last else [])]]


def _axis(line: Line) -> dict[str, Any]:
    numbers = [value for value in line.values if isinstance(value, int | float)]
    if len(numbers) == len(line.values) and max(numbers) > min(numbers):
        low, width = min(numbers), max(numbers) - min(numbers)
        places = [round((value - low) / width, 4) for value in numbers]
    else:
        kinds = sorted({repr(value) for value in line.values})
        places = [round(kinds.index(repr(value)) / max(1, len(kinds) - 1), 4) for value in line.values]
    texts = [value_words(line.name, value) for value in line.values]
    return {"name": title_of(line.name), "words": texts, "places": places}
