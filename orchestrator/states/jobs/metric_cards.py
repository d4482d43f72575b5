"""Turns the newest values of a run into the six figures next to its curve."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from orchestrator.domain import formatting
from orchestrator.domain.live_records import MetricRecord, ProgressRecord
from orchestrator.domain.metric_definitions import Metric
from orchestrator.domain.run_summary import RunSummary
from orchestrator.domain.tasks import DEFAULT_TASK, METRICS, TASKS
from orchestrator.services.training.rows import JobRow

CHANGE_STEPS = 50
"""Steps over which the change of the train loss is shown."""
MAX_RECENT = 400
"""Newest loss points that are stored for it."""


@dataclass(frozen=True, slots=True)
class MetricCard:
    """One figure: its value, its unit and a line of context."""

    key: str
    label: str
    value: str
    unit: str
    note: str


class About:
    """What the figures need to know about a run in addition to its records. No dataclass, as `Tally`."""

    def __init__(self, row: JobRow | None = None) -> None:
        self.known = row is not None
        self.recipe: Mapping[str, Any] = row.recipe if row else {}
        self.summary = row.summary if row else RunSummary()
        self.epochs = row.epochs if row else 0
        self.started_at = row.started_at if row else None


@dataclass(frozen=True, slots=True)
class CurveLine:
    """A chart of the metrics tab: `train` and `validation` name its series, "none" for none."""

    title: str
    train: str
    validation: str
    unit: str = ""
    word: str = ""
    """The legend of a chart with one line."""


def curve_lines(summary: RunSummary, task: str) -> list[CurveLine]:
    """A chart for each evaluated metric of the task, then learning rate, gradient norm and speed."""
    metrics = TASKS[task].judged_by(summary.problem_type)
    evaluated = [metric for metric in metrics if metric.name in summary.values] or list(metrics[:1])
    tasks = [
        CurveLine(f"{metric.label}, validation", "none", metric.name, "percent" if metric.share else "", metric.label)
        for metric in evaluated
    ]
    return [
        *tasks,
        CurveLine("Learning rate", "learning_rate", "none", word="Learning rate"),
        CurveLine("Gradient norm", "grad_norm", "none", word="Gradient norm"),
        CurveLine("Clips per second", "samples_per_s", "none", word="Speed"),
    ]


class Tally:
    """Newest and best values of one run; kept in the web process and not sent to the browser.

    No dataclass, like every object that is used at each step: Reflex wraps each attribute of a dataclass in a proxy.
    """

    def __init__(self) -> None:
        self.latest: dict[str, float] = {}
        self.recent: list[tuple[int, float]] = []
        self.best: dict[str, tuple[float, int]] = {}
        """The best value of each metric, and its step."""
        self.best_loss: tuple[float, int] | None = None

    @classmethod
    def empty(cls) -> "Tally":
        return cls()

    def add(self, step: int, values: Mapping[str, float]) -> None:
        """Adds the values of one record."""
        for name, value in values.items():
            self.latest[name] = float(value)
            if (metric := METRICS.get(name)) and _beats(metric, float(value), self.best.get(name)):
                self.best[name] = (float(value), step)
        if "loss" in values:
            self.recent.append((step, float(values["loss"])))
            if len(self.recent) > 2 * MAX_RECENT:
                del self.recent[:-MAX_RECENT]
        if (loss := values.get("eval_loss")) is not None and (self.best_loss is None or loss < self.best_loss[0]):
            self.best_loss = (float(loss), step)

    def fill(self, series: Mapping[str, Sequence[Sequence[float]]]) -> None:
        """Adds a history."""
        for name, points in series.items():
            newest = points[-MAX_RECENT:] if name == "loss" else points
            for step, value in newest:
                self.add(int(step), {name: value})


def _beats(metric: Metric, value: float, best: tuple[float, int] | None) -> bool:
    return best is None or (value > best[0] if metric.more_is_better else value < best[0])


def cards(
    tally: Tally, recipe: Mapping[str, Any], task: str = DEFAULT_TASK, problem_type: str = ""
) -> list[MetricCard]:
    """The six cards; a dash where nothing was measured yet. The third one is the headline metric of the task."""
    optim = recipe.get("optim") or {}
    latest = tally.latest
    return [
        MetricCard("loss", "Train loss", formatting.loss(latest.get("loss")) or "\u2013", "", _change(tally.recent)),
        MetricCard(
            "eval_loss", "Validation loss", formatting.loss(latest.get("eval_loss")) or "\u2013", "", _loss_note(tally)
        ),
        _metric_card(tally, TASKS[task].headline(problem_type)),
        _speed_card(latest.get("samples_per_s"), optim),
        MetricCard(
            "learning_rate",
            "Learning rate",
            formatting.rate(latest.get("learning_rate")) or "\u2013",
            "",
            f"{optim.get('scheduler', '')}, peak {formatting.rate(optim.get('learning_rate'))}".strip(", "),
        ),
        MetricCard(
            "grad_norm",
            "Gradient norm",
            formatting.loss(latest.get("grad_norm")) or "\u2013",
            "",
            f"clipped above {optim['max_grad_norm']:g}" if optim.get("max_grad_norm") else "",
        ),
    ]


def _metric_card(tally: Tally, metric: Metric) -> MetricCard:
    value, best = tally.latest.get(metric.name), tally.best.get(metric.name)
    label = f"Validation {metric.label.lower()}" if metric.label[1:2].islower() else f"{metric.label}, validation"
    note = f"best {_number(metric, best[0])} at step {best[1]:,}" if best else "after the first epoch"
    if value is None:
        return MetricCard(metric.name, label, "\u2013", "", note)
    return MetricCard(metric.name, label, _number(metric, value), "%" if metric.share else "", note)


def _number(metric: Metric, value: float) -> str:
    return f"{value * 100:.1f}" if metric.share else f"{value:g}"


def _speed_card(clips_per_s: float | None, optim: Mapping[str, Any]) -> MetricCard:
    if not clips_per_s:
        return MetricCard("samples_per_s", "Speed", "\u2013", "", "")
    clips = int(optim.get("batch_size") or 1) * int(optim.get("gradient_accumulation") or 1)
    seconds = clips / clips_per_s
    value, unit = (f"{seconds:.2f}", "s / step") if seconds >= 0.1 else (f"{seconds * 1000:.0f}", "ms / step")
    speed = f"{clips_per_s:.1f}" if clips_per_s < 100 else formatting.count(clips_per_s)
    return MetricCard("samples_per_s", "Speed", value, unit, f"{speed} clips/s")


def _loss_note(tally: Tally) -> str:
    value, best = tally.latest.get("eval_loss"), tally.best_loss
    if value is None or best is None:
        return "after the first epoch"
    return "lowest value" if value <= best[0] else f"best {formatting.loss(best[0])} at step {best[1]:,}"


def _change(recent: Sequence[tuple[int, float]]) -> str:
    """The difference between the mean of the last ten points and of ten points about fifty steps earlier."""
    if not recent:
        return "with the first step"
    last = recent[-1][0]
    now = [value for _, value in recent[-10:]]
    then = [
        value for step, value in recent[-2 * CHANGE_STEPS :] if last - CHANGE_STEPS - 10 < step <= last - CHANGE_STEPS
    ]
    if not then:
        return f"at step {last:,}"
    change = sum(now) / len(now) - sum(then) / len(then)
    sign = "+" if change > 0 else ""
    return f"{sign}{formatting.loss(change)} in {CHANGE_STEPS} steps"


@dataclass(frozen=True, slots=True)
class Progress:
    """The numbers of the progress card."""

    share: float = 0.0
    percent: str = "0"
    step: str = "0"
    total: str = ""
    epoch: str = "0"
    epochs: str = ""
    elapsed: str = ""
    left: str = ""
    done_at: str = ""
    """ISO time, "" when unknown."""
    phase: str = ""


def progress_of(
    step: int,
    total: int,
    epoch: float,
    epochs: int,
    *,
    started: datetime | None,
    finished: datetime | None = None,
    eta_s: float | None = None,
    share: float | None = None,
    phase: str = "",
) -> Progress:
    """The progress card at this moment."""
    done = share if share is not None else min(1.0, step / total) if total else 0.0
    until = finished or datetime.now(UTC)
    return Progress(
        share=round(done, 4),
        percent=formatting.percent(done).removesuffix(f"{formatting.NARROW}%"),
        step=formatting.count(step),
        total=formatting.count(total) if total else "",
        epoch=f"{min(epoch, epochs) if epochs else epoch:.1f}".removesuffix(".0"),
        epochs=str(epochs) if epochs else "",
        elapsed=formatting.duration((until - started).total_seconds()) if started else "",
        left=formatting.duration(eta_s),
        done_at=formatting.iso(until + timedelta(seconds=eta_s)) if eta_s is not None else "",
        phase=phase,
    )


def progress_of_row(row: JobRow) -> Progress:
    """The progress card, from the database."""
    return progress_of(
        row.step,
        row.total_steps,
        row.epoch,
        row.epochs,
        started=row.started_at,
        finished=row.finished_at,
        eta_s=row.eta_s,
        share=row.progress,
        phase=row.summary.phase,
    )


def progress_of_record(record: MetricRecord | ProgressRecord, about: About, seconds_left: float | None) -> Progress:
    """The progress card after a live record."""
    return progress_of(
        record["step"],
        record["total"],
        record["epoch"],
        about.epochs,
        started=about.started_at,
        eta_s=about.summary.eta_s if seconds_left is None else seconds_left,
    )
