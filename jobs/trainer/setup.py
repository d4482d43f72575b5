"""Prepares a run: checks its clips, loads its model with adapters, writes the first line of the log."""

import time
from collections import Counter
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, assert_never

from jobs.families.checkpointing import drop_gradients_of_inputs, enable_checkpointing
from jobs.families.protocol import Base, Family, Items, Plan
from jobs.families.registry import read_base, resolve
from jobs.runs.spec import TrainSpec
from jobs.sinks.recorder import Recorder
from jobs.trainer.batches import drops_lone_clip
from jobs.trainer.clips import clip_file
from jobs.trainer.continuing import class_names_of
from jobs.trainer.cpu_linear import speed_up_linear_layers
from jobs.trainer.device_settings import emulates_bf16, use_liger
from jobs.trainer.distributed import local_device
from jobs.trainer.learned_texts import RunAnnotations, check_texts, labels_in, read_annotations, training_texts
from jobs.trainer.lora import add_adapters
from jobs.trainer.split import Split, split_clips
from jobs.trainer.stopping import StopSignal
from orchestrator.domain.continuing import class_changes
from orchestrator.domain.errors import Invalid
from orchestrator.domain.families import takes_question as reads_words
from orchestrator.domain.recipe_augment import flip_warning
from orchestrator.domain.recipe_data import NO_TOKENS
from orchestrator.domain.recipe_methods import option_problems
from orchestrator.domain.recipe_optim import NO_WORDS, Precision
from orchestrator.domain.recipes import Recipe, parse_recipe
from orchestrator.domain.run_summary import views_sentence
from orchestrator.domain.tasks import TASKS, Annotation, ProblemType

_HELD_OUT = 3
"""Clips of the validation split that are named in the contract of an adapter."""


@dataclass(frozen=True, slots=True)
class Run:
    """One attempt: what stays the same when its memory runs out and its training starts again."""

    spec: TrainSpec
    recorder: Recorder
    stop: StopSignal
    family: Family
    plan: Plan
    splits: Split
    began_at: float
    """Of `time.monotonic`."""

    @property
    def folder(self) -> Path:
        return Path(self.spec.folder)

    def is_tight(self, recipe: Recipe) -> bool:
        """True once the memory ran out: `recipe` has smaller micro-batches, or parts of them, than at the launch."""
        now, asked = recipe.optim, self.plan.recipe.optim
        return now.batch_size < asked.batch_size or now.chunk_size != asked.chunk_size


def plan_run(spec: TrainSpec) -> tuple[Family, Split, Plan, RunAnnotations]:
    """The family of the base, the split of the clips, the plan of the run, and what is written about its clips.

    Nothing is loaded yet.

    Raises:
        AppError: a sentence for the job's page.
    """
    recipe = parse_recipe(spec.recipe)
    base = read_base(Path(spec.model_path))
    family = resolve(base)
    family.check(base, recipe, spec.task)
    if refused := option_problems(recipe, str(base.config.get("model_type")), spec.task):
        raise Invalid(refused[0][1], refused[0][0], refused)
    if recipe.optim.neftune_alpha is not None and not reads_words(str(base.config.get("model_type"))):
        raise Invalid(NO_WORDS, "optim.neftune_alpha")
    if recipe.data.group_by_length and not reads_words(str(base.config.get("model_type"))):
        raise Invalid(NO_TOKENS, "data.group_by_length")
    splits = split_clips(spec.clips, recipe.data.validation_share, recipe.optim.seed)
    annotations = read_annotations(splits)
    return family, splits, build_plan(spec, recipe, base, splits, annotations), annotations


def prepare_run(spec: TrainSpec, recorder: Recorder, stop: StopSignal) -> Run:
    """Checks recipe, base and clips, and records what people should know before the first step.

    Raises:
        AppError: a sentence for the job's page.
    """
    began_at = time.monotonic()
    family, splits, plan, annotations = plan_run(spec)
    for warning in check_clips(spec, plan, annotations):
        recorder.note(warning, "clips")
    for kind, sentence in _method_notes(family, plan, len(splits.train)).items():
        recorder.note(sentence, kind)
    if plan.continued is not None:
        for sentence in _continued(spec, plan, plan.continued):
            recorder.note(sentence, "adapter")
    if plan.recipe.optim.precision is Precision.BF16 and emulates_bf16(plan.device):
        text = "This GPU has no bf16 of its own (it is older than Ampere), so steps take longer. Choose fp16."
        recorder.note(text, "device")
    if warnings := family.caption_warnings(plan, annotations.captions, annotations.conversations):
        recorder.note(" ".join(warnings), "captions")
    return Run(spec, recorder, stop, family, plan, splits, began_at)


def _method_notes(family: Family, plan: Plan, training_clips: int) -> dict[str, str]:
    """What a person should know of the recipe's options, by the kind of the note."""
    recipe, notes = plan.recipe, dict[str, str]()
    if drops_lone_clip(family, recipe, training_clips):
        notes["batches"] = "The last batch of an epoch would have one clip, with nothing to compare: it is left out."
    if recipe.augment.flip and (warning := flip_warning(plan.class_names)):
        notes["flip"] = warning
    if views := views_sentence(recipe.eval.views):
        notes["views"] = views
    return notes


def _continued(spec: TrainSpec, plan: Plan, folder: Path) -> list[str]:
    """What a run takes over from the adapter that it continues from."""
    qlora, classes = plan.recipe.qlora, class_names_of(folder)
    kept = f"Continues from {spec.adapter_name}: rank {qlora.r}, alpha {qlora.alpha} and its layers are kept."
    return [kept, *(class_changes(classes, plan.class_names) if classes and plan.class_names else [])]


def build_plan(spec: TrainSpec, recipe: Recipe, base: Base, splits: Split, annotations: RunAnnotations) -> Plan:
    """The run's plan, on the GPU where there is one."""
    captions, question, system = training_texts(spec, annotations)
    held_out = Counter(labels_in(annotations.validation))
    return Plan(
        base=base,
        recipe=recipe,
        task=spec.task,
        class_names=tuple(spec.class_names),
        problem_type=ProblemType(spec.problem_type),
        held_out_counts=tuple(held_out[name] for name in spec.class_names),
        captions=captions,
        question=question,
        system=system,
        device=local_device(),
        continued=Path(spec.adapter_folder) if spec.adapter_folder else None,
        revision=spec.model_revision,
        held_out=tuple(map(clip_file, islice(splits.validation, _HELD_OUT))),
    )


def check_clips(spec: TrainSpec, plan: Plan, annotations: RunAnnotations) -> list[str]:
    """Checks that each clip has what the task learns from; returns warnings.

    Raises:
        Invalid: the sentence names the clip.
    """
    annotation = TASKS[plan.task].annotation
    match annotation:
        case Annotation.LABEL:
            return [] if plan.is_pretraining else _check_classes(plan, annotations)
        case Annotation.CAPTION:
            return check_texts(spec, annotations)
        case _:
            assert_never(annotation)


def _check_classes(plan: Plan, annotations: RunAnnotations) -> list[str]:
    if len(plan.class_names) < 2:
        raise Invalid("This dataset has fewer than two classes. Sort its clips into classes first.")
    training, validation = set(labels_in(annotations.training)), set(labels_in(annotations.validation))
    missing = sorted((training | validation) - set(plan.class_names))
    if missing:
        raise Invalid(
            f"A clip carries the class '{missing[0]}', which the dataset does not list. Save its clips again."
        )
    unseen = sorted(validation - training)
    if not unseen:
        return []
    names = ", ".join(f"'{name}'" for name in unseen[:3]) + (f" and {len(unseen) - 3} more" if len(unseen) > 3 else "")
    return [f"No clip to learn from shows {names}: those held-out clips can only be called wrong. Move some to train."]


def load_with_adapters(family: Family, plan: Plan, checkpointing: bool = False, tight: bool = False) -> Any:
    """The loaded model with LoRA where the recipe wants it.

    Args:
        checkpointing: activations are recomputed instead of stored.
        tight: the memory ran out before, so nothing is stored that can be recomputed.
    """
    model = _with_adapters(family, plan, checkpointing)
    if plan.device == "cpu":
        speed_up_linear_layers(model, keeps=not (tight or checkpointing))
    return model


def _with_adapters(family: Family, plan: Plan, checkpointing: bool) -> Any:
    model, recipe = family.load(plan), plan.recipe
    if checkpointing:
        enable_checkpointing(model)
    if plan.is_pretraining or not recipe.qlora.enabled:
        return model
    for parameter in model.parameters():
        parameter.requires_grad = False
    adapted = add_adapters(family, plan, model)
    drop_gradients_of_inputs(model)
    return adapted


def apply_liger_kernels(family: Family, plan: Plan, model: Any, training: Items) -> None:
    """Applies Liger's kernels where the recipe asks for them.

    Raises:
        Invalid: they cannot run here, or not with this base.
    """
    if use_liger(plan.recipe, plan.device):
        from jobs.trainer.liger import apply_and_check

        count = min(plan.recipe.optim.batch_size, len(training))
        apply_and_check(plan, model, family.collate(plan), [training[index] for index in range(count)])


def start_message(spec: TrainSpec, plan: Plan, splits: Split, model: Any) -> str:
    """The first line of the job's log."""
    trainable = sum(p.numel() for p in model.parameters() if p.requires_grad)
    return (
        f"{spec.model_name} on {plan.device}{', NF4' if plan.four_bit else ''}: {trainable:,} trainable parameters, "
        f"{len(splits.train)} clips to learn from, {len(splits.validation)} held out."
    )
