"""Trains one attempt of one job from its spec file, and writes how it ended. Read `train` from top to bottom."""

import dataclasses
import json
import math
import os
import signal
import threading
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from transformers import set_seed

from jobs.families.protocol import Family, Plan
from jobs.families.registry import read_base, resolve
from jobs.runs.spec import TrainSpec
from jobs.sinks.jsonl import JsonlSink, last_seq
from jobs.sinks.protocol import Sink
from jobs.sinks.recorder import Recorder
from jobs.sinks.redis_stream import RedisSink
from jobs.trainer.baseline import baseline_of
from jobs.trainer.callbacks import Diverged, EpochTeller, Keeper, Reporter
from jobs.trainer.checkpoints import disk_is_full, newest_whole, prune
from jobs.trainer.data import FrameTeller, Material, bring
from jobs.trainer.device_settings import imitates_bf16
from jobs.trainer.distributed import agree, leads, part, wait_for_all, world
from jobs.trainer.export import export
from jobs.trainer.hf_trainer import WholeTrainer, arguments
from jobs.trainer.oom_recovery import (
    Easing,
    OutOfMemory,
    as_asked,
    ease,
    is_out_of_memory,
    let_go,
    remember,
    remembered,
)
from jobs.trainer.results import Outcome, sum_up
from jobs.trainer.setup import check_clips, opening, plan_of, told_of, with_adapters, with_kernels
from jobs.trainer.split import Sides, divide
from jobs.trainer.threads import Threads
from jobs.video.source import BadClip
from orchestrator.domain.errors import AppError, DiskFull
from orchestrator.domain.failures import FailureKind
from orchestrator.domain.recipes import Recipe, parse_recipe


@dataclass(slots=True)
class TrainResult:
    """How an attempt ended; `result.json` as an object."""

    status: str
    """completed | stopped | failed."""
    summary: dict[str, Any] = field(default_factory=dict)
    failure: FailureKind | None = None
    error: str = ""
    details: str = ""


@dataclass(frozen=True, slots=True)
class Run:
    """One attempt: what it is told, whom it tells, who may stop it."""

    spec: TrainSpec
    recorder: Recorder
    should_stop: Callable[[], bool]
    family: Family
    plan: Plan
    sides: Sides
    begun: float

    @property
    def folder(self) -> Path:
        return Path(self.spec.folder)


def train(spec: TrainSpec, recorder: Recorder, should_stop: Callable[[], bool]) -> TrainResult:
    """The whole run: check, then train; where the memory runs out, again with less at a time.

    Raises:
        AppError: a sentence for the job's page.
    """
    begun = time.monotonic()
    recipe = parse_recipe(spec.recipe)
    base = read_base(Path(spec.model_path))
    family = resolve(base)
    family.check(base, recipe, spec.task)
    sides = divide(spec.clips, recipe.data.validation_share, recipe.optim.seed)
    plan = plan_of(spec, recipe, base, sides)
    for odd in check_clips(plan, sides):
        recorder.note(odd, "clips")
    if imitates_bf16(plan.device):
        recorder.note("This GPU has no bf16 of its own (it is older than Ampere), so steps take longer.", "device")
    if remarks := family.remarks(plan, told_of(sides)):
        recorder.note(" ".join(remarks), "captions")
    run = Run(spec, recorder, should_stop, family, plan, sides, begun)
    easing = remembered(run.folder, recipe) if spec.attempt > 1 else as_asked(recipe)
    resumes = spec.attempt > 1
    while True:
        result, eased = _try(run, easing, resumes)
        if result is not None:
            return result
        assert eased is not None
        let_go()
        easing, resumes = eased, True
        remember(run.folder, easing)
        recorder.note(f"The memory ran out. Going on with {easing.words()}.", "memory")


def _try(run: Run, easing: Easing, resumes: bool) -> tuple[TrainResult | None, Easing | None]:
    """The run's result, or the lighter way to go when the memory ran out."""
    try:
        return _go(run, easing, resumes), None
    except (RuntimeError, MemoryError, OSError) as error:
        if not is_out_of_memory(error):
            raise
        run.recorder.log(f"{type(error).__name__}: {str(error).strip()[:300]}", "warning")
        # What the traceback still holds would stand in the way of the next try.
        traceback.clear_frames(error.__traceback__)
        eased = ease(easing, run.family.contrasts, run.family.recomputes(run.plan))
        if world() > 1:
            # The others wait for this one's gradients and cannot be asked to begin again.
            remember(run.folder, eased)
            text = f"The memory of one of the {world()} GPUs ran out. Resume the job: it goes on with {eased.words()}."
            raise OutOfMemory(text, "optim.batch_size", FailureKind.OUT_OF_MEMORY) from error
        return None, eased


def _go(run: Run, easing: Easing, resumes: bool) -> TrainResult:
    """Load, look at the clips, and learn: read on in `_learn`."""
    spec, recorder, family, sides = run.spec, run.recorder, run.family, run.sides
    plan = dataclasses.replace(run.plan, recipe=easing.on(run.plan.recipe))
    set_seed(plan.recipe.optim.seed)
    model = with_adapters(family, plan, easing.checkpointing, _is_tight(run, plan.recipe))
    recorder.log(opening(spec, plan, sides, model))
    clips = bring(spec, plan, family, model, sides, recorder, run.should_stop)
    with_kernels(family, plan, model, clips.learn)
    trainer, reporter = _trainer(run, plan, model, clips)
    with clips.ahead:
        return _learn(run, plan, model, clips, trainer, reporter, resumes)


def _learn(
    run: Run, plan: Plan, model: Any, clips: Material, trainer: WholeTrainer, reporter: Reporter, resumes: bool
) -> TrainResult:
    """Measure the base, train, judge, export."""
    spec, recorder, family, sides = run.spec, run.recorder, run.family, run.sides
    learn, held = clips.learn, clips.held
    baseline = baseline_of(run.folder, family, plan, trainer, held)
    reporter.samples = lambda: sum_up(trainer.score, before=baseline.before, clips=sides.validation).samples
    checkpoint = newest_whole(run.folder / "checkpoints") if resumes else None
    if checkpoint:
        recorder.log(f"Going on from {checkpoint.name}.")
    trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)

    # A stopped run is judged by its last evaluation only: whoever stops it does not want to wait.
    outcome = Outcome()
    if not reporter.stopped and len(held):
        # The figures of exactly what is exported.
        trainer.final = True
        loss = (trainer.predict(held, metric_key_prefix="eval").metrics or {}).get("eval_loss")
        outcome = sum_up(trainer.score, loss, sides.validation, baseline.values, baseline.before)
    seconds = time.monotonic() - run.begun
    summary = outcome.summary | {
        "task": spec.task,
        "final_step": trainer.state.global_step,
        "train_seconds": round(seconds, 1),
        "train_clips": len(learn),
        "validation_clips": len(held),
        "trainable_parameters": sum(p.numel() for p in model.parameters() if p.requires_grad),
        "device": plan.device,
    }
    if leads():
        export(spec, plan, family, model, outcome, summary)
    recorder.log(f"{'Stopped' if reporter.stopped else 'Done'} after {seconds:.0f} s; the files are ready.")
    wait_for_all()
    return TrainResult("stopped" if reporter.stopped else "completed", summary)


def _is_tight(run: Run, eased: Recipe) -> bool:
    """True once the memory ran out: fewer clips at a time than asked for."""
    return eased.optim.batch_size < run.plan.recipe.optim.batch_size


def _trainer(run: Run, plan: Plan, model: Any, clips: Material) -> tuple[WholeTrainer, Reporter]:
    family, learn, held = run.family, clips.learn, clips.held
    how = plan.recipe.optim
    batch, gather = how.batch_size, how.gradient_accumulation
    an_epoch = math.ceil(math.ceil(math.ceil(len(learn) / batch) / world()) / gather)
    steps = how.max_steps or an_epoch * how.epochs
    folder = run.folder / "checkpoints"
    folder.mkdir(parents=True, exist_ok=True)
    if leads():
        prune(folder)
    clips_a_step = min(batch * gather * world(), len(learn))
    reporter = Reporter(run.recorder, lambda: agree(run.should_stop()), clips_a_step)
    reads_logits = family.reads_logits and not plan.pretrains
    tight = _is_tight(run, plan.recipe)
    trainer = WholeTrainer(
        model=model,
        args=arguments(
            folder, plan.recipe, steps, len(held) > 0, reads_logits, plan.device, tight, decodes=learn.kept is None
        ),
        train_dataset=learn,
        eval_dataset=held if len(held) else None,
        data_collator=family.collate(plan),
        judge=lambda model, raw, final: family.evaluate(plan, model, held, raw, final),
        callbacks=[
            EpochTeller(learn),
            FrameTeller(clips.ahead, run.recorder),
            reporter,
            Keeper(agree),
            *([Threads(model)] if plan.device == "cpu" else []),
        ],
    )
    run.recorder.progress(0, steps, 0.0, "training")
    return trainer, reporter


def main(path: Path) -> int:
    """Reads the spec, trains, writes `result.json`; the exit code is 0 unless the run failed."""
    spec = TrainSpec.load(path)
    folder = Path(spec.folder)
    if spec.gpus:
        # torch reads it when it first asks for a GPU, so this holds for a trainer that was imported before, too.
        os.environ["CUDA_VISIBLE_DEVICES"] = ",".join(spec.gpus)
    asked = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: asked.set())
    metrics = folder / "metrics.jsonl"
    sinks: list[Sink] = [JsonlSink(metrics)] if leads() else []
    live: RedisSink | None = None
    if spec.redis_url:
        streams = [name for name in (spec.live_stream, spec.job_stream) if name and leads()]
        live = RedisSink(spec.redis_url, streams, spec.stream_maxlen, spec.stop_key)
        sinks.append(live)
    sinks += _trackers(spec)
    recorder = Recorder(spec.job_id, spec.attempt, sinks, last_seq(metrics), quiet=not leads())
    try:
        result = train(spec, recorder, lambda: asked.is_set() or bool(live and live.stop_asked))
    except BaseException as error:
        result = failure(error)
        recorder.log(result.error, "error")
        if result.details:
            recorder.log(result.details, "error")
    recorder.close()
    part()
    if leads():
        _write_events(metrics, folder / "tensorboard")
    if leads() or result.status == "failed":
        _write_result(folder / "result.json", spec.attempt, result)
    return 1 if result.status == "failed" else 0


def _trackers(spec: TrainSpec) -> Sequence[Sink]:
    """The tools that the operator named."""
    if not spec.trackers or not leads():
        return ()
    from jobs.sinks.trackers import flat, trackers

    facts = {"base": spec.model_name, "dataset": spec.dataset_name, **flat(spec.recipe)}
    name = f"{spec.name}-job-{spec.job_id}"
    return trackers(spec.trackers, name, facts, lambda said: print(f"WARNING: {said}", flush=True))  # noqa: T201


def failure(error: BaseException) -> TrainResult:
    """The word and the sentence for whatever went wrong; our own bugs keep their traceback."""
    if isinstance(error, AppError):
        return TrainResult("failed", failure=_refusal_kind(error), error=error.message)
    details = "".join(traceback.format_exception(error))[-8_000:]
    if is_out_of_memory(error):
        text = "The memory ran out before the training began. Use a smaller base, fewer frames or a smaller frame size."
        return TrainResult("failed", failure=FailureKind.OUT_OF_MEMORY_AT_START, error=text, details=details)
    if disk_is_full(error):
        text = "The disk is full. Free some space, then resume the job: it goes on from its last whole checkpoint."
        return TrainResult("failed", failure=FailureKind.DISK_FULL, error=text, details=details)
    said = str(error).strip().splitlines()
    text = f"The training broke off: {type(error).__name__}{': ' + said[0][:300] if said else ''}"
    return TrainResult("failed", failure=FailureKind.CRASH, error=text, details=details)


def _refusal_kind(error: AppError) -> FailureKind:
    match error:
        case OutOfMemory():
            return error.kind
        case Diverged():
            return FailureKind.DIVERGED
        case DiskFull():
            return FailureKind.DISK_FULL
        case BadClip():
            return FailureKind.UNREADABLE_CLIP
        case _:
            return FailureKind.NOT_TRAINABLE


def _write_events(metrics: Path, folder: Path) -> None:
    try:
        from jobs.sinks.tensorboard import write_events

        if metrics.exists():
            write_events(metrics, folder)
    except Exception as error:  # an extra for whoever uses TensorBoard must not fail a finished run
        print(f"WARNING: no TensorBoard file was written: {error}", flush=True)  # noqa: T201


def _write_result(path: Path, attempt: int, result: TrainResult) -> None:
    if result.status == "failed" and world() > 1 and path.exists():
        return  # whoever failed first says why; the others only lost their company
    part = path.with_suffix(f".part{os.getpid()}")
    content = {"attempt": attempt, "status": result.status, "summary": result.summary}
    content |= {"failure": result.failure or "", "error": result.error, "details": result.details}
    part.write_text(json.dumps(content, indent=1))
    os.replace(part, path)
