"""Trains one attempt of one job from its spec file, and writes how it ended. Read `train` from top to bottom.

What a resume restores. An attempt above 1 resumes; so does a run that ran out of memory and starts again in the same
process. `tests/unit/jobs/trainer/test_resume.py` kills a run at a random step and compares every loss with an
uninterrupted run.

- Which checkpoint: the complete one with the most steps, of this or an earlier attempt (`latest_complete_checkpoint` in
  `jobs/trainer/checkpoints.py`; `orchestrator/services/attempts/checkpoints.py` lists those of earlier attempts).
  Without one the run starts at step 0.
- Weights, optimizer, learning-rate schedule, step and epoch, and the RNG states of each process: the HF Trainer, by
  `resume_from_checkpoint`. It also skips the batches of the epoch that were trained already; their order follows from
  `data_seed` (`jobs/trainer/hf_trainer.py`).
- The clips: those of the dataset version of the launch (`jobs/runs/spec_writer.py`), divided by the same seed into
  training and validation set (`jobs/trainer/split.py`).
- Augmentation and choice of a caption: a generator per batch, seeded by epoch and clips (`generator_for` in
  `jobs/families/pixels.py`). The epoch comes from `SetEpoch` in `jobs/trainer/callbacks.py`, also in the middle of one.
- Workers of the data loader: started for each epoch, so that they know which one it is
  (`jobs/trainer/device_settings.py`).
- RNG in evaluation: an evaluation does not advance it (`preserve_rng` in `jobs/trainer/distributed.py`), so that losses
  do not depend on whether a checkpoint was written before or after one.
- Micro-batch and gradient checkpointing after an out-of-memory: `easing.json` (`load_settings` in
  `jobs/trainer/oom_recovery.py`). The clips of a step stay the same, and so does its loss
  (`jobs/trainer/loss_weighting.py`).
- Matmul library and number of threads: chosen by processor, shapes and batch, never by a clock
  (`jobs/trainer/cpu_matmul.py`, `jobs/trainer/threads.py`).
- Baseline: `baseline.json`, measured before the first step only (`jobs/trainer/baseline.py`).
- Metrics: `seq` continues (`last_seq` in `jobs/sinks/jsonl.py`); of a step that is trained twice the later value counts
  (`jobs/sinks/tensorboard.py`, `orchestrator/services/metrics/ingest.py`).
- Log and curves of the device: an attempt continues those before it (`orchestrator/services/attempts/folders.py`,
  `jobs/telemetry/sampler.py`).
- Summary: it stays in the job's row; the history of each sample's predictions drops what is evaluated again
  (`with_prediction_history` in `orchestrator/services/metrics/ingest.py`).
- Count of lost workers, which ends a job that makes no progress: `_losses` in
  `orchestrator/services/training/lifecycle.py`; a new checkpoint sets it to zero.
- Not restored, since nothing depends on it: the caches of frames and vision features, found by the clips' content.
"""

import contextlib
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
from jobs.trainer.baseline import load_or_measure_baseline
from jobs.trainer.callbacks import Diverged, Reporter, SetEpoch, StopCallback, TimedCheckpoint
from jobs.trainer.checkpoints import disk_is_full, latest_complete_checkpoint, prune_checkpoints
from jobs.trainer.clips import ClipDataset
from jobs.trainer.data import PrefetchProgress, RunData, load_data
from jobs.trainer.device_settings import emulates_bf16
from jobs.trainer.distributed import any_rank, is_main_process, leave_process_group, wait_for_all, world_size
from jobs.trainer.export import export
from jobs.trainer.hf_trainer import VideoTrainer, has_all_steps, training_arguments
from jobs.trainer.oom_recovery import (
    MemorySettings,
    OutOfMemory,
    free_memory,
    is_out_of_memory,
    load_settings,
    reduce_memory,
    requested_settings,
    save_settings,
)
from jobs.trainer.results import EvaluationResult, summarize_evaluation
from jobs.trainer.setup import (
    apply_liger_kernels,
    build_plan,
    check_clips,
    load_with_adapters,
    named_captions,
    start_message,
)
from jobs.trainer.split import Split, split_clips
from jobs.trainer.stopping import StoppableItems, StopRequested, StopSignal
from jobs.trainer.threads import ThreadTuner
from jobs.video.source import BadClip
from orchestrator.domain.errors import AppError, DiskFull
from orchestrator.domain.failures import FailureKind
from orchestrator.domain.job_files import CHECKPOINTS, METRICS, RESULT, TENSORBOARD
from orchestrator.domain.live_records import Stage
from orchestrator.domain.processes import RUN_REDIS_URL
from orchestrator.domain.recipes import Recipe, parse_recipe
from orchestrator.domain.run_summary import RunSummary
from orchestrator.domain.tasks import TASKS


@dataclass(slots=True)
class TrainResult:
    """How an attempt ended; `result.json` as an object."""

    status: str
    """completed | stopped | failed."""
    summary: RunSummary = field(default_factory=RunSummary)
    failure: FailureKind | None = None
    error: str = ""
    details: str = ""
    stage: str = ""
    """The `Stage` in which a request to stop was heard."""


@dataclass(frozen=True, slots=True)
class Run:
    """One attempt: its spec, and everything that is the same whenever its memory runs out and it begins again."""

    spec: TrainSpec
    recorder: Recorder
    stop: StopSignal
    family: Family
    plan: Plan
    splits: Split
    began_at: float

    @property
    def folder(self) -> Path:
        return Path(self.spec.folder)


def train(spec: TrainSpec, recorder: Recorder, should_stop: Callable[[], bool]) -> TrainResult:
    """The whole run: check, then train; where the memory runs out, again with less at a time.

    Args:
        should_stop: True once this process was asked to stop.

    Raises:
        AppError: a sentence for the job's page.
    """
    stop = StopSignal(should_stop, recorder)
    try:
        return _train(spec, recorder, stop)
    except StopRequested:  # before the first step of this attempt: what an earlier one saved is untouched
        recorder.log("Stopped before the first step of this attempt.")
        return TrainResult("stopped", stage=stop.stage)


def _train(spec: TrainSpec, recorder: Recorder, stop: StopSignal) -> TrainResult:
    began_at = time.monotonic()
    recipe = parse_recipe(spec.recipe)
    base = read_base(Path(spec.model_path))
    family = resolve(base)
    family.check(base, recipe, spec.task)
    splits = split_clips(spec.clips, recipe.data.validation_share, recipe.optim.seed)
    plan = build_plan(spec, recipe, base, splits)
    for warning in check_clips(plan, splits):
        recorder.note(warning, "clips")
    if emulates_bf16(plan.device):
        recorder.note("This GPU has no bf16 of its own (it is older than Ampere), so steps take longer.", "device")
    if warnings := family.caption_warnings(plan, named_captions(splits)):
        recorder.note(" ".join(warnings), "captions")
    run = Run(spec, recorder, stop, family, plan, splits, began_at)
    memory = load_settings(run.folder, recipe) if spec.attempt > 1 else requested_settings(recipe)
    resumes = spec.attempt > 1
    while True:
        result, reduced = _try(run, memory, resumes)
        if result is not None:
            return result
        assert reduced is not None
        free_memory()
        memory, resumes = reduced, True
        save_settings(run.folder, memory)
        recorder.note(f"The memory ran out. Going on with {memory.words()}.", "memory")


def _try(run: Run, memory: MemorySettings, resumes: bool) -> tuple[TrainResult | None, MemorySettings | None]:
    """The run's result, or settings that need less memory when it ran out."""
    try:
        return _load_and_train(run, memory, resumes), None
    except (RuntimeError, MemoryError, OSError) as error:
        if not is_out_of_memory(error):
            raise
        run.recorder.log(f"{type(error).__name__}: {str(error).strip()[:300]}", "warning")
        # The traceback still holds tensors, which the next try needs the memory of.
        traceback.clear_frames(error.__traceback__)
        reduced = reduce_memory(memory, run.family.is_contrastive, run.family.supports_checkpointing(run.plan))
        if world_size() > 1:
            # The other ranks wait for this one's gradients and cannot be told to begin again.
            save_settings(run.folder, reduced)
            gpus = world_size()
            text = f"The memory of one of the {gpus} GPUs ran out. Resume the job: it goes on with {reduced.words()}."
            raise OutOfMemory(text, "optim.batch_size", FailureKind.OUT_OF_MEMORY) from error
        return None, reduced


def _load_and_train(run: Run, memory: MemorySettings, resumes: bool) -> TrainResult:
    """Loads model and clips, then trains: see `_train_and_export`."""
    spec, recorder, family, splits = run.spec, run.recorder, run.family, run.splits
    plan = dataclasses.replace(run.plan, recipe=memory.on(run.plan.recipe))
    set_seed(plan.recipe.optim.seed)
    run.stop.stage = Stage.LOADING
    run.stop.check()
    model = load_with_adapters(family, plan, memory.checkpointing, _is_tight(run, plan.recipe))
    run.stop.check()
    recorder.log(start_message(spec, plan, splits, model))
    clips = load_data(spec, plan, family, model, splits, recorder, run.stop)
    apply_liger_kernels(family, plan, model, clips.training)
    run.stop.check()
    trainer, reporter = _trainer(run, plan, model, clips)
    with clips.ahead:
        return _train_and_export(run, plan, model, clips, trainer, reporter, resumes)


def _train_and_export(
    run: Run, plan: Plan, model: Any, clips: RunData, trainer: VideoTrainer, reporter: Reporter, resumes: bool
) -> TrainResult:
    """Evaluates the base, trains, evaluates, exports."""
    spec, recorder, family, splits, stop = run.spec, run.recorder, run.family, run.splits, run.stop
    training, validation = clips.training, clips.validation
    kind = TASKS[plan.task].answer
    stop.enter(Stage.BASELINE)
    baseline = load_or_measure_baseline(run.folder, family, plan, trainer, validation)
    reporter.samples = lambda: (
        summarize_evaluation(trainer.score, kind, before=baseline.before, clips=splits.validation).samples
    )
    checkpoint = latest_complete_checkpoint(run.folder / CHECKPOINTS, map(Path, spec.checkpoints)) if resumes else None
    _train_steps(run, trainer, checkpoint)

    outcome = EvaluationResult()
    if not stop.stopping and len(validation):
        # The metrics of exactly what is exported. A stopped run has those of its latest evaluation only.
        with contextlib.suppress(StopRequested):
            loss = _evaluate_all_clips(trainer, validation, stop)
            outcome = summarize_evaluation(
                trainer.score, kind, loss, splits.validation, baseline.values, baseline.before
            )
    seconds = time.monotonic() - run.began_at
    facts = RunSummary(
        task=spec.task,
        final_step=trainer.state.global_step,
        train_seconds=round(seconds, 1),
        train_clips=len(training),
        validation_clips=len(validation),
        trainable_parameters=sum(p.numel() for p in model.parameters() if p.requires_grad),
        device=plan.device,
    )
    summary = outcome.summary.merged(facts)
    exported = False
    if is_main_process() and trainer.state.global_step:
        stop.enter(Stage.EXPORT, *trainer.progress())
        with contextlib.suppress(StopRequested):
            export(spec, plan, family, model, outcome, summary, stop.check_alone)
            exported = True
    files = "; the files are ready" if exported else ""
    recorder.log(f"{'Stopped' if stop.stopping else 'Done'} after {seconds:.0f} s{files}.")
    wait_for_all()
    return TrainResult("stopped" if stop.stopping else "completed", summary, stage=stop.stopped_in or "")


def _train_steps(run: Run, trainer: VideoTrainer, checkpoint: Path | None) -> None:
    """Trains the steps that are left; returns early when the run was asked to stop."""
    with contextlib.suppress(StopRequested):  # raised by an evaluation, whose checkpoint was saved before
        if checkpoint is None:
            trainer.train()
        elif has_all_steps(checkpoint):
            run.recorder.log(f"All steps are trained: evaluating {checkpoint.name}.")
            trainer.restore(checkpoint)
        else:
            run.recorder.log(f"Going on from {checkpoint.name}.")
            trainer.resume_from(checkpoint)
            trainer.train(resume_from_checkpoint=str(checkpoint))


def _evaluate_all_clips(trainer: VideoTrainer, validation: ClipDataset, stop: StopSignal) -> float | None:
    """Evaluates the trained model on every validation clip; the loss.

    Raises:
        StopRequested: the run was asked to stop meanwhile.
    """
    stop.enter(Stage.FINAL_EVALUATION, *trainer.progress())
    trainer.final = True
    return (trainer.predict(validation, metric_key_prefix="eval").metrics or {}).get("eval_loss")


def _is_tight(run: Run, recipe: Recipe) -> bool:
    """True once the memory ran out: a smaller micro-batch than the recipe asks for."""
    return recipe.optim.batch_size < run.plan.recipe.optim.batch_size


def _trainer(run: Run, plan: Plan, model: Any, clips: RunData) -> tuple[VideoTrainer, Reporter]:
    family, training, validation = run.family, clips.training, clips.validation
    optim = plan.recipe.optim
    batch, gather = optim.batch_size, optim.gradient_accumulation
    steps_per_epoch = math.ceil(math.ceil(math.ceil(len(training) / batch) / world_size()) / gather)
    steps = optim.max_steps or steps_per_epoch * optim.epochs
    folder = run.folder / CHECKPOINTS
    folder.mkdir(parents=True, exist_ok=True)
    if is_main_process() and run.spec.prunes:
        prune_checkpoints(folder)
    clips_per_step = min(batch * gather * world_size(), len(training))
    reporter = Reporter(run.recorder, clips_per_step)
    evaluated, plan = StoppableItems(validation, run.stop), dataclasses.replace(plan, check_stop=run.stop.check_token)
    reads_logits = family.reads_logits and not plan.is_pretraining
    tight = _is_tight(run, plan.recipe)
    trainer = VideoTrainer(
        model=model,
        args=training_arguments(
            folder,
            plan.recipe,
            steps,
            len(validation) > 0,
            reads_logits,
            plan.device,
            tight,
            decodes=training.kept is None,
        ),
        train_dataset=training,
        eval_dataset=validation if len(validation) else None,
        data_collator=family.collate(plan),
        evaluate_family=lambda model, raw, final: family.evaluate(plan, model, evaluated, raw, final),
        stop=run.stop,
        prunes=run.spec.prunes,
        callbacks=[
            SetEpoch(training),
            PrefetchProgress(clips.ahead, run.recorder),
            reporter,
            StopCallback(run.stop),
            TimedCheckpoint(any_rank),
            *([ThreadTuner(model)] if plan.device == "cpu" else []),
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
    metrics = folder / METRICS
    sinks: list[Sink] = [JsonlSink(metrics)] if is_main_process() else []
    live: RedisSink | None = None
    if redis_url := os.environ.get(RUN_REDIS_URL):
        streams = [name for name in (spec.live_stream, spec.job_stream) if name and is_main_process()]
        live = RedisSink(redis_url, streams, spec.stream_maxlen, spec.stop_key)
        sinks.append(live)
    sinks += _trackers(spec)
    first_seq = max(last_seq(metrics), spec.first_seq)
    recorder = Recorder(spec.job_id, spec.attempt, sinks, first_seq, quiet=not is_main_process())
    try:
        result = train(spec, recorder, lambda: asked.is_set() or bool(live and live.stop_asked))
    except BaseException as error:
        result = failure(error)
        recorder.log(result.error, "error")
        if result.details:
            recorder.log(result.details, "error")
    recorder.close()
    leave_process_group()
    if is_main_process():
        _write_events(metrics, folder / TENSORBOARD)
    if is_main_process() or result.status == "failed":
        _write_result(folder / RESULT, spec.attempt, result)
    return 1 if result.status == "failed" else 0


def _trackers(spec: TrainSpec) -> Sequence[Sink]:
    """The experiment trackers that the operator configured."""
    if not spec.trackers or not is_main_process():
        return ()
    from jobs.sinks.trackers import flat, trackers

    facts = {"base": spec.model_name, "dataset": spec.dataset_name, **flat(spec.recipe)}
    name = f"{spec.name}-job-{spec.job_id}"
    return trackers(spec.trackers, name, facts, lambda message: print(f"WARNING: {message}", flush=True))  # noqa: T201


def failure(error: BaseException) -> TrainResult:
    """The kind and the sentence of a failure; an unexpected one keeps its traceback."""
    if isinstance(error, AppError):
        return TrainResult("failed", failure=_refusal_kind(error), error=error.message)
    details = "".join(traceback.format_exception(error))[-8_000:]
    if is_out_of_memory(error):
        text = "The memory ran out before the training began. Use a smaller base, fewer frames or a smaller frame size."
        return TrainResult("failed", failure=FailureKind.OUT_OF_MEMORY_AT_START, error=text, details=details)
    if disk_is_full(error):
        text = "The disk is full. Free some space, then resume the job: it goes on from its last whole checkpoint."
        return TrainResult("failed", failure=FailureKind.DISK_FULL, error=text, details=details)
    lines = str(error).strip().splitlines()
    text = f"The training broke off: {type(error).__name__}{': ' + lines[0][:300] if lines else ''}"
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
    except Exception as error:  # optional files for TensorBoard must not fail a finished run
        print(f"WARNING: no TensorBoard file was written: {error}", flush=True)  # noqa: T201


def _write_result(path: Path, attempt: int, result: TrainResult) -> None:
    if result.status == "failed" and world_size() > 1 and path.exists():
        return  # the rank that failed first says why; the others failed because of it
    part = path.with_suffix(f".part{os.getpid()}")
    content = {"attempt": attempt, "status": result.status, "summary": result.summary.to_json()}
    content |= {"failure": result.failure or "", "error": result.error, "details": result.details}
    content["stage"] = result.stage
    part.write_text(json.dumps(content, indent=1))
    os.replace(part, path)
