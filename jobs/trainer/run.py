"""Trains one attempt of one job from its spec file, and writes how it ended. Read `train` from top to bottom."""

import errno
import json
import math
import os
import signal
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from transformers import set_seed

from jobs.families.protocol import Family, Plan
from jobs.families.registry import read_base, resolve
from jobs.sinks.jsonl import JsonlSink, last_seq
from jobs.sinks.protocol import Sink
from jobs.sinks.recorder import Recorder
from jobs.sinks.redis_stream import RedisSink
from jobs.spec import TrainSpec
from jobs.trainer.baseline import baseline_of
from jobs.trainer.callback import EpochTeller, Reporter
from jobs.trainer.checkpoints import newest_whole, prune
from jobs.trainer.clips import Clips
from jobs.trainer.export import export
from jobs.trainer.hf import WholeTrainer, arguments
from jobs.trainer.outcome import Outcome, sum_up
from jobs.trainer.setup import check_clips, opening, plan_of, with_adapters
from jobs.trainer.split import divide
from jobs.trainer.together import agree, leads, part, wait_for_all, world
from jobs.video.cache import FrameCache
from orchestrator.domain.errors import AppError
from orchestrator.domain.recipes import parse_recipe


@dataclass(slots=True)
class TrainResult:
    """How an attempt ended; `result.json` as an object."""

    status: str
    """completed | stopped | failed."""
    summary: dict[str, Any] = field(default_factory=dict)
    error: str = ""
    details: str = ""


def train(spec: TrainSpec, recorder: Recorder, should_stop: Callable[[], bool]) -> TrainResult:
    """The whole run: check, load, measure the base, train, judge, export.

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
    check_clips(plan, sides)
    set_seed(recipe.optim.seed)
    model = with_adapters(family, plan)
    recorder.log(opening(spec, plan, sides, model))

    frames = Path(spec.cache_dir or spec.folder) / "frames"
    cache = FrameCache(frames, family.sampling(base, recipe), spec.cache_bytes)
    learn = Clips(sides.train, spec.class_names, cache, learn=True)
    held = Clips(sides.validation, spec.class_names, cache, learn=False)
    trainer, reporter = _trainer(spec, family, plan, model, learn, held, recorder, should_stop)
    baseline = baseline_of(Path(spec.folder), family, plan, trainer, held)
    checkpoint = newest_whole(Path(spec.folder) / "checkpoints") if spec.attempt > 1 else None
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
    seconds = time.monotonic() - begun
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


def _trainer(
    spec: TrainSpec,
    family: Family,
    plan: Plan,
    model: Any,
    learn: Clips,
    held: Clips,
    recorder: Recorder,
    should_stop: Callable[[], bool],
) -> tuple[WholeTrainer, Reporter]:
    how = plan.recipe.optim
    batch, gather = how.batch_size, how.gradient_accumulation
    an_epoch = math.ceil(math.ceil(math.ceil(len(learn) / batch) / world()) / gather)
    steps = how.max_steps or an_epoch * how.epochs
    folder = Path(spec.folder) / "checkpoints"
    folder.mkdir(parents=True, exist_ok=True)
    if leads():
        prune(folder)
    reporter = Reporter(recorder, lambda: agree(should_stop()), min(batch * gather * world(), len(learn)))
    reads_logits = family.reads_logits and not plan.pretrains
    trainer = WholeTrainer(
        model=model,
        args=arguments(folder, plan.recipe, steps, len(held) > 0, reads_logits, plan.device),
        train_dataset=learn,
        eval_dataset=held if len(held) else None,
        data_collator=family.collate(plan),
        judge=lambda model, raw, final: family.evaluate(plan, model, held, raw, final),
        callbacks=[EpochTeller(learn), reporter],
    )
    recorder.progress(0, steps, 0.0, "training")
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


def failure(error: BaseException) -> TrainResult:
    """The sentence for whatever went wrong; our own bugs keep their traceback."""
    if isinstance(error, AppError):
        return TrainResult("failed", error=error.message)
    details = "".join(traceback.format_exception(error))[-8_000:]
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return TrainResult("failed", error="The memory ran out. Try half the batch size.", details=details)
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        return TrainResult("failed", error="The disk is full. Free some space, then resume the job.", details=details)
    said = str(error).strip().splitlines()
    text = f"The training broke off: {type(error).__name__}{': ' + said[0][:300] if said else ''}"
    return TrainResult("failed", error=text, details=details)


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
    content |= {"error": result.error, "details": result.details}
    part.write_text(json.dumps(content, indent=1))
    os.replace(part, path)
