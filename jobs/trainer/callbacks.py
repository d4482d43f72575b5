"""Callbacks of the Trainer: they record its metrics, stop it when asked, and end a run whose loss is not finite."""

import math
import time
from collections.abc import Callable, Sequence
from typing import Any

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from jobs.sinks.recorder import Recorder
from jobs.trainer.clips import ClipDataset
from jobs.trainer.distributed import rng_states, set_rng_states
from jobs.trainer.stopping import StopSignal
from orchestrator.domain.errors import Invalid
from orchestrator.domain.live_records import Stage
from orchestrator.domain.metric_definitions import figure, inside_sentence
from orchestrator.domain.run_summary import Prediction
from orchestrator.domain.tasks import METRICS

_TRAIN = ("loss", "learning_rate", "grad_norm")
_EVAL = ("eval_loss", *METRICS)
CHECKPOINT_INTERVAL_S = 600.0
"""Seconds of training that a crash may cost at most, where writing is quick."""
_SAVE_COST_RATIO = 20.0
"""Saving may take a twentieth of the training time at most."""


class Diverged(Invalid):
    """The loss became NaN or infinite."""

    def __init__(self, step: int, rate: float) -> None:
        """`rate`: the learning rate of the recipe, which a person can change, not the momentary one of the schedule."""
        super().__init__(
            f"The loss was no longer a number at step {step}. The learning rate {rate:g} is probably too high: "
            "try a tenth of it."
        )


class SetEpoch(TrainerCallback):
    """Sets the epoch of the run's clips.

    accelerate's loader does so as well, but not in the first epoch after a resume within it: its wrapper that skips
    batches has no access to the dataset.
    """

    def __init__(self, clips: ClipDataset) -> None:
        self._clips = clips

    def on_epoch_begin(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        self._clips.set_epoch(math.floor((state.epoch or 0) + 1e-6))


class StepClock(TrainerCallback):
    """`best`: seconds of the quickest step; the first one includes what is done once."""

    def __init__(self) -> None:
        self._began_at, self.best = 0.0, math.inf

    def on_step_begin(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        self._began_at = time.monotonic()

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        self.best = min(self.best, time.monotonic() - self._began_at)


class TimedCheckpoint(TrainerCallback):
    """Saves checkpoints within an epoch as well: a long epoch must not be lost.

    `any_rank` is True on all ranks when one of them asks: all of them save, or none.
    """

    def __init__(self, any_rank: Callable[[bool], bool]) -> None:
        self._any_rank, self._clock = any_rank, time.monotonic
        self._saved_at, self._asked_at, self._interval = self._clock(), 0.0, CHECKPOINT_INTERVAL_S

    def on_train_begin(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        self._saved_at = self._clock()

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        if self._any_rank(self._clock() - self._saved_at >= self._interval):
            self._asked_at = self._clock()
            control.should_save = True

    def on_save(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        self._saved_at = self._clock()
        if self._asked_at:  # a checkpoint of a full model has many gigabytes
            self._interval, self._asked_at = (
                max(CHECKPOINT_INTERVAL_S, _SAVE_COST_RATIO * (self._saved_at - self._asked_at)),
                0.0,
            )


class StopCallback(TrainerCallback):
    """Ends the training when the run was asked to stop: after a step, within an accumulated one, in an evaluation."""

    def __init__(self, stop: StopSignal) -> None:
        self._stop = stop
        self._rng_states: list[Any] = []

    def on_train_begin(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        self._stop.enter(Stage.TRAINING, state.global_step, state.max_steps, float(state.epoch or 0))

    def on_step_begin(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        if args.gradient_accumulation_steps > 1:
            self._rng_states = rng_states()

    def on_substep_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        """Leaves a step whose batches are not all done; the random states are again those of its beginning."""
        if self._stop.requested():
            set_rng_states(self._rng_states)
            control.should_training_stop = True

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        if self._stop.requested():
            control.should_training_stop = True
            control.should_save = True
            control.should_evaluate = False

    def on_prediction_step(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        self._stop.check()


class Reporter(TrainerCallback):
    """Records the Trainer's metrics."""

    def __init__(self, recorder: Recorder, clips_per_step: int) -> None:
        self._recorder, self._clips_per_step = recorder, clips_per_step
        self._step_began_at = 0.0
        self._clips_per_s = 0.0
        self.samples: Callable[[], Sequence[Prediction]] = tuple
        """Returns what the latest evaluation predicted for some clips."""

    def on_step_begin(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        self._step_began_at = time.monotonic()

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        self._clips_per_s = self._clips_per_step / max(1e-6, time.monotonic() - self._step_began_at)

    def on_log(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, logs: Any = None, **_: Any
    ) -> None:
        logs = logs or {}
        step, total, epoch = state.global_step, state.max_steps, float(state.epoch or 0)
        if "loss" in logs:
            if not math.isfinite(logs["loss"]) or not math.isfinite(logs.get("grad_norm") or 0.0):
                raise Diverged(step, args.learning_rate)
            values = {name: float(logs[name]) for name in _TRAIN if logs.get(name) is not None}
            self._recorder.metric(step, total, epoch, values | {"samples_per_s": round(self._clips_per_s, 2)})
        elif "eval_loss" in logs:
            values = {name: float(logs[name]) for name in _EVAL if name in logs}
            self._recorder.metric(step, total, epoch, values, phase="eval")
            self._recorder.log(_evaluation_line(step, total, epoch, values))
            if rows := self.samples():
                self._recorder.samples(step, epoch, rows)


def _evaluation_line(step: int, total: int, epoch: float, values: dict[str, float]) -> str:
    parts = [f"Epoch {epoch:.0f}, step {step} of {total}: validation loss {values['eval_loss']:.4f}"]
    parts += [f"{inside_sentence(m.label)} {figure(m, values[name])}" for name, m in METRICS.items() if name in values]
    return ", ".join(parts) + "."
