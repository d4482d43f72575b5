"""Sentences about a stopped attempt: where the stop came, and which steps are saved."""

from orchestrator.domain.live_records import Stage

_DURING = {
    Stage.LOADING: "while the base model was loading",
    Stage.FEATURES: "while the vision features were computed",
    Stage.BASELINE: "while the untouched base was evaluated",
    Stage.TRAINING: "in the middle of a step",
    Stage.EVALUATION: "during an evaluation",
    Stage.FINAL_EVALUATION: "during the final evaluation",
    Stage.EXPORT: "while the files were written",
}
_WORK = {
    Stage.LOADING: "Loading the base model",
    Stage.FEATURES: "Computing the vision features",
    Stage.BASELINE: "The evaluation of the untouched base",
    Stage.TRAINING: "The step",
    Stage.EVALUATION: "The evaluation",
    Stage.FINAL_EVALUATION: "The final evaluation",
    Stage.EXPORT: "Writing the files",
}


def stopped_sentence(stage: Stage, saved_step: int, total_steps: int) -> str:
    """For an attempt that ended by itself after it was asked to stop.

    Args:
        stage: what it did when it heard the request.
        saved_step: the step of the newest checkpoint; 0 without one.
    """
    if stage is Stage.TRAINING and saved_step:
        if 0 < total_steps <= saved_step:
            return f"Stopped after the last step. {_saved(saved_step, total_steps)}"
        of_total = f" of {total_steps:,}" if total_steps else ""
        return f"Stopped after step {saved_step:,}{of_total}, which is saved."
    where = "before the first step" if stage is Stage.TRAINING else _DURING[stage]
    return f"Stopped {where}. {_saved(saved_step, total_steps)}"


def forced_sentence(stage: Stage, saved_step: int, total_steps: int) -> str:
    """For an attempt that was killed because it did not end in time."""
    return f"Stopped by force {_DURING[stage]}. {_saved(saved_step, total_steps)}"


def overdue_sentence(stage: Stage, grace_s: float) -> str:
    """Why an attempt is killed."""
    return f"{_WORK[stage]} did not end within {grace_s:.0f} s: ended by force."


def _saved(step: int, total: int) -> str:
    if not step:
        return "There is no checkpoint yet: a resumed job starts over."
    if 0 < total <= step:
        return f"All {total:,} steps are saved: a resumed job only evaluates them and writes its files."
    return f"The checkpoint at step {step:,} stays."
