"""Compares jobs: their metric curves, the parameters that differ, the values that each reached."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlmodel import Session

from orchestrator.domain.errors import Invalid
from orchestrator.domain.recipes import Recipe
from orchestrator.domain.run_summary import is_best, is_series, metric_of
from orchestrator.domain.tasks import METRICS
from orchestrator.domain.users import Actor
from orchestrator.services.metrics.history import latest
from orchestrator.services.training.jobs import get_job
from orchestrator.services.training.rows import JobRow

MAX_JOBS = 20
POINTS = 400
LOWER_IS_BETTER = ("loss", "seconds")
_REVISION_LETTERS = 12
"""As many of a revision's letters as its page shows."""


@dataclass(frozen=True, slots=True)
class Line:
    """One row of a table: a value for each job, in the order of the jobs; None where a job has none."""

    name: str
    values: tuple[Any, ...]
    differs: bool
    best: int = -1
    """Index of the best value; -1 where there is none, or all are equal."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """Jobs with their parameters and metrics as tables."""

    jobs: list[JobRow]
    parameters: list[Line]
    metrics: list[Line]
    series: list[str]
    """Names of the curves that at least one job has, the loss first."""


def compare_jobs(session: Session, actor: Actor, ids: Sequence[int]) -> Comparison:
    """Compares the actor's jobs with these ids.

    Raises:
        Invalid: there are none, or more than `MAX_JOBS`. NotFound: one of them is not the actor's.
    """
    job_ids = list(dict.fromkeys(ids))
    if not job_ids:
        raise Invalid("Choose at least one job to compare.", "ids")
    if len(job_ids) > MAX_JOBS:
        raise Invalid(f"At most {MAX_JOBS} jobs can be compared at once.", "ids")
    jobs = [get_job(session, actor, job_id) for job_id in job_ids]
    names = list(dict.fromkeys(name for job in jobs for name in job.summary.latest))
    series = sorted(names, key=lambda name: (name != "loss", name != "eval_loss", not name.startswith("eval_"), name))
    return Comparison(jobs, _parameters(jobs), _metrics(jobs), series)


def curves_of(session: Session, actor: Actor, ids: Sequence[int], series: str) -> dict[int, list[list[float]]]:
    """One series of each of the actor's jobs as [[step, value], ...], downsampled."""
    for job_id in ids[:MAX_JOBS]:
        get_job(session, actor, job_id)
    return latest(session, ids[:MAX_JOBS], series, POINTS)


def _parameters(jobs: Sequence[JobRow]) -> list[Line]:
    flat = [_flat(job) for job in jobs]
    _distinguish_same_names(flat, "dataset", [job.dataset_id for job in jobs])
    _distinguish_same_names(flat, "model", [job.model_id for job in jobs])
    if not any(values["model_revision"] for values in flat):
        flat = [{name: value for name, value in values.items() if name != "model_revision"} for values in flat]
    names = list(dict.fromkeys(name for values in flat for name in values))
    lines = [_line(name, [values.get(name) for values in flat]) for name in names]
    return sorted(lines, key=lambda line: not line.differs)


def _distinguish_same_names(flat: Sequence[dict[str, Any]], name: str, ids: Sequence[int | None]) -> None:
    """Names that several records share get their ids, so that they count as different."""
    records: dict[str, set[int | None]] = {}
    for values, record in zip(flat, ids, strict=True):
        records.setdefault(values[name], set()).add(record)
    shared = {text for text, known in records.items() if len(known) > 1}
    for values, record in zip(flat, ids, strict=True):
        if values[name] in shared:
            values[name] = f"{values[name]} (#{record})" if record else f"{values[name]} (deleted)"


def _flat(job: JobRow) -> dict[str, Any]:
    """The recipe flattened to dotted names, after the names of dataset and model with what they were at the launch."""
    values: dict[str, Any] = {
        "dataset": job.dataset_name,
        "dataset_version": job.dataset_version,
        "model": job.model_name,
        "model_revision": job.model_revision[:_REVISION_LETTERS] or None,
    }
    # Validated first, so that recipes from before a field existed show its default.
    for part, inner in Recipe.model_validate(job.recipe).model_dump(mode="json").items():
        if part == "output_name":
            continue
        if isinstance(inner, dict):
            values |= {f"{part}.{name}": _as_text(value) for name, value in inner.items()}
        else:
            values[part] = inner
    return values


def _as_text(value: Any) -> Any:
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else value


def _metrics(jobs: Sequence[JobRow]) -> list[Line]:
    names = dict.fromkeys(
        name
        for job in jobs
        for name in job.summary.values
        if (is_series(name) and name != "learning_rate") or is_best(name)
    )
    lines = [_line(name, [job.summary.value(name) for job in jobs], measured=True) for name in sorted(names)]
    seconds = [
        (job.finished_at - job.started_at).total_seconds() if job.finished_at and job.started_at else None
        for job in jobs
    ]
    return [*lines, _line("seconds", seconds, measured=True)]


def _line(name: str, values: list[Any], measured: bool = False) -> Line:
    differs = len({repr(value) for value in values}) > 1
    best = -1
    numbers = [(value, place) for place, value in enumerate(values) if isinstance(value, int | float)]
    if measured and name != "grad_norm" and len({value for value, _ in numbers}) > 1:
        known = METRICS.get(metric_of(name))
        lower = not known.more_is_better if known else any(word in name for word in LOWER_IS_BETTER)
        best = (min if lower else max)(numbers, key=lambda pair: pair[0])[1]
    return Line(name, tuple(values), differs, best)
