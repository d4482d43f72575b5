"""Sweeps: a group of jobs, one for each combination of parameter values, that is read, stopped and compared as one."""

from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from itertools import product
from typing import Annotated, Any

from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from orchestrator.domain.audit import Act
from orchestrator.domain.continuing import FROM_ADAPTER
from orchestrator.domain.datasets import Dataset
from orchestrator.domain.errors import Conflict, Invalid
from orchestrator.domain.json_schemas import OneOf
from orchestrator.domain.metric_definitions import Metric
from orchestrator.domain.models import VideoModel
from orchestrator.domain.queueing import Sweep
from orchestrator.domain.recipe_eval import Keep
from orchestrator.domain.recipe_fields import RecipeValue
from orchestrator.domain.recipes import FIELDS, Recipe, parse_recipe
from orchestrator.domain.tasks import TASKS
from orchestrator.domain.training_jobs import ACTIVE, JobEvent, JobStatus, TrainingJob
from orchestrator.domain.users import Actor
from orchestrator.services.access import owned_sweep
from orchestrator.services.after_commit import after_commit
from orchestrator.services.audit.recording import record
from orchestrator.services.db import in_small_transactions
from orchestrator.services.live_events import publish_status
from orchestrator.services.training import lifecycle
from orchestrator.services.training.continuing import continued
from orchestrator.services.training.dispatch import dispatch
from orchestrator.services.training.estimate import count_steps
from orchestrator.services.training.idempotency import checked_key, hash_of_sweep, sweep_of_key
from orchestrator.services.training.jobs import progress_share
from orchestrator.services.training.launch import make_record
from orchestrator.services.training.preflight import preflight, recipe_problems

MAX_JOBS = 1_000
Values = Mapping[str, Sequence[Any]]


@dataclass(frozen=True, slots=True)
class SweepJob:
    """One job of a sweep, with its parameter values and its score."""

    id: int
    name: str
    status: Annotated[str, OneOf(JobStatus)]
    values: dict[str, RecipeValue]
    score: float | None
    progress: float


@dataclass(frozen=True, slots=True)
class SweepRow:
    """A sweep with its jobs, the best one first."""

    id: int
    name: str
    metric: str
    goal: Annotated[str, OneOf(("max", "min"))]
    grid: dict[str, list[RecipeValue]]
    created_at: datetime
    counts: dict[str, int]
    best_job_id: int | None
    jobs: list[SweepJob] = field(default_factory=list)


def launch_sweep(
    session: Session,
    actor: Actor,
    dataset_id: int,
    model_id: int,
    base: dict[str, Any],
    grid: Values,
    idempotency_key: str = "",
    dataset_version: int = 0,
) -> SweepRow:
    """Queues one job for each combination of the grid's values; the same key and values again return the same sweep.

    Args:
        base: a recipe as text or JSON values.
        grid: the values to try by recipe field ("optim.learning_rate").
        dataset_version: the version to learn from; 0 for the newest.

    Raises:
        Invalid: `problems` names each field with its sentence.
        KeyReused: the key launched something else.
    """
    key, recipes = checked_key(idempotency_key), expand(base, grid)
    body_hash = hash_of_sweep(dataset_id, model_id, grid, recipes, dataset_version)
    if existing := sweep_of_key(session, actor, key, body_hash):
        return sweep_row(session, existing)
    plan = preflight(session, actor, dataset_id, model_id, recipes[0], dataset_version)
    dataset, model = session.get(Dataset, dataset_id), session.get(VideoModel, model_id)
    recipes = [continued(session, actor, recipe, model, dataset).recipe for recipe in recipes]
    others = [problem for recipe in recipes[1:] for problem in recipe_problems(model, recipe)] if model else []
    if problems := plan.problems or list(dict.fromkeys(others)):
        raise Invalid(problems[0][1], problems[0][0], problems)
    assert dataset
    assert model
    metric = TASKS[plan.task].headline(plan.problem_type)
    sweep = _make_sweep(actor, metric, str(base.get("output_name") or ""), grid, key, body_hash)
    try:
        with session.begin_nested():
            session.add(sweep)
    except IntegrityError:
        # Another request with the same key, such as the second click of a double click, was faster.
        if other := sweep_of_key(session, actor, key, body_hash):
            return sweep_row(session, other)
        raise
    version = dataset_version or dataset.version
    jobs = [
        make_record(actor, dataset, model, recipe, f"{key}#{number}"[-80:], plan, count_steps(recipe, plan.train_clips))
        for number, recipe in enumerate(recipes)
    ]
    for job in jobs:
        job.sweep_id, job.request_hash, job.dataset_version = sweep.id, body_hash, version
    after = {"jobs": len(jobs), "dataset": dataset.name, "model": model.name}
    record(session, actor, Act.SWEEP_LAUNCHED, sweep.id, sweep.name, after=after)
    _queue(session, jobs)
    return sweep_row(session, sweep)


def _make_sweep(actor: Actor, metric: Metric, name: str, grid: Values, key: str, body_hash: str) -> Sweep:
    """The sweep's record; its jobs are compared by the headline metric of their task."""
    return Sweep(
        owner_id=actor.user_id,
        name=(name or "sweep")[:64],
        grid={field: list(values) for field, values in grid.items()},
        metric=metric.name,
        goal="max" if metric.more_is_better else "min",
        idempotency_key=key,
        request_hash=body_hash,
    )


def _queue(session: Session, jobs: Sequence[TrainingJob]) -> None:
    """Stores the jobs of a sweep with their first event, and sends those whose turn it is."""
    session.add_all(jobs)
    session.flush()
    message = f"Launched with {len(jobs) - 1} others; waiting for a worker."
    session.add_all(JobEvent(job_id=job.id or 0, kind="queued", message=message) for job in jobs)
    session.flush()
    dispatch(session)
    first = jobs[0].id or 0
    after_commit(session, lambda: publish_status(first, 0, JobStatus.QUEUED.value))


def expand(base: dict[str, Any], grid: Values) -> list[Recipe]:
    """Every combination as a validated recipe, named after the base with its number.

    Raises:
        Invalid: there are no values, too many jobs, or a value is not valid for its field.
    """
    if not grid or any(not values for values in grid.values()):
        raise Invalid("Give at least one value for each parameter.", "sweep")
    if "adapter" in grid:
        raise Invalid("All jobs of a sweep continue from the same adapter: it takes no list of values.", "sweep")
    if base.get("adapter") and (fixed := [name for name in grid if name in FROM_ADAPTER]):
        raise Invalid(f"{FIELDS[fixed[0]].title} comes from the adapter that is continued. Take it out.", "sweep")
    if "output_name" in grid:
        raise Invalid("The jobs of a sweep are numbered: their name takes no list of values.", "sweep")
    size = 1
    for values in grid.values():
        size *= len(values)
    if size > MAX_JOBS:
        raise Invalid(f"These lists make {size:,} jobs; at most {MAX_JOBS:,} go in one sweep.", "sweep")
    return list(_combinations(base, grid, len(str(size))))


def _combinations(base: dict[str, Any], grid: Values, digits: int) -> Iterator[Recipe]:
    stem = str(base.get("output_name") or "sweep")[: 60 - digits]
    for number, values in enumerate(product(*grid.values()), start=1):
        raw = deepcopy(base)
        for name, value in zip(grid, values, strict=True):
            part, _, leaf = name.rpartition(".")
            inside = raw.setdefault(part, {}) if part else raw
            if not isinstance(inside, dict):
                raise Invalid(f"There is no parameter {name!r}.", "sweep")
            inside[leaf] = value
        raw["output_name"] = f"{stem}-{number:0{digits}d}"
        yield parse_recipe(raw)


def get_sweep(session: Session, actor: Actor, sweep_id: int) -> SweepRow:
    """A sweep of the actor's.

    Raises:
        NotFound: it does not exist, or belongs to another user.
    """
    return sweep_row(session, owned_sweep(session, actor, sweep_id))


def list_sweeps(session: Session, actor: Actor, limit: int = 50) -> list[SweepRow]:
    """The actor's sweeps, newest first, without their jobs."""
    newest = select(Sweep).where(Sweep.owner_id == actor.user_id).order_by(col(Sweep.id).desc())
    return [sweep_row(session, sweep, jobs=False) for sweep in session.exec(newest.limit(max(1, min(limit, 200))))]


def stop_sweep(actor: Actor, sweep_id: int) -> int:
    """Stops all active jobs of a sweep; the newest first, so that no waiting one starts meanwhile.

    It commits in small transactions of its own: one transaction for a thousand jobs would keep everyone else from
    writing for a minute.

    Returns:
        How many were stopped.

    Raises:
        NotFound: not the actor's sweep.
    """
    [job_ids] = in_small_transactions([sweep_id], partial(_record_stop, actor))

    def stop(session: Session, job_id: int | None) -> bool:
        try:
            lifecycle.request_stop(session, actor, job_id or 0)
        except Conflict:  # it has just ended
            return False
        return True

    return sum(in_small_transactions(job_ids, stop))


def _record_stop(actor: Actor, session: Session, sweep_id: int) -> Sequence[int | None]:
    """Records that a sweep is stopped; the ids of its active jobs, the newest first."""
    sweep = owned_sweep(session, actor, sweep_id)
    active = select(TrainingJob.id).where(TrainingJob.sweep_id == sweep_id, col(TrainingJob.status).in_(ACTIVE))
    job_ids = session.exec(active.order_by(col(TrainingJob.id).desc())).all()
    record(session, actor, Act.SWEEP_STOPPED, sweep_id, sweep.name, after={"jobs": len(job_ids)})
    return job_ids


def sweep_row(session: Session, sweep: Sweep, jobs: bool = True) -> SweepRow:
    """The row of a stored sweep."""
    assert sweep.id is not None
    statement = select(TrainingJob).where(TrainingJob.sweep_id == sweep.id).order_by(col(TrainingJob.id))
    records = session.exec(statement).all()
    counts: dict[str, int] = {}
    for job in records:
        counts[job.status.value] = counts.get(job.status.value, 0) + 1
    lines = [_job(job, sweep) for job in records]
    lines.sort(key=lambda line: _rank(line, sweep.goal))
    best = lines[0].id if lines and _has_result(lines[0]) else None
    grid = {name: list(values) for name, values in sweep.grid.items()}
    return SweepRow(
        sweep.id, sweep.name, sweep.metric, sweep.goal, grid, sweep.created_at, counts, best, lines if jobs else []
    )


def _rank(line: SweepJob, goal: str) -> tuple[bool, float, int]:
    score = line.score if line.score is not None else 0.0
    return (not _has_result(line), -score if goal == "max" else score, line.id)


def _has_result(line: SweepJob) -> bool:
    """A failed job may have been measured, but exports no adapter."""
    return line.score is not None and line.status != JobStatus.FAILED.value


def _job(job: TrainingJob, sweep: Sweep) -> SweepJob:
    # What is exported counts: until the run has ended, the best so far where the best step is kept, else the last.
    keeps_best = value_of(job.recipe, "eval.keep") != Keep.LAST
    best = job.summary.best(sweep.metric) if keeps_best and job.status in ACTIVE else None
    score = job.summary.value(sweep.metric) if best is None else best
    values = {name: value_of(job.recipe, name) for name in sweep.grid}
    return SweepJob(job.id or 0, job.name, job.status.value, values, score, progress_share(job))


def value_of(recipe: Mapping[str, Any], name: str) -> Any:
    """The value of a dotted field of a recipe; None where it has none."""
    value: Any = recipe
    for part in name.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value
