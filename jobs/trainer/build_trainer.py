"""Builds the Trainer of a run: arguments, clips, collator, evaluation and callbacks."""

import dataclasses
import math
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from torch.utils.data import Subset

from jobs.families.captioning import evenly_spaced
from jobs.families.class_loss import class_loss_of
from jobs.families.protocol import Plan
from jobs.runs.clip_spec import ClipSpec
from jobs.trainer.batches import BalancedSampler, drops_lone_clip
from jobs.trainer.callbacks import Reporter, SetEpoch, StopCallback, TimedCheckpoint
from jobs.trainer.checkpoints import prune_checkpoints
from jobs.trainer.data import PrefetchProgress, RunData
from jobs.trainer.distributed import any_rank, is_main_process, world_size
from jobs.trainer.hf_trainer import VideoTrainer, training_arguments
from jobs.trainer.length_groups import clip_lengths
from jobs.trainer.setup import Run
from jobs.trainer.stopping import StoppableItems
from jobs.trainer.threads import ThreadTuner
from orchestrator.domain.job_files import CHECKPOINTS
from orchestrator.domain.recipes import Recipe
from orchestrator.domain.tasks import TASKS


def build_trainer(run: Run, plan: Plan, model: Any, clips: RunData) -> tuple[VideoTrainer, Reporter]:
    """The Trainer, and the callback that reports its steps.

    Args:
        plan: the run's plan, with the micro-batch that fits into the memory.
    """
    family, training, validation = run.family, clips.training, clips.validation
    steps = _total_steps(plan.recipe, len(training) - drops_lone_clip(family, plan.recipe, len(training)))
    reporter = Reporter(run.recorder, _clips_per_step(plan.recipe, len(training)))
    plan = dataclasses.replace(plan, check_stop=run.stop.check_token)
    trainer = VideoTrainer(
        model=model,
        args=training_arguments(
            _checkpoint_folder(run),
            plan.recipe,
            steps,
            len(validation) > 0,
            family.reads_logits and not plan.is_pretraining,
            plan.device,
            run.is_tight(plan.recipe),
            decodes=training.kept is None,
            decode_threads=run.spec.decode_threads,
        ),
        train_dataset=training,
        eval_dataset=judged_during_run(plan.recipe, validation) if len(validation) else None,
        data_collator=family.collate(plan),
        evaluate_family=lambda model, items, raw, final: family.evaluate(
            plan, model, StoppableItems(items, run.stop), raw, final
        ),
        headline=TASKS[plan.task].headline(plan.problem_type),
        recipe=plan.recipe,
        class_loss=class_loss_of(plan, (clip.label for clip in run.splits.train)),
        lengths=clip_lengths(plan, run.splits.train) if plan.recipe.data.group_by_length else (),
        sampler=_balanced_sampler(plan, run.splits.train),
        drops_lone_clip=drops_lone_clip(family, plan.recipe, len(training)),
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


def judged_during_run(recipe: Recipe, validation: Any) -> Any:
    """The validation clips of the baseline and of the evaluations during the run: those of `judged_indices`."""
    indices = judged_indices(recipe, len(validation))
    return validation if len(indices) == len(validation) else Subset(validation, indices)


def judged_indices(recipe: Recipe, count: int) -> list[int]:
    """Which of `count` validation clips are judged before the end: as many as the recipe says, at equal distances."""
    return evenly_spaced(range(count), recipe.eval.clips or count)


def _balanced_sampler(plan: Plan, clips: Iterable[ClipSpec]) -> BalancedSampler | None:
    """The sampler of a run whose recipe shows all classes equally often."""
    optim = plan.recipe.optim
    return BalancedSampler([clip.label for clip in clips], optim.seed) if optim.balanced_sampling else None


def _total_steps(recipe: Recipe, clips: int) -> int:
    """Optimizer steps of the whole run, counted as the Trainer counts them."""
    optim = recipe.optim
    batches_per_rank = math.ceil(math.ceil(clips / optim.batch_size) / world_size())
    return optim.max_steps or math.ceil(batches_per_rank / optim.gradient_accumulation) * optim.epochs


def _clips_per_step(recipe: Recipe, clips: int) -> int:
    return min(recipe.optim.batch_size * recipe.optim.gradient_accumulation * world_size(), clips)


def _checkpoint_folder(run: Run) -> Path:
    """The attempt's folder of checkpoints, without those that an earlier start of it left over."""
    folder = run.folder / CHECKPOINTS
    folder.mkdir(parents=True, exist_ok=True)
    if is_main_process() and run.spec.prunes:
        prune_checkpoints(folder)
    return folder
