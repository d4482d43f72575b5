"""Listens to the Trainer: sends its numbers on, stops it between steps, ends a run whose loss is no number."""

import math
import time
from collections.abc import Callable, Sequence
from typing import Any

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from jobs.sinks.recorder import Recorder
from jobs.trainer.clips import ClipDataset
from orchestrator.domain.errors import Invalid
from orchestrator.domain.metric_definitions import figure
from orchestrator.domain.run_summary import Prediction
from orchestrator.domain.tasks import METRICS

_TRAIN = ("loss", "learning_rate", "grad_norm")
_EVAL = ("eval_loss", *METRICS)
CHECKPOINT_INTERVAL_S = 600.0
"""Seconds of training that a crash may cost at most, where writing is quick."""
_SAVE_COST_RATIO = 20.0
"""Checkpoints take a twentieth of the time at most."""


class Diverged(Invalid):
    """The loss became NaN or infinite."""

    def __init__(self, step: int, rate: float) -> None:
        super().__init__(
            f"The loss was no longer a number at step {step}. The learning rate {rate:g} is probably too high: "
            "try a tenth of it."
        )


class SetEpoch(TrainerCallback):
    """Tells the run's clips which epoch begins.

    accelerate's loader tells them too, but not the first epoch after a resume in its middle: the batches that it
    skips hide the dataset from it.
    """

    def __init__(self, clips: ClipDataset) -> None:
        self._clips = clips

    def on_epoch_begin(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        self._clips.set_epoch(math.floor((state.epoch or 0) + 1e-6))


class StepClock(TrainerCallback):
    """`best`: seconds of the quickest step; the first one pays for what is made once."""

    def __init__(self) -> None:
        self._begun, self.best = 0.0, math.inf

    def on_step_begin(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        self._begun = time.monotonic()

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        self.best = min(self.best, time.monotonic() - self._begun)


class TimedCheckpoint(TrainerCallback):
    """Asks for checkpoints within an epoch, too: one that takes hours must not be lost as a whole.

    `agree` tells whether any of the run's processes wishes it: all of them save, or none.
    """

    def __init__(self, any_rank: Callable[[bool], bool]) -> None:
        self._agree, self._clock = any_rank, time.monotonic
        self._kept, self._asked, self._wait = self._clock(), 0.0, CHECKPOINT_INTERVAL_S

    def on_train_begin(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        self._kept = self._clock()

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        if self._agree(self._clock() - self._kept >= self._wait):
            self._asked = self._clock()
            control.should_save = True

    def on_save(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        self._kept = self._clock()
        if self._asked:  # of a whole base a checkpoint is many gigabytes
            self._wait, self._asked = max(CHECKPOINT_INTERVAL_S, _SAVE_COST_RATIO * (self._kept - self._asked)), 0.0


class Reporter(TrainerCallback):
    """`stopped` is True when the run ended because somebody asked."""

    def __init__(self, recorder: Recorder, should_stop: Callable[[], bool], clips_a_step: int) -> None:
        self._recorder, self._should_stop, self._clips_a_step = recorder, should_stop, clips_a_step
        self._begun = 0.0
        self._rate = 0.0
        self.stopped = False
        self.samples: Callable[[], Sequence[Prediction]] = tuple
        """What the evaluation that has just ended made of some clips."""

    def on_step_begin(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        self._begun = time.monotonic()

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        self._rate = self._clips_a_step / max(1e-6, time.monotonic() - self._begun)
        if self._should_stop():
            self.stopped = True
            control.should_training_stop = True
            control.should_save = True
            control.should_evaluate = False

    def on_log(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, logs: Any = None, **_: Any
    ) -> None:
        logs = logs or {}
        step, total, epoch = state.global_step, state.max_steps, float(state.epoch or 0)
        if "loss" in logs:
            if not math.isfinite(logs["loss"]) or not math.isfinite(logs.get("grad_norm") or 0.0):
                raise Diverged(step, float(logs.get("learning_rate", args.learning_rate)))
            values = {name: float(logs[name]) for name in _TRAIN if logs.get(name) is not None}
            self._recorder.metric(step, total, epoch, values | {"samples_per_s": round(self._rate, 2)})
        elif "eval_loss" in logs:
            values = {name: float(logs[name]) for name in _EVAL if name in logs}
            self._recorder.metric(step, total, epoch, values, phase="eval")
            self._recorder.log(_words(step, total, epoch, values))
            if rows := self.samples():
                self._recorder.samples(step, epoch, rows)


def _words(step: int, total: int, epoch: float, values: dict[str, float]) -> str:
    said = [f"Epoch {epoch:.0f}, step {step} of {total}: validation loss {values['eval_loss']:.4f}"]
    said += [f"{_inside(m.label)} {figure(m, values[name])}" for name, m in METRICS.items() if name in values]
    return ", ".join(said) + "."


def _inside(label: str) -> str:
    """A label in the middle of a sentence; ROUGE-L and R@1 stay as they are."""
    return label if label[1:2].isupper() or "@" in label else label[0].lower() + label[1:]
