"""The transformers Trainer with our habits: whole checkpoints, no chatter, an evaluation that the family judges."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from transformers import PrinterCallback, Trainer, TrainerState, TrainingArguments
from transformers.trainer import TRAINER_STATE_NAME

from jobs.families.protocol import RawOutput, Score
from jobs.trainer.callbacks import Diverged
from jobs.trainer.checkpoints import commit_checkpoint, is_evaluation_pending, mark_evaluation, prune_checkpoints
from jobs.trainer.device_settings import device_arguments
from jobs.trainer.distributed import is_main_process, preserve_rng, wait_for_all, world_size
from jobs.trainer.loss_weighting import LossWeights
from jobs.trainer.stopping import StopSignal
from orchestrator.domain.job_files import CHECKPOINT_PREFIX
from orchestrator.domain.live_records import Stage
from orchestrator.domain.recipe_optim import Scheduler
from orchestrator.domain.recipes import Recipe

_SCHEDULES = {
    Scheduler.COSINE: "cosine",
    Scheduler.LINEAR: "linear",
    Scheduler.CONSTANT: "constant_with_warmup",
}


def training_arguments(
    folder: Path,
    recipe: Recipe,
    steps: int,
    evaluates: bool,
    reads_logits: bool,
    device: str,
    tight: bool = False,
    decodes: bool = True,
) -> Any:
    """The recipe in the Trainer's words; `steps` are the run's optimizer steps; `tight`: the memory ran out before.

    Args:
        decodes: clips come as frames, not as what a frozen eye said of them.
    """
    how = recipe.optim
    return TrainingArguments(
        output_dir=str(folder),
        per_device_train_batch_size=how.batch_size,
        per_device_eval_batch_size=max(how.batch_size, 16) if reads_logits and not tight else how.batch_size,
        gradient_accumulation_steps=how.gradient_accumulation,
        num_train_epochs=how.epochs,
        max_steps=how.max_steps or -1,
        learning_rate=how.learning_rate,
        weight_decay=how.weight_decay,
        max_grad_norm=how.max_grad_norm,
        warmup_steps=round(how.warmup_ratio * steps),
        lr_scheduler_type=_SCHEDULES[how.scheduler],
        seed=how.seed,
        data_seed=how.seed,
        logging_steps=1,
        logging_nan_inf_filter=False,
        eval_strategy="epoch" if evaluates else "no",
        save_strategy="epoch",
        save_total_limit=None,
        label_names=["labels"] if reads_logits else [],
        prediction_loss_only=not reads_logits,
        remove_unused_columns=False,
        **device_arguments(recipe, device, decodes),
        report_to=[],
        disable_tqdm=True,
    )


class VideoTrainer(Trainer):
    """Saves each checkpoint aside and renames it when it is whole; `judge` scores each pass over the held-out clips."""

    def __init__(
        self,
        *args: Any,
        judge: Callable[[Any, RawOutput, bool], Score],
        stop: StopSignal | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self._judge = judge
        self._stop = stop or StopSignal()
        self._saved_step = self._evaluated_step = -1
        self._evaluation_due = False
        """The checkpoint that is written next comes before an evaluation."""
        self.final = False
        """True for the last judgement, of what is exported."""
        self.score = Score()
        """What the last evaluation said."""
        self.remove_callback(PrinterCallback)
        # Else the Trainer leaves the loss of an accumulated batch undivided for models that take **kwargs.
        self.model_accepts_loss_kwargs = False
        self._share = LossWeights()
        self._aside: Path | None = None
        self._learned: list[Any] = []
        if world_size() == 1:
            whole: Any = self.model
            self._learned = [p for p in whole.parameters() if p.requires_grad]
            _tread_lightly(whole, self._learned)

    def get_batch_samples(self, epoch_iterator: Any, num_batches: int, device: Any) -> Any:
        """Looks at all batches of a step, so that each weighs what it holds."""
        batches, count = super().get_batch_samples(epoch_iterator, num_batches, device)
        self._share.of(batches)
        return batches, count

    def compute_loss(self, model: Any, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        """The mean over what is learned from in the whole step, however it is divided: a batch's mean, weighed."""
        found = super().compute_loss(model, inputs, *args, **kwargs)
        if not model.training or isinstance(found, tuple):
            return found
        return self._share.weigh(found, inputs)

    def resume_from(self, checkpoint: Path) -> None:
        """Prepares `train` to go on from a checkpoint, with the evaluation that is missing there."""
        pending = is_evaluation_pending(checkpoint) and self.eval_dataset is not None
        self.args.eval_on_start = pending
        self._saved_step = _load_state(checkpoint).global_step
        self._evaluated_step = -1 if pending else self._saved_step

    def restore(self, checkpoint: Path) -> None:
        """Loads weights and progress of the checkpoint after the last step, and evaluates it where that is missing."""
        self.resume_from(checkpoint)
        self._load_from_checkpoint(str(checkpoint))
        self.state = _load_state(checkpoint)
        if self.args.eval_on_start:
            self.evaluate()

    def progress(self) -> tuple[int, int, float]:
        """Step, steps of the whole run, epoch."""
        return self.state.global_step, self.state.max_steps, float(self.state.epoch or 0)

    def evaluate(self, *args: Any, **kwargs: Any) -> dict[str, float]:
        """Leaves the random states as they were: the dropout of the steps that follow must not depend on it."""
        self._stop.enter(Stage.EVALUATION, *self.progress())
        with preserve_rng():
            metrics = super().evaluate(*args, **kwargs)
        self._evaluated_step = self.state.global_step
        if is_main_process():
            mark_evaluation(self._checkpoint_folder(), pending=False)
        self._stop.enter(Stage.TRAINING, *self.progress())
        return metrics

    def _maybe_log_save_evaluate(self, *args: Any, **kwargs: Any) -> None:
        """Saves before it evaluates, unlike the Trainer: what was trained must outlive a stop in the evaluation."""
        evaluates = self.control.should_evaluate and self._evaluated_step != self.state.global_step
        if self._stop.stopping:
            evaluates = evaluates and self._at_epoch_end()  # due, but left to the attempt that goes on
        self.control.should_evaluate, self._evaluation_due = False, evaluates
        super()._maybe_log_save_evaluate(*args, **kwargs)
        self._evaluation_due = False
        if evaluates and not self._stop.stopping:
            self.control.should_save, self.control.should_evaluate = False, True
            super()._maybe_log_save_evaluate(*args, **kwargs)

    def _at_epoch_end(self) -> bool:
        epoch = float(self.state.epoch or 0)
        return self.state.global_step >= self.state.max_steps or math.isclose(epoch, round(epoch), abs_tol=1e-6)

    def _checkpoint_folder(self) -> Path:
        return Path(self.args.output_dir or ".") / f"{CHECKPOINT_PREFIX}{self.state.global_step}"

    def evaluation_loop(
        self, dataloader: Any, description: str, prediction_loss_only: bool | None = None, *args: Any, **kwargs: Any
    ) -> Any:
        """Adds the family's own measures to the Trainer's loss."""
        import torch

        # The Trainer gathers no logits where it has no `compute_metrics`; ours are for `judge`.
        output = super().evaluation_loop(dataloader, description, self.args.prediction_loss_only, *args, **kwargs)
        labels = None if output.label_ids is None else np.asarray(output.label_ids)
        with torch.no_grad():
            self.score = self._judge(self.model, RawOutput(output.predictions, labels), self.final)
        assert output.metrics is not None
        output.metrics.update(self.score.values)
        return output

    def _get_output_dir(self, trial: Any) -> str:
        return str(self._aside) if self._aside else super()._get_output_dir(trial)

    def _save_checkpoint(self, model: Any, trial: Any) -> None:
        step, final = self.state.global_step, self._checkpoint_folder()
        if step == 0:
            return
        if step == self._saved_step:  # a stop, or the end of an epoch, right after a checkpoint
            if self._evaluation_due and is_main_process():
                mark_evaluation(final, pending=True)
            return
        self._check_weights()
        folder = final.parent
        self._aside = folder / ".part"
        try:
            super()._save_checkpoint(model, trial)
            wait_for_all()  # each process writes its own part of it
            if is_main_process():
                part = self._aside / final.name
                mark_evaluation(part, pending=self._evaluation_due)
                commit_checkpoint(part, final)
        finally:
            self._aside = None
        self._saved_step = step
        if is_main_process():
            prune_checkpoints(folder)
        wait_for_all()

    def _check_weights(self) -> None:
        """A step whose loss was a number may still have broken the weights: the checkpoint before it must stay."""
        import torch

        whole: Any = self.model
        if not all(bool(torch.isfinite(p).all()) for p in whole.parameters() if p.requires_grad):
            raise Diverged(self.state.global_step, float(self._get_learning_rate()))

    def floating_point_ops(self, inputs: Any) -> int:
        """Nobody reads it, and the Trainer would count every parameter of the model at each step."""
        return 0

    def _clip_grad_norm(self, model: Any) -> Any:
        """Looks at what learns alone: walking through the whole model takes longer than the clipping."""
        if not self._learned:
            return super()._clip_grad_norm(model)
        import torch

        return torch.nn.utils.clip_grad_norm_(self._learned, self.args.max_grad_norm)

    def prediction_step(self, model: Any, inputs: Any, prediction_loss_only: bool, ignore_keys: Any = None) -> Any:
        # Models return their loss in many ways, and the Trainer would look for `labels` alone.
        if not self.args.prediction_loss_only:
            return super().prediction_step(model, inputs, prediction_loss_only, ignore_keys)
        import torch

        with torch.no_grad():
            loss = self.compute_loss(model, self._prepare_inputs(inputs))
        return loss.detach(), None, None


def has_all_steps(checkpoint: Path) -> bool:
    """True for the checkpoint after the run's last step."""
    state = _load_state(checkpoint)
    return 0 < state.max_steps <= state.global_step


def _load_state(checkpoint: Path) -> TrainerState:
    return TrainerState.load_from_json(str(checkpoint / TRAINER_STATE_NAME))


def _tread_lightly(model: Any, learned: list[Any]) -> None:
    """What the Trainer asks of the model at each step, without a walk through all its modules each time."""
    turn = model.train

    def train(mode: bool = True) -> Any:
        return model if model.training is mode else turn(mode)

    def zero_grad(set_to_none: bool = True) -> None:
        for parameter in learned:
            parameter.grad = None

    model.train, model.zero_grad = train, zero_grad
    if hasattr(model, "create_or_update_model_card"):
        model.create_or_update_model_card = lambda output_dir: None  # the export writes a card that says something
