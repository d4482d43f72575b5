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

import numpy as np
import torch
from peft import LoraConfig, get_peft_model
from transformers import set_seed

from jobs.families.protocol import Base, Family, Score
from jobs.families.registry import read_base, resolve
from jobs.sinks.jsonl import JsonlSink, last_seq
from jobs.sinks.protocol import Sink
from jobs.sinks.recorder import Recorder
from jobs.sinks.redis_stream import RedisSink
from jobs.spec import TrainSpec
from jobs.trainer.callback import EpochTeller, Reporter
from jobs.trainer.checkpoints import newest_whole, prune
from jobs.trainer.clips import Clips
from jobs.trainer.export import export
from jobs.trainer.hf import WholeTrainer, arguments
from jobs.trainer.outcome import Outcome, judge
from jobs.trainer.split import Sides, divide
from jobs.video.cache import FrameCache
from orchestrator.domain.errors import AppError, Invalid
from orchestrator.domain.recipes import Recipe, TrainingType, parse_recipe


@dataclass(slots=True)
class TrainResult:
    """How an attempt ended; `result.json` as an object."""

    status: str
    """completed | stopped | failed."""
    summary: dict[str, Any] = field(default_factory=dict)
    error: str = ""
    details: str = ""


def train(spec: TrainSpec, recorder: Recorder, should_stop: Callable[[], bool]) -> TrainResult:
    """The whole run: check, load, train, judge, export.

    Raises:
        AppError: a sentence for the job's page.
    """
    begun = time.monotonic()
    recipe = parse_recipe(spec.recipe)
    base = read_base(Path(spec.model_path))
    family = resolve(base)
    family.check(base, recipe, spec.task)
    pretrains = recipe.training_type is TrainingType.PRETRAIN
    sides = divide(spec.clips, recipe.data.validation_share, recipe.optim.seed)
    _check_classes(spec, sides, pretrains)
    device = "cuda:0" if torch.cuda.is_available() else "cpu"
    set_seed(recipe.optim.seed)
    model = _with_adapters(family, base, recipe, spec, device)
    recorder.log(_opening(spec, recipe, sides, model, device))

    cache = FrameCache(Path(spec.cache_dir or spec.folder) / "frames", family.sampling(base, recipe))
    learn = Clips(sides.train, spec.class_names, cache, learn=True)
    held = Clips(sides.validation, spec.class_names, cache, learn=False)
    trainer, reporter = _trainer(spec, recipe, family, base, model, learn, held, device, recorder, should_stop)
    checkpoint = newest_whole(Path(spec.folder) / "checkpoints") if spec.attempt > 1 else None
    if checkpoint:
        recorder.log(f"Going on from {checkpoint.name}.")
    trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)

    # A stopped run is judged by its last evaluation only: whoever stops it does not want to wait.
    outcome = Outcome()
    if not reporter.stopped and len(held):
        outcome = _judge(trainer, family, recipe, held, sides, spec)
    seconds = time.monotonic() - begun
    summary = outcome.summary | {
        "final_step": trainer.state.global_step,
        "train_seconds": round(seconds, 1),
        "train_clips": len(learn),
        "validation_clips": len(held),
        "trainable_parameters": sum(p.numel() for p in model.parameters() if p.requires_grad),
        "device": device,
    }
    export(spec, recipe, family, base, model, outcome, summary)
    recorder.log(f"{'Stopped' if reporter.stopped else 'Done'} after {seconds:.0f} s; the files are ready.")
    return TrainResult("stopped" if reporter.stopped else "completed", summary)


def _check_classes(spec: TrainSpec, sides: Sides, pretrains: bool) -> None:
    if pretrains:
        return
    if len(spec.class_names) < 2:
        raise Invalid("This dataset has fewer than two classes. Sort its clips into classes first.")
    missing = sorted({clip.label for clip in (*sides.train, *sides.validation)} - set(spec.class_names))
    if missing:
        raise Invalid(
            f"A clip carries the class '{missing[0]}', which the dataset does not list. Save its clips again."
        )


def _with_adapters(family: Family, base: Base, recipe: Recipe, spec: TrainSpec, device: str) -> Any:
    """The loaded model with LoRA where the recipe wants it."""
    model = family.load(base, recipe, spec.class_names, device)
    if recipe.training_type is TrainingType.PRETRAIN or not recipe.qlora.enabled:
        return model
    for parameter in model.parameters():
        parameter.requires_grad = False
    config = LoraConfig(
        r=recipe.qlora.r,
        lora_alpha=recipe.qlora.alpha,
        lora_dropout=recipe.qlora.dropout,
        target_modules=family.targets(recipe),
        modules_to_save=list(family.head),
    )
    try:
        return get_peft_model(model, config)
    except ValueError as error:
        names = ", ".join(family.targets(recipe))
        text = f"None of the target modules ({names}) is a linear layer of this base. Choose others."
        raise Invalid(text, "qlora.target_modules") from error


def _opening(spec: TrainSpec, recipe: Recipe, sides: Sides, model: Any, device: str) -> str:
    trainable = sum(p.numel() for p in model.parameters() if p.requires_grad)
    four_bit = recipe.qlora.enabled and recipe.qlora.bits == 4
    return (
        f"{spec.model_name} on {device}{', NF4' if four_bit else ''}: {trainable:,} trainable parameters, "
        f"{len(sides.train)} clips to learn from, {len(sides.validation)} held out."
    )


def _trainer(
    spec: TrainSpec,
    recipe: Recipe,
    family: Family,
    base: Base,
    model: Any,
    learn: Clips,
    held: Clips,
    device: str,
    recorder: Recorder,
    should_stop: Callable[[], bool],
) -> tuple[WholeTrainer, Reporter]:
    batch, gather = recipe.optim.batch_size, recipe.optim.gradient_accumulation
    an_epoch = math.ceil(math.ceil(len(learn) / batch) / gather)
    steps = recipe.optim.max_steps or an_epoch * recipe.optim.epochs
    folder = Path(spec.folder) / "checkpoints"
    folder.mkdir(parents=True, exist_ok=True)
    prune(folder)
    reporter = Reporter(recorder, should_stop, min(batch * gather, len(learn)))
    labelled = recipe.training_type is TrainingType.FINETUNE

    def measure(prediction: Any) -> dict[str, float]:
        return family.score(prediction.predictions, prediction.label_ids, recipe).values

    trainer = WholeTrainer(
        model=model,
        args=arguments(folder, recipe, steps, len(held) > 0, labelled, device),
        train_dataset=learn,
        eval_dataset=held if len(held) else None,
        data_collator=family.collate(base, recipe),
        compute_metrics=measure if labelled else None,
        callbacks=[EpochTeller(learn), reporter],
    )
    recorder.progress(0, steps, 0.0, "training")
    return trainer, reporter


def _judge(
    trainer: WholeTrainer, family: Family, recipe: Recipe, held: Clips, sides: Sides, spec: TrainSpec
) -> Outcome:
    """Runs the held-out clips through the finished model once more: the figures of exactly what is exported."""
    output = trainer.predict(held, metric_key_prefix="eval")
    score = Score({})
    if output.label_ids is not None and output.predictions is not None:
        score = family.score(output.predictions, np.asarray(output.label_ids), recipe)
    loss = (output.metrics or {}).get("eval_loss")
    return judge(score, loss, sides.validation, spec.class_names)


def main(path: Path) -> int:
    """Reads the spec, trains, writes `result.json`; the exit code is 0 unless the run failed."""
    spec = TrainSpec.load(path)
    folder = Path(spec.folder)
    asked = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: asked.set())
    metrics = folder / "metrics.jsonl"
    sinks: list[Sink] = [JsonlSink(metrics)]
    live: RedisSink | None = None
    if spec.redis_url:
        streams = [name for name in (spec.live_stream, spec.job_stream) if name]
        live = RedisSink(spec.redis_url, streams, spec.stream_maxlen, spec.stop_key)
        sinks.append(live)
    recorder = Recorder(spec.job_id, spec.attempt, sinks, last_seq(metrics))
    try:
        result = train(spec, recorder, lambda: asked.is_set() or bool(live and live.stop_asked))
    except BaseException as error:
        result = _failure(error)
        recorder.log(result.error, "error")
        if result.details:
            recorder.log(result.details, "error")
    recorder.close()
    _write_events(metrics, folder / "tensorboard")
    _write_result(folder / "result.json", spec.attempt, result)
    return 1 if result.status == "failed" else 0


def _failure(error: BaseException) -> TrainResult:
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
    part = path.with_suffix(".part")
    content = {"attempt": attempt, "status": result.status, "summary": result.summary}
    content |= {"error": result.error, "details": result.details}
    part.write_text(json.dumps(content, indent=1))
    os.replace(part, path)
