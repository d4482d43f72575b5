"""The compare page: up to twenty jobs with their curves on one plot, their differing parameters and their results."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import reflex as rx

from orchestrator.domain import formatting
from orchestrator.domain.errors import AppError
from orchestrator.domain.metric_definitions import figure
from orchestrator.domain.numbers import parse_id
from orchestrator.domain.recipe_fields import Format
from orchestrator.domain.recipes import FIELDS
from orchestrator.domain.run_summary import best_name, is_best, metric_of
from orchestrator.domain.tasks import HEADLINES, METRICS, headline_in
from orchestrator.domain.training_jobs import ACTIVE
from orchestrator.services.training import sweeps
from orchestrator.services.training.compare import MAX_JOBS, Comparison, Line, compare_jobs, curves_of
from orchestrator.services.training.jobs import list_jobs
from orchestrator.states.shared.guards import run_as_user, run_in_steps, signed_in
from orchestrator.states.shared.live import batches, listening
from orchestrator.states.shared.presentation import SERIES_COUNT, series_of

WINDOW_S = 2.0
_NOT_MEASURED = "not measured"
TITLES = {
    "loss": "Train loss",
    "eval_loss": "Validation loss",
    "learning_rate": "Learning rate",
    "grad_norm": "Gradient norm",
    "samples_per_s": "Speed, clips/s",
    "best_eval_loss": "Best validation loss",
    "seconds": "Time",
    "dataset": "Dataset",
    "dataset_version": "Dataset version",
    "model": "Base model",
    "model_revision": "Base model's revision",
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
    """The ids of the other jobs, for the link that removes this one."""


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


class JobCompareState(rx.State):
    """The compared jobs, which the address names."""

    loaded: bool = False
    problem: str = ""
    jobs: list[CompareJob] = []
    parameters: list[CompareLine] = []
    metrics: list[CompareLine] = []
    series: list[dict[str, str]] = []
    shown: str = "loss"
    lines: list[dict[str, Any]] = []
    axes: list[dict[str, Any]] = []
    choices: list[dict[str, str]] = []
    """Jobs that can be added."""
    only_differences: bool = False
    sweep_id: int = 0
    sweep_name: str = ""
    sweep_note: str = ""
    sweep_active: bool = False
    """One of its jobs waits or runs."""
    _ids: list[int] = []

    @rx.var
    def shown_title(self) -> str:
        return title_of(self.shown)

    @rx.var
    def headline(self) -> str:
        return f"Compare {len(self.jobs)} jobs" if len(self.jobs) > 1 else "Compare jobs"

    @rx.var
    def page_title(self) -> str:
        """The browser tab's title."""
        return f"{f'Sweep {self.sweep_name}' if self.sweep_id else self.headline} - Loreel"

    @rx.var
    def differing(self) -> int:
        """How many parameters differ."""
        return sum(line.differs for line in self.parameters)

    @rx.event
    @signed_in
    async def load(self):
        """Opens the jobs of the address: ?ids=1,2,3 or ?sweep=4."""
        query = self.router.url.query_parameters
        self._ids = [job_id for part in query.get("ids", "").split(",") if (job_id := parse_id(part))]
        try:
            self.sweep_id = 0
            if not self._ids and (sweep_id := parse_id(query.get("sweep", ""))):
                await self._read_sweep(sweep_id)
            await self._read()
            # Most rows are equal; the differing ones are of interest.
            self.only_differences = self.differing > 0
        except AppError as error:
            self.problem, self.loaded = error.message, True
            return None
        return JobCompareState.watch

    @rx.event
    @signed_in
    async def show(self, series: str):
        """Draws another curve of the same jobs."""
        self.shown = series
        self.lines = await self._curves()

    @rx.event
    @signed_in
    async def add(self, job_id: str):
        """Adds a job."""
        if not parse_id(job_id):
            return None
        return rx.redirect(f"/jobs/compare?ids={','.join(map(str, [*self._ids, parse_id(job_id)]))}")

    @rx.event
    @signed_in
    async def narrow(self, only: bool):
        """Shows only the parameters that differ, or all."""
        self.only_differences = only

    @rx.event(background=True)
    @signed_in
    async def watch(self):
        """Updates the page while one of the jobs runs."""
        async with self:
            ids = set(self._ids)
        async with listening(None, lambda record: record["job"] in ids or record["kind"] == "gap") as subscription:
            async for _ in batches(subscription, WINDOW_S):
                async with self:
                    job_ids, shown, sweep_id = list(self._ids), self.shown, self.sweep_id
                comparison = await run_as_user(self, compare_jobs, job_ids)
                curves = await run_as_user(self, curves_of, job_ids, shown)
                sweep = await run_as_user(self, sweeps.get_sweep, sweep_id) if sweep_id else None
                async with self:
                    if job_ids == self._ids and shown == self.shown:
                        self._show(comparison)
                        self.lines = self._chart_lines(curves)
                        if sweep:
                            self._show_sweep(sweep)

    @rx.event
    @signed_in
    async def stop_sweep(self):
        """Stops the jobs of the sweep that wait or run."""
        stopped = await run_in_steps(self, sweeps.stop_sweep, self.sweep_id)
        await self._read_sweep(self.sweep_id)
        await self._read()
        return rx.toast.success(f"{formatting.plural(stopped, 'job')} asked to stop.")

    async def _read_sweep(self, sweep_id: int) -> None:
        """Reads the sweep and selects its best jobs, as many as can be compared."""
        sweep = await run_as_user(self, sweeps.get_sweep, sweep_id)
        self._ids = [job.id for job in sweep.jobs[:MAX_JOBS]]
        self._show_sweep(sweep)

    def _show_sweep(self, sweep: sweeps.SweepRow) -> None:
        self.sweep_id, self.sweep_name = sweep.id, sweep.name
        self.sweep_active = any(sweep.counts.get(status.value) for status in ACTIVE)
        counts = ", ".join(f"{count} {status}" for status, count in sweep.counts.items())
        more = f"; the best {MAX_JOBS} are shown" if len(sweep.jobs) > MAX_JOBS else ""
        self.sweep_note = f"{formatting.plural(len(sweep.jobs), 'job')}: {counts}{more}"

    async def _read(self) -> None:
        comparison = await run_as_user(self, compare_jobs, self._ids)
        self.problem = ""
        self._show(comparison)
        if self.shown not in comparison.series:
            self.shown = "loss"
        self.lines = await self._curves()
        newest = await run_as_user(self, list_jobs, limit=50)
        self.choices = [
            {"value": str(job.id), "label": f"{job.name} #{job.id}"} for job in newest.items if job.id not in self._ids
        ]
        self.loaded = True

    def _show(self, comparison: Comparison) -> None:
        self.jobs = job_columns(comparison)
        self.parameters = [table_line(line) for line in comparison.parameters]
        self.metrics = [table_line(line, mark_differences=False) for line in comparison.metrics]
        self.series = [{"value": name, "label": title_of(name)} for name in comparison.series][:6]
        self.axes = axes_of(comparison)

    async def _curves(self) -> list[dict[str, Any]]:
        return self._chart_lines(await run_as_user(self, curves_of, self._ids, self.shown))

    def _chart_lines(self, curves: dict[int, list[list[float]]]) -> list[dict[str, Any]]:
        return [
            {"id": job.id, "name": job.name, "series": job.series, "dash": job.dash, "points": curves.get(job.id, [])}
            for job in self.jobs
        ]


def title_of(name: str) -> str:
    """The label of a recipe field or a series."""
    if field := FIELDS.get(name):
        return field.title
    if metric := METRICS.get(metric_of(name)):
        return f"Best {_in_a_phrase(metric.label)}" if is_best(name) else metric.label
    plain = name.rpartition(".")[2].replace("eval_", "validation ").replace("_", " ")
    return TITLES.get(name) or plain.capitalize()


def _in_a_phrase(label: str) -> str:
    """Accuracy -> accuracy; names such as R@1 and BLEU stay."""
    return label[:1].lower() + label[1:] if label[1:2].islower() else label


def job_columns(comparison: Comparison) -> list[CompareJob]:
    """Each job with its own colour; one whose colour is taken gets the next free one."""
    taken: list[int] = []
    columns: list[CompareJob] = []
    for index, job in enumerate(comparison.jobs):
        series = series_of(job.id)
        while series in taken and len(set(taken)) < SERIES_COUNT:
            series = series % SERIES_COUNT + 1
        taken.append(series)
        metric, loss = headline_in(job.summary.values), job.summary.eval_loss
        loss = job.summary.loss if loss is None else loss
        score = value_text(metric.name, job.summary.value(metric.name)) if metric else formatting.loss(loss)
        others = ",".join(str(other.id) for other in comparison.jobs if other.id != job.id)
        note = f"#{job.id}, step {formatting.count(job.step)}"
        columns.append(CompareJob(job.id, job.name, job.status, series, index % 4, note, score, others))
    return columns


def table_line(line: Line, mark_differences: bool = True) -> CompareLine:
    """A row of a table, with the best value marked.

    Args:
        mark_differences: also mark what differs from the first column. Nearly all results differ, so there a mark
            would say nothing.
    """
    first = repr(line.values[0]) if line.values else ""
    cells = [
        Cell(
            value_text(line.name, value),
            mark_differences and line.differs and repr(value) != first,
            index == line.best,
        )
        for index, value in enumerate(line.values)
    ]
    return CompareLine(title_of(line.name), cells, line.differs)


def value_text(name: str, value: Any) -> str:
    """A value of a recipe or a summary as text."""
    if value is None:
        return "\u2013"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if name == "seconds":
        return formatting.duration(value)
    if name in FIELDS and FIELDS[name].spec.format is Format.RATE and isinstance(value, float) and value:
        mantissa, _, exponent = f"{value:.3e}".partition("e")
        return f"{float(mantissa):g}e{int(exponent)}"
    metric = METRICS.get(metric_of(name))
    if metric and isinstance(value, int | float):
        return figure(metric, value)
    if isinstance(value, float):
        return formatting.rate(value) if value and abs(value) < 0.001 else f"{value:.4g}"
    return str(value) if value != "" else "default"


def axes_of(comparison: Comparison) -> list[dict[str, Any]]:
    """An axis per differing parameter and one for the result, at most eight; none for a single job."""
    if len(comparison.jobs) < 2:
        return []
    headlines = {best_name(metric.name) for metric in HEADLINES}
    result = next((line for line in comparison.metrics if line.name in headlines), None)
    result = result or next((line for line in comparison.metrics if line.name == "best_eval_loss"), None)
    lines = [line for line in comparison.parameters if line.differs and line.name != "optim.seed"][:7]
    return [*map(_parameter_axis, lines), *([_result_axis(result)] if result else [])]


def _parameter_axis(line: Line) -> dict[str, Any]:
    """The axis as `parallel.tsx` takes it: a label and a position from 0 to 1 per job."""
    labels = [value_text(line.name, value) for value in line.values]
    return {"name": title_of(line.name), "labels": labels, "positions": _positions(line.values)}


def _result_axis(line: Line) -> dict[str, Any]:
    """The last axis; a job without a result has no position on it, so that it cannot look better or worse than one."""
    measured = iter(_positions([value for value in line.values if value is not None]))
    labels = [_NOT_MEASURED if value is None else value_text(line.name, value) for value in line.values]
    positions = [None if value is None else next(measured) for value in line.values]
    return {"name": title_of(line.name), "labels": labels, "positions": positions}


def _positions(values: Sequence[Any]) -> list[float]:
    """Numbers by their size; other values evenly, in the order of their text."""
    numbers = [value for value in values if isinstance(value, int | float)]
    if len(numbers) == len(values) and numbers and max(numbers) > min(numbers):
        low, width = min(numbers), max(numbers) - min(numbers)
        return [round((value - low) / width, 4) for value in numbers]
    kinds = sorted({repr(value) for value in values})
    return [round(kinds.index(repr(value)) / max(1, len(kinds) - 1), 4) for value in values]
