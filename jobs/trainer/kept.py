"""Chooses which step of a run is exported, and loads its weights."""

from pathlib import Path

from jobs.families.protocol import Plan
from jobs.trainer.checkpoints import checkpoint_of_step
from jobs.trainer.hf_trainer import VideoTrainer
from jobs.trainer.setup import Run
from orchestrator.domain.job_files import CHECKPOINTS
from orchestrator.domain.kept_step import BestEvaluation, KeptBecause, kept_sentence
from orchestrator.domain.recipe_eval import Keep
from orchestrator.domain.run_summary import KeptStep


def load_kept_step(run: Run, plan: Plan, trainer: VideoTrainer) -> KeptStep:
    """Loads the best step's weights into the trained model where the recipe keeps the best; says what was kept."""
    last_step, best = trainer.state.global_step, trainer.best
    if not last_step:
        return KeptStep()
    why = _why(run, plan, trainer)
    sentence = kept_sentence(why, last_step, best)
    if early := trainer.is_patience_over and last_step < trainer.state.max_steps:
        sentence += f" The run ended early, after {best.since_best} evaluations that were no better."
    if why is not KeptBecause.BEST:
        epoch = round(float(trainer.state.epoch or 0), 4)
        return KeptStep(step=last_step, epoch=epoch, why=why, ended_early=early, sentence=sentence)
    return KeptStep(
        step=best.step,
        epoch=round(best.epoch, 4),
        why=why,
        measure=best.measure,
        value=best.values.get(best.measure),
        evaluations=best.evaluations,
        ended_early=early,
        sentence=sentence,
    )


def _why(run: Run, plan: Plan, trainer: VideoTrainer) -> KeptBecause:
    """The reason for what is kept; the weights of the best step are loaded."""
    best: BestEvaluation = trainer.best
    if plan.recipe.eval.keep is Keep.LAST:
        return KeptBecause.LAST
    if not best.step:
        return KeptBecause.NO_EVALUATION
    if best.step != trainer.state.global_step:
        path = checkpoint_of_step(best.step, run.folder / CHECKPOINTS, map(Path, run.spec.checkpoints))
        if path is None:
            return KeptBecause.BEST_IS_GONE
        trainer.load_weights(path)
    return KeptBecause.BEST
