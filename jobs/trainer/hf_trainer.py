"""The transformers Trainer with atomic checkpoints, evaluation by the model family, and less work at each step."""

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from transformers import PrinterCallback, Trainer, TrainerState, TrainingArguments
from transformers.trainer import TRAINER_STATE_NAME

from jobs.families.class_loss import ClassLoss
from jobs.families.protocol import Items, RawOutput, Score
from jobs.families.views import average_views
from jobs.trainer.announced_batches import announce_batches
from jobs.trainer.batches import BalancedSampler, leave_out_lone_clip
from jobs.trainer.callbacks import Diverged
from jobs.trainer.checkpoints import (
    commit_checkpoint,
    is_evaluation_pending,
    mark_evaluation,
    prune_checkpoints,
    read_best_evaluation,
    write_best_evaluation,
)
from jobs.trainer.clips import ClipDataset
from jobs.trainer.device_settings import device_arguments
from jobs.trainer.distributed import is_main_process, preserve_rng, wait_for_all, world_size
from jobs.trainer.learning_rates import set_learning_rates
from jobs.trainer.length_groups import LengthGroups
from jobs.trainer.loss_weighting import LossWeights
from jobs.trainer.stopping import StopSignal
from orchestrator.domain.exported_step import BestEvaluation
from orchestrator.domain.job_files import CHECKPOINT_PREFIX
from orchestrator.domain.live_records import Stage
from orchestrator.domain.metric_definitions import Metric
from orchestrator.domain.recipe_eval import Keep
from orchestrator.domain.recipe_optim import Scheduler
from orchestrator.domain.recipes import Recipe
from orchestrator.domain.tasks import METRICS

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
    decode_threads: int = 0,
) -> Any:
    """The recipe as arguments of the Trainer; `steps`: the run's optimizer steps; `tight`: the memory ran out before.

    Args:
        decodes: clips come as frames, not as features.
        decode_threads: as `TrainSpec.decode_threads`.
    """
    optim = recipe.optim
    return TrainingArguments(
        output_dir=str(folder),
        per_device_train_batch_size=optim.batch_size,
        per_device_eval_batch_size=max(optim.batch_size, 16) if reads_logits and not tight else optim.batch_size,
        gradient_accumulation_steps=optim.gradient_accumulation,
        num_train_epochs=optim.epochs,
        max_steps=optim.max_steps or -1,
        learning_rate=optim.learning_rate,
        weight_decay=optim.weight_decay,
        max_grad_norm=optim.max_grad_norm,
        warmup_steps=round(optim.warmup_ratio * steps),
        neftune_noise_alpha=optim.neftune_alpha,
        lr_scheduler_type=_SCHEDULES[optim.scheduler],
        seed=optim.seed,
        data_seed=optim.seed,
        logging_steps=1,
        logging_nan_inf_filter=False,
        eval_strategy=("steps" if recipe.eval.every else "epoch") if evaluates else "no",
        eval_steps=recipe.eval.every or None,
        save_strategy="epoch",
        save_total_limit=None,
        label_names=["labels"] if reads_logits else [],
        prediction_loss_only=not reads_logits,
        remove_unused_columns=False,
        **device_arguments(recipe, device, decodes, decode_threads),
        report_to=[],
        disable_tqdm=True,
    )


class VideoTrainer(Trainer):
    """Renames each checkpoint to its name when it is complete; `evaluate_family` scores each evaluation."""

    def __init__(
        self,
        *args: Any,
        evaluate_family: Callable[[Any, Items, RawOutput, bool], Score],
        headline: Metric,
        recipe: Recipe,
        class_loss: ClassLoss | None = None,
        lengths: Sequence[int] = (),
        sampler: BalancedSampler | None = None,
        drops_lone_clip: bool = False,
        stop: StopSignal | None = None,
        prunes: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self._prunes, self._headline, self._keep, self._optim = prunes, headline, recipe.eval, recipe.optim
        self._class_loss = class_loss
        """Replaces the model's own loss in training; None: it is trained by its own."""
        self._sampler = sampler
        """Chooses the clips of an epoch; None: each once, in a random order."""
        self._drops_lone_clip = drops_lone_clip
        self.best = BestEvaluation()
        """The best evaluation so far."""
        self._lengths = lengths
        """Tokens of each training clip, by which they are grouped into batches; empty: in random order."""
        self._evaluate_family = evaluate_family
        self._judged: Any = self.eval_dataset
        """The clips of the evaluation that goes on."""
        self._stop = stop or StopSignal()
        self._saved_step = self._evaluated_step = -1
        self._evaluation_due = False
        """The checkpoint that is written next comes before an evaluation."""
        self.final = False
        """True for the final evaluation, of what is exported."""
        self.score = Score()
        """The result of the latest evaluation."""
        self.remove_callback(PrinterCallback)
        # Otherwise the Trainer does not divide the loss of an accumulated batch for models that take **kwargs.
        self.model_accepts_loss_kwargs = False
        self._loss_weights = LossWeights()
        self._part_folder: Path | None = None
        self._trainable: list[Any] = []
        if world_size() == 1:
            model: Any = self.model
            self._trainable = [p for p in model.parameters() if p.requires_grad]
            _skip_module_walks(model, self._trainable)

    def get_train_dataloader(self) -> Any:
        """The loader of the epochs, whose clips are decoded ahead where no loader processes do."""
        loader = super().get_train_dataloader()
        if self._drops_lone_clip:
            leave_out_lone_clip(loader)
        if isinstance(self.train_dataset, ClipDataset) and not self.args.dataloader_num_workers:
            announce_batches(loader, self.train_dataset.announce)
        return loader

    def _get_train_sampler(self, train_dataset: Any = None) -> Any:
        if self._sampler is not None:
            return self._sampler
        if not self._lengths:
            return super()._get_train_sampler(train_dataset)
        clips_per_step = self._optim.batch_size * self._optim.gradient_accumulation
        return LengthGroups(self._lengths, clips_per_step, self._optim.seed)

    def create_optimizer(self, model: Any = None) -> Any:
        """The Trainer's optimizer, with the rates of the recipe."""
        known = self.optimizer
        optimizer = super().create_optimizer(model)
        if known is None:
            set_learning_rates(optimizer, self.model if model is None else model, self._optim)
        return optimizer

    def get_batch_samples(self, epoch_iterator: Any, num_batches: int, device: Any) -> Any:
        """Counts the labels of all batches of a step, by which each loss is weighted."""
        batches, count = super().get_batch_samples(epoch_iterator, num_batches, device)
        self._loss_weights.of(batches)
        return batches, count

    def compute_loss(self, model: Any, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        """The batch's loss, weighted so that the step's loss is the mean over all its labels."""
        if self._class_loss is not None and model.training:
            known = {name: value for name, value in inputs.items() if name != "labels"}
            loss = self._class_loss(model(**known).logits, inputs["labels"])
        else:
            loss = super().compute_loss(model, inputs, *args, **kwargs)
        if not model.training or isinstance(loss, tuple):
            return loss
        return self._loss_weights.weigh(loss, inputs)

    def resume_from(self, checkpoint: Path) -> None:
        """Prepares `train` to go on from a checkpoint, with the evaluation that is missing there."""
        pending = is_evaluation_pending(checkpoint) and self.eval_dataset is not None
        self.args.eval_on_start = pending
        self._saved_step = _load_state(checkpoint).global_step
        self._evaluated_step = -1 if pending else self._saved_step
        self.best = read_best_evaluation(checkpoint)

    def restore(self, checkpoint: Path) -> None:
        """Loads weights and progress of the checkpoint after the last step, and evaluates it where that is missing."""
        self.resume_from(checkpoint)
        self._load_from_checkpoint(str(checkpoint))
        self.state = _load_state(checkpoint)
        if self.args.eval_on_start:
            self.args.eval_on_start = False
            self.evaluate()

    def load_weights(self, checkpoint: Path) -> None:
        """Loads the weights of a checkpoint and nothing else of it."""
        self._load_from_checkpoint(str(checkpoint))

    def has_ended_early(self, checkpoint: Path) -> bool:
        """True where the recipe's patience was over at the checkpoint, which is then loaded, and evaluated if due."""
        if not self._keep.patience:
            return False
        self.restore(checkpoint)
        return self.is_patience_over

    @property
    def is_patience_over(self) -> bool:
        """True once as many evaluations in a row as the recipe allows were no better than the best."""
        return 0 < self._keep.patience <= self.best.since_best

    def progress(self) -> tuple[int, int, float]:
        """Step, steps of the whole run, epoch."""
        return self.state.global_step, self.state.max_steps, float(self.state.epoch or 0)

    def evaluate(self, *args: Any, **kwargs: Any) -> dict[str, float]:
        """Leaves the random states as they were: the dropout of the steps that follow must not depend on it."""
        self._stop.enter(Stage.EVALUATION, *self.progress())
        self._judged = self.eval_dataset
        with preserve_rng():
            metrics = super().evaluate(*args, **kwargs)
        self._evaluated_step = self.state.global_step
        self.best = self.best.after(
            self.state.global_step, float(self.state.epoch or 0), _metrics_of(metrics), self._headline
        )
        if self.is_patience_over:
            self.control.should_training_stop = True
        if is_main_process():
            self._note_best(self._checkpoint_folder())
            mark_evaluation(self._checkpoint_folder(), pending=False)
        self._stop.enter(Stage.TRAINING, *self.progress())
        return metrics

    def _maybe_log_save_evaluate(self, *args: Any, **kwargs: Any) -> None:
        """Saves before it evaluates, unlike the Trainer: what was trained must outlive a stop in the evaluation."""
        evaluates = self.control.should_evaluate and self._evaluated_step != self.state.global_step
        if self._stop.stopping:  # due, but left to the attempt that goes on
            evaluates = self._evaluated_step != self.state.global_step and self._is_evaluation_due()
        elif evaluates and self._keep.every:
            self.control.should_save = True
        self.control.should_evaluate, self._evaluation_due = False, evaluates
        super()._maybe_log_save_evaluate(*args, **kwargs)
        self._evaluation_due = False
        if evaluates and not self._stop.stopping:
            self.control.should_save, self.control.should_evaluate = False, True
            super()._maybe_log_save_evaluate(*args, **kwargs)

    def _is_evaluation_due(self) -> bool:
        if self.eval_dataset is None:
            return False
        if self.state.global_step >= self.state.max_steps:
            return True
        if self._keep.every:
            return self.state.global_step % self._keep.every == 0
        epoch = float(self.state.epoch or 0)
        return math.isclose(epoch, round(epoch), abs_tol=1e-6)

    def _note_best(self, checkpoint: Path) -> None:
        """Where the recipe goes by it: a checkpoint of another run holds no such note."""
        if self._keep.keep is Keep.BEST or self._keep.patience:
            write_best_evaluation(checkpoint, self.best)

    def _checkpoint_folder(self) -> Path:
        return Path(self.args.output_dir or ".") / f"{CHECKPOINT_PREFIX}{self.state.global_step}"

    def predict(self, test_dataset: Any, *args: Any, **kwargs: Any) -> Any:
        """Evaluates other clips than those of the evaluations during the run."""
        self._judged = test_dataset
        return super().predict(test_dataset, *args, **kwargs)

    def evaluation_loop(
        self, dataloader: Any, description: str, prediction_loss_only: bool | None = None, *args: Any, **kwargs: Any
    ) -> Any:
        """Adds the family's metrics to the Trainer's loss."""
        import torch

        # The Trainer gathers no logits where it has no `compute_metrics`; ours are for `evaluate_family`.
        output = super().evaluation_loop(dataloader, description, self.args.prediction_loss_only, *args, **kwargs)
        labels = None if output.label_ids is None else np.asarray(output.label_ids)
        with torch.no_grad():
            self.score = self._evaluate_family(
                self.model, self._judged, RawOutput(output.predictions, labels), self.final
            )
        assert output.metrics is not None
        output.metrics.update(self.score.values)
        return output

    def _get_output_dir(self, trial: Any) -> str:
        return str(self._part_folder) if self._part_folder else super()._get_output_dir(trial)

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
        self._part_folder = folder / ".part"
        try:
            super()._save_checkpoint(model, trial)
            wait_for_all()  # each process writes its own part of it
            if is_main_process():
                part = self._part_folder / final.name
                mark_evaluation(part, pending=self._evaluation_due)
                self._note_best(part)
                commit_checkpoint(part, final)
        finally:
            self._part_folder = None
        self._saved_step = step
        if is_main_process() and self._prunes:
            prune_checkpoints(folder)
        wait_for_all()

    def _check_weights(self) -> None:
        """A step with a finite loss may have made weights infinite: the checkpoint before it must stay."""
        import torch

        model: Any = self.model
        if not all(bool(torch.isfinite(p).all()) for p in model.parameters() if p.requires_grad):
            raise Diverged(self.state.global_step, self.args.learning_rate)

    def floating_point_ops(self, inputs: Any) -> int:
        """0: it is not used, and the Trainer would count all parameters of the model at each step."""
        return 0

    def _clip_grad_norm(self, model: Any) -> Any:
        """Clips the trainable parameters only: visiting the whole model takes longer than the clipping."""
        if not self._trainable:
            return super()._clip_grad_norm(model)
        import torch

        return torch.nn.utils.clip_grad_norm_(self._trainable, self.args.max_grad_norm)

    def prediction_step(self, model: Any, inputs: Any, prediction_loss_only: bool, ignore_keys: Any = None) -> Any:
        import torch

        if self._keep.views > 1 and not self.args.prediction_loss_only:
            inputs = self._prepare_inputs(inputs)
            with torch.no_grad(), self.compute_loss_context_manager():
                loss, logits = average_views(model, inputs, multi_label=inputs["labels"].ndim > 1)
            return loss, logits, inputs["labels"]
        # Models return their loss in many ways, and the Trainer looks for `labels` only.
        if not self.args.prediction_loss_only:
            return super().prediction_step(model, inputs, prediction_loss_only, ignore_keys)
        with torch.no_grad():
            loss = self.compute_loss(model, self._prepare_inputs(inputs))
        return loss.detach(), None, None


def _metrics_of(metrics: dict[str, float]) -> dict[str, float]:
    """The loss and the family's metrics, without what the Trainer measures of itself."""
    return {name: float(value) for name, value in metrics.items() if name in ("eval_loss", *METRICS)}


def has_all_steps(checkpoint: Path) -> bool:
    """True for the checkpoint after the run's last step."""
    state = _load_state(checkpoint)
    return 0 < state.max_steps <= state.global_step


def _load_state(checkpoint: Path) -> TrainerState:
    return TrainerState.load_from_json(str(checkpoint / TRAINER_STATE_NAME))


def _skip_module_walks(model: Any, trainable: list[Any]) -> None:
    """Replaces methods that the Trainer calls at each step and that would visit all modules each time."""
    set_mode = model.train

    def train(mode: bool = True) -> Any:
        return model if model.training is mode else set_mode(mode)

    def zero_grad(set_to_none: bool = True) -> None:
        for parameter in trainable:
            parameter.grad = None

    model.train, model.zero_grad = train, zero_grad
    if hasattr(model, "create_or_update_model_card"):
        model.create_or_update_model_card = lambda output_dir: None  # the export writes a card of its own
