"""Trains one attempt of a job: loads its base and clips, trains, evaluates, exports. Read `train` from top to bottom.

What a resumed attempt restores is listed in `jobs/trainer/resume.py`.
"""

import contextlib
import dataclasses
import time
import traceback
from collections.abc import Callable
from typing import Any

from transformers import set_seed

from jobs.families.protocol import Plan
from jobs.runs.spec import TrainSpec
from jobs.sinks.recorder import Recorder
from jobs.trainer.baseline import load_or_measure_baseline
from jobs.trainer.build_trainer import build_trainer, judged_during_run, judged_indices
from jobs.trainer.callbacks import Reporter
from jobs.trainer.clips import ClipDataset
from jobs.trainer.data import RunData, load_data
from jobs.trainer.distributed import is_main_process, wait_for_all, world_size
from jobs.trainer.export import export
from jobs.trainer.exported_step import load_exported_step
from jobs.trainer.hf_trainer import VideoTrainer
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
from jobs.trainer.resume import checkpoint_to_resume, train_remaining_steps
from jobs.trainer.setup import Run, apply_liger_kernels, load_with_adapters, prepare_run, start_message
from jobs.trainer.stopping import StopRequested, StopSignal
from jobs.trainer.train_result import TrainResult
from orchestrator.domain.exported_step import ExportReason
from orchestrator.domain.failures import FailureKind
from orchestrator.domain.live_records import Stage
from orchestrator.domain.run_summary import RunSummary
from orchestrator.domain.tasks import TASKS


def train(spec: TrainSpec, recorder: Recorder, should_stop: Callable[[], bool]) -> TrainResult:
    """The whole run: checks, then trains; where the memory runs out, again with a smaller micro-batch.

    Args:
        should_stop: True once this process was asked to stop.

    Raises:
        AppError: a sentence for the job's page.
    """
    stop = StopSignal(should_stop, recorder)
    try:
        run = prepare_run(spec, recorder, stop)
        return _train_until_memory_suffices(run, resumes=spec.attempt > 1 or spec.restarted)
    except StopRequested:  # before the first step of this attempt: what an earlier one saved is untouched
        recorder.log("Stopped before the first step of this attempt.")
        return TrainResult("stopped", stage=stop.stage)


def _train_until_memory_suffices(run: Run, resumes: bool) -> TrainResult:
    recipe = run.plan.recipe
    memory = load_settings(run.folder, recipe) if resumes else requested_settings(recipe)
    while True:
        result, reduced = _try(run, memory, resumes)
        if result is not None:
            return result
        assert reduced is not None
        free_memory()
        memory, resumes = reduced, True
        save_settings(run.folder, memory)
        run.recorder.note(f"The memory ran out. Going on with {memory.words()}.", "memory")


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
    recorder, family, splits = run.recorder, run.family, run.splits
    plan = dataclasses.replace(run.plan, recipe=memory.on(run.plan.recipe))
    set_seed(plan.recipe.optim.seed)
    run.stop.stage = Stage.LOADING
    run.stop.check()
    model = load_with_adapters(family, plan, memory.checkpointing, run.is_tight(plan.recipe))
    run.stop.check()
    recorder.log(start_message(run.spec, plan, splits, model))
    clips = load_data(run.spec, plan, family, model, splits, recorder, run.stop)
    apply_liger_kernels(family, plan, model, clips.training)
    run.stop.check()
    trainer, reporter = build_trainer(run, plan, model, clips)
    with clips.background():
        return _train_and_export(run, plan, model, clips, trainer, reporter, resumes)


def _train_and_export(
    run: Run, plan: Plan, model: Any, clips: RunData, trainer: VideoTrainer, reporter: Reporter, resumes: bool
) -> TrainResult:
    """Evaluates the base, trains, loads the step to export, evaluates it, exports."""
    kind, validation, stop = TASKS[plan.task].answer, clips.validation, run.stop
    stop.enter(Stage.BASELINE)
    baseline = load_or_measure_baseline(
        run.folder, run.family, plan, trainer, judged_during_run(plan.recipe, validation)
    )
    judged = [run.splits.validation[at] for at in judged_indices(plan.recipe, len(validation))]
    reporter.samples = lambda: summarize_evaluation(trainer.score, kind, before=baseline.before, clips=judged).samples
    checkpoint = checkpoint_to_resume(run.folder, run.spec.checkpoints) if resumes else None
    train_remaining_steps(trainer, checkpoint, run.recorder)

    outcome, chosen = EvaluationResult(), load_exported_step(run, plan, trainer)
    if chosen.sentence and is_main_process():
        # A stopped run may go on: the services say what of it is shown.
        run.recorder.log(chosen.sentence) if stop.stopping else run.recorder.note(chosen.sentence, "exported")
    if stop.stopping:
        outcome.summary = RunSummary.of_values(trainer.best.values if chosen.why is ExportReason.BEST else {})
    elif len(validation):
        # The metrics of exactly what is exported. A stopped run has those of its latest evaluation only.
        with contextlib.suppress(StopRequested):
            loss = _evaluate_all_clips(trainer, validation, stop)
            outcome = summarize_evaluation(
                trainer.score, kind, loss, run.splits.validation, baseline.values, baseline.before
            )
    seconds = time.monotonic() - run.began_at
    facts = _run_facts(run, plan, model, clips, trainer, seconds).merged(RunSummary(exported=chosen))
    if baseline.before and len(judged) < len(validation):
        facts = facts.merged(RunSummary(baseline_clips=len(judged)))
    summary = outcome.summary.merged(facts)
    exported = is_main_process() and _export(run, plan, model, trainer, outcome, summary)
    files = "; the files are ready" if exported else ""
    run.recorder.log(f"{'Stopped' if stop.stopping else 'Done'} after {seconds:.0f} s{files}.")
    wait_for_all()
    return TrainResult("stopped" if stop.stopping else "completed", summary, stage=stop.stopped_in or "")


def _evaluate_all_clips(trainer: VideoTrainer, validation: ClipDataset, stop: StopSignal) -> float | None:
    """Evaluates the trained model on every validation clip; the loss.

    Raises:
        StopRequested: the run was asked to stop meanwhile.
    """
    stop.enter(Stage.FINAL_EVALUATION, *trainer.progress())
    trainer.final = True
    return (trainer.predict(validation, metric_key_prefix="eval").metrics or {}).get("eval_loss")


def _run_facts(
    run: Run, plan: Plan, model: Any, clips: RunData, trainer: VideoTrainer, train_seconds: float
) -> RunSummary:
    """What the summary says besides the metrics."""
    asked = RunSummary(question=plan.question, system=plan.system) if plan.question or plan.system else RunSummary()
    facts = RunSummary(
        task=run.spec.task,
        baseline_name=TASKS[plan.task].baseline_name(continues=plan.continued is not None),
        problem_type=run.spec.problem_type,
        final_step=trainer.state.global_step,
        train_seconds=round(train_seconds, 1),
        train_clips=len(clips.training),
        validation_clips=len(clips.validation),
        trainable_parameters=sum(p.numel() for p in model.parameters() if p.requires_grad),
        device=plan.device,
    )
    views = plan.recipe.eval.views
    return facts.merged(asked).merged(RunSummary(views=views) if views > 1 else RunSummary())


def _export(
    run: Run, plan: Plan, model: Any, trainer: VideoTrainer, outcome: EvaluationResult, summary: RunSummary
) -> bool:
    """Writes the adapter or the model; False where no step was trained, or the run was asked to stop meanwhile."""
    if not trainer.state.global_step:
        return False
    run.stop.enter(Stage.EXPORT, *trainer.progress())
    with contextlib.suppress(StopRequested):
        export(run.spec, plan, run.family, model, outcome, summary, run.stop.check_alone)
        return True
    return False
