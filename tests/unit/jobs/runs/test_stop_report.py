"""What a stopped job says is true: where it was stopped, and what is saved."""

import pytest

from jobs.runs.stop_report import forced_sentence, overdue_sentence, stopped_sentence
from orchestrator.domain.live_records import Stage

EMPTY = "There is no checkpoint yet: a resumed job starts over."
FINISHED = "All 60 steps are saved: a resumed job only evaluates them and writes its files."


@pytest.mark.parametrize(
    ("stage", "saved", "sentence"),
    [
        (Stage.LOADING, 0, f"Stopped while the base model was loading. {EMPTY}"),
        (Stage.LOADING, 12, "Stopped while the base model was loading. The checkpoint at step 12 stays."),
        (Stage.TRAINING, 0, f"Stopped before the first step. {EMPTY}"),
        (Stage.TRAINING, 12, "Stopped after step 12 of 60, which is saved."),
        (Stage.TRAINING, 60, f"Stopped after the last step. {FINISHED}"),
        (Stage.EVALUATION, 20, "Stopped during an evaluation. The checkpoint at step 20 stays."),
        (Stage.FINAL_EVALUATION, 60, f"Stopped during the final evaluation. {FINISHED}"),
        (Stage.EXPORT, 60, f"Stopped while the files were written. {FINISHED}"),
    ],
)
def test_it_says_where_and_what_is_saved(stage: Stage, saved: int, sentence: str) -> None:
    assert stopped_sentence(stage, saved, 60) == sentence


def test_a_forced_stop_promises_no_checkpoint_that_is_not_there() -> None:
    assert forced_sentence(Stage.TRAINING, 0, 60) == f"Stopped by force in the middle of a step. {EMPTY}"
    assert forced_sentence(Stage.EVALUATION, 20, 60).endswith("evaluation. The checkpoint at step 20 stays.")


@pytest.mark.parametrize("stage", list(Stage))
def test_only_a_step_that_was_running_did_not_end(stage: Stage) -> None:
    assert overdue_sentence(stage, 20).startswith("The step did not end") == (stage is Stage.TRAINING)
