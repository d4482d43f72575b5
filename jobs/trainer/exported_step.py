"""Chooses which step of a run is exported, and loads its weights."""

from pathlib import Path

from jobs.families.protocol import Plan
from jobs.trainer.checkpoints import checkpoint_of_step
from jobs.trainer.hf_trainer import VideoTrainer
from jobs.trainer.setup import Run
from orchestrator.domain.exported_step import BestEvaluation, ExportReason, exported_sentence
from orchestrator.domain.job_files import CHECKPOINTS
from orchestrator.domain.recipe_eval import Keep
from orchestrator.domain.run_summary import ExportedStep


def load_exported_step(run: Run, plan: Plan, trainer: VideoTrainer) -> ExportedStep:
    """Loads the best step's weights into the trained model where the recipe keeps the best; says what was exported."""
    last_step, best = trainer.state.global_step, trainer.best
    if not last_step:
        return ExportedStep()
    why = _why(run, plan, trainer)
    sentence = exported_sentence(why, last_step, best)
    if early := trainer.is_patience_over and last_step < trainer.state.max_steps:
        sentence += f" The run ended early, after {best.since_best} evaluations that were no better."
    if why is not ExportReason.BEST:
        epoch = round(float(trainer.state.epoch or 0), 4)
        return ExportedStep(step=last_step, epoch=epoch, why=why, ended_early=early, sentence=sentence)
    return ExportedStep(
        step=best.step,
        epoch=round(best.epoch, 4),
        why=why,
        measure=best.measure,
        value=best.values.get(best.measure),
        evaluations=best.evaluations,
        ended_early=early,
        sentence=sentence,
    )


def _why(run: Run, plan: Plan, trainer: VideoTrainer) -> ExportReason:
    """The reason for what is exported; the weights of the best step are loaded."""
    best: BestEvaluation = trainer.best
    if plan.recipe.eval.keep is Keep.LAST:
        return ExportReason.LAST
    if not best.step:
        return ExportReason.NO_EVALUATION
    if best.step != trainer.state.global_step:
        path = checkpoint_of_step(best.step, run.folder / CHECKPOINTS, map(Path, run.spec.checkpoints))
        if path is None:
            return ExportReason.BEST_IS_MISSING
        trainer.load_weights(path)
    return ExportReason.BEST
