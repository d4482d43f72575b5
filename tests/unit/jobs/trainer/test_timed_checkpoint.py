"""A long epoch is not lost as a whole: checkpoints come after a time, seldom where they are dear."""

from typing import Any

from transformers import TrainerControl, TrainerState, TrainingArguments

from jobs.trainer.callbacks import CHECKPOINT_INTERVAL_S, TimedCheckpoint


def test_it_asks_after_a_time_and_seldom_where_writing_takes_long() -> None:
    now = [0.0]
    keeper = TimedCheckpoint(lambda wish: wish)
    keeper._clock = lambda: now[0]
    how: Any = object.__new__(TrainingArguments)
    keeper.on_train_begin(how, TrainerState(), TrainerControl())

    def asks(at: float) -> bool:
        now[0], control = at, TrainerControl()
        keeper.on_step_end(how, TrainerState(), control)
        return control.should_save

    def saved_steps(at: float) -> None:
        now[0] = at
        keeper.on_save(how, TrainerState(), TrainerControl())

    assert not asks(CHECKPOINT_INTERVAL_S - 1)
    assert asks(CHECKPOINT_INTERVAL_S)
    saved_steps(CHECKPOINT_INTERVAL_S + 60)  # a minute to write: the next one in twenty
    assert not asks(CHECKPOINT_INTERVAL_S + 60 + 1199)
    assert asks(CHECKPOINT_INTERVAL_S + 60 + 1200)
    saved_steps(2000)
    saved_steps(2500)  # an epoch ended: its own checkpoint counts
    assert not asks(2500 + CHECKPOINT_INTERVAL_S - 1)
    assert asks(2500 + 3000)


def test_all_ranks_save_when_one_asks() -> None:
    control = TrainerControl()
    TimedCheckpoint(lambda wish: True).on_step_end(object.__new__(TrainingArguments), TrainerState(), control)
    assert control.should_save
