"""Checks a launch without doing it: its plan, and each problem with the form field that would solve it."""

from collections.abc import Sequence

from sqlmodel import Session, col, select

from orchestrator.domain.datasets import Dataset, DatasetStatus
from orchestrator.domain.families import LIGER_FAMILIES
from orchestrator.domain.machines import ANY, GPU, parse_shape
from orchestrator.domain.models import ModelStatus, VideoModel
from orchestrator.domain.recipe_optim import ONE_LABEL_ONLY
from orchestrator.domain.recipe_qlora import TrainingType
from orchestrator.domain.recipes import ALONE, Recipe
from orchestrator.domain.tasks import TASK_OF_MODEL, TASKS, ProblemType
from orchestrator.domain.training_jobs import JobStatus, TrainingJob
from orchestrator.domain.users import Actor
from orchestrator.domain.vision_budget import ClipShape
from orchestrator.services.models.rows import layer_groups, vision_layout
from orchestrator.services.training.annotation_counts import annotations_advice, count_annotations
from orchestrator.services.training.capacity import open_pools
from orchestrator.services.training.clip_shapes import largest_clip, shape_groups, short_clip_problems
from orchestrator.services.training.continuing import continued
from orchestrator.services.training.estimate import estimate
from orchestrator.services.training.question_limits import question_problems
from orchestrator.services.training.recipe_limits import (
    Problem,
    advice,
    cache_advice,
    context_problems,
    fit_problems,
    flip_advice,
    kernel_problems,
    method_problems,
    vision_problems,
)
from orchestrator.services.training.rehearsal_lookup import find_measurement
from orchestrator.services.training.rows import Preflight
from orchestrator.services.training.split_counts import SplitCounts, count_split
from orchestrator.services.workers import largest_device_memory
from orchestrator.settings import get_settings

_NOT_READY = {
    DatasetStatus.DRAFT: "This dataset has no clips yet. Upload some first.",
    DatasetStatus.PROCESSING: "This dataset is still being read. It can be used as soon as it is ready.",
    DatasetStatus.ERROR: "This dataset could not be read. Open it to see why, or choose another.",
}

_MOST_SHAPES = 50
"""Sizes of frames that are listed."""


def preflight(
    session: Session, actor: Actor, dataset_id: int, model_id: int, recipe: Recipe, dataset_version: int = 0
) -> Preflight:
    """The plan of a run with estimates of its steps, memory and time; `problems` is empty when it can be launched.

    Args:
        dataset_version: the version to learn from; 0 for the newest.
    """
    dataset, problems = _dataset(session, actor, dataset_id)
    problems += _unknown_version(dataset, dataset_version) if dataset else []
    model, model_problems = _model(session, actor, model_id)
    problems += model_problems
    source = continued(session, actor, recipe, model, dataset)
    recipe = source.recipe
    problems += source.problems
    if model and not model_problems:
        problems += _unknown_targets(model, recipe) + vision_problems(model, recipe) + method_problems(model, recipe)
    if dataset and model and not problems:
        problems += _mismatches(dataset, model) + _batch_too_small(model, recipe) + _loss_of_classes(model, recipe)
    if not dataset or not model:
        return Preflight(ok=False, problems=problems)
    older = dataset_version if 0 < dataset_version < dataset.version else 0
    split = count_split(session, dataset_id, recipe.data.validation_share, older, recipe.optim.seed)
    if not problems:
        problems += _too_few_clips(dataset, split) + question_problems(session, dataset, model, older)
    annotations = count_annotations(session, dataset_id, older)
    gpu = _on_gpu(session, recipe)
    if not problems:
        problems += kernel_problems(model, recipe, gpu)
    measured = find_measurement(session, actor, dataset_id, dataset_version or dataset.version, model, recipe)
    speed = _earlier_speed(session, actor, model)
    clip = largest_clip(session, dataset_id, model, recipe)
    if not problems:
        problems += context_problems(model, recipe, clip) + short_clip_problems(session, dataset_id, model, recipe)
    facts = estimate(
        model,
        recipe,
        split.train,
        speed,
        validation_clips=split.validation,
        gpu=gpu,
        measured=measured,
        classes=len(dataset.class_names),
        clip=clip,
    )
    shapes = shape_groups(session, dataset_id, model, recipe)
    exact = bool(measured and measured.exact)
    device_memory = largest_device_memory(session, gpu)
    estimated = (
        []
        if problems or exact
        else fit_problems(
            recipe,
            facts.memory_bytes,
            device_memory,
            quantizes=not (vision_layout(model) or {}).get("experts"),
            contrastive=TASK_OF_MODEL[model.model_type].contrastive,
        )
    )
    return Preflight(
        ok=not problems and not estimated,
        problems=[*problems, *estimated],
        guesses=tuple(field for field, _ in estimated),
        advice=[]
        if problems
        else source.notes + _all_advice(model, recipe, split, annotations, gpu, clip, dataset.class_names),
        trainable_parameters=facts.trainable_parameters,
        total_parameters=facts.total_parameters,
        steps=facts.steps,
        memory_bytes=facts.memory_bytes,
        seconds=facts.seconds,
        adapter_bytes=facts.adapter_bytes,
        train_clips=split.train,
        validation_clips=split.validation,
        annotations=annotations,
        task=TASK_OF_MODEL[model.model_type].key.value,
        problem_type=TASK_OF_MODEL[model.model_type].problem_type(split.has_several_labels),
        visual_tokens=facts.visual_tokens,
        context=facts.context,
        counts_head=facts.counts_head,
        vision_frozen=vision_layout(model) is not None and recipe.qlora.enabled and not recipe.qlora.vision,
        has_vision_tower=vision_layout(model) is not None,
        has_liger=gpu and model.family in LIGER_FAMILIES,
        measured=exact,
        rehearsed=measured.result if measured and exact else {},
        device_memory=device_memory,
        shapes=tuple(shapes[:_MOST_SHAPES]),
        over_context=sum(group.over_context for group in shapes),
    )


def recipe_problems(model: VideoModel, recipe: Recipe) -> list[Problem]:
    """Problems of a recipe with this base that depend neither on clips nor on the device; checked for each job of a
    sweep."""
    clips = [*_batch_too_small(model, recipe), *_loss_of_classes(model, recipe)]
    base = [*_unknown_targets(model, recipe), *vision_problems(model, recipe), *method_problems(model, recipe)]
    return [*base, *clips]


def _loss_of_classes(model: VideoModel, recipe: Recipe) -> list[Problem]:
    """Options of a classifier's loss where the run has no classes."""
    classes = TASK_OF_MODEL[model.model_type].has_classes and recipe.training_type is TrainingType.FINETUNE
    return [] if classes else [(field, ONE_LABEL_ONLY) for field in recipe.optim.loss_options]


def _all_advice(
    model: VideoModel,
    recipe: Recipe,
    split: SplitCounts,
    annotations: dict[str, int],
    gpu: bool,
    clip: ClipShape | None,
    class_names: Sequence[str],
) -> list[str]:
    cache_bytes = get_settings().cache_bytes
    return [
        *_data_advice(model, recipe, split, annotations),
        *flip_advice(model, recipe, class_names),
        *cache_advice(model, recipe, split.train + split.validation, gpu, cache_bytes, clip),
        *advice(model, recipe, gpu),
    ]


def _data_advice(model: VideoModel, recipe: Recipe, split: SplitCounts, annotations: dict[str, int]) -> list[str]:
    """What several labels or texts of a clip mean for a run: several labels of one clip change the metrics for all."""
    task = TASK_OF_MODEL[model.model_type]
    problem_type = task.problem_type(split.has_several_labels)
    if problem_type is not ProblemType.MULTI_LABEL or recipe.training_type is TrainingType.PRETRAIN:
        return annotations_advice(model, annotations, split.train + split.validation)
    metric = task.headline(problem_type).label
    return [f"Some clips have several labels, so each class gets a score of its own and the run is judged by {metric}."]


def _on_gpu(session: Session, recipe: Recipe) -> bool:
    """Whether the run will use a GPU, as far as the live workers tell."""
    need = recipe.machine.need
    return need.kind == GPU or (need.kind == ANY and any(parse_shape(pool).kind == GPU for pool in open_pools(session)))


def _earlier_speed(session: Session, actor: Actor, model: VideoModel) -> float:
    """Clips per second of the actor's last completed run on this base; 0.0 before the first."""
    own = (TrainingJob.owner_id == actor.user_id, TrainingJob.model_id == model.id)
    done = select(col(TrainingJob.summary)).where(*own, TrainingJob.status == JobStatus.COMPLETED)
    summary = session.exec(done.order_by(col(TrainingJob.id).desc()).limit(1)).first()
    return summary.samples_per_s or 0.0 if summary else 0.0


def _dataset(session: Session, actor: Actor, dataset_id: int) -> tuple[Dataset | None, list[Problem]]:
    dataset = session.get(Dataset, dataset_id)
    if dataset is None or dataset.owner_id != actor.user_id:
        return None, [("dataset_id", "This dataset does not exist any more. Choose another one.")]
    if dataset.status is not DatasetStatus.READY:
        return dataset, [("dataset_id", _NOT_READY[dataset.status])]
    return dataset, []


def _model(session: Session, actor: Actor, model_id: int) -> tuple[VideoModel | None, list[Problem]]:
    model = session.get(VideoModel, model_id)
    if model is None or model.owner_id not in (None, actor.user_id):
        return None, [("model_id", "This model does not exist any more. Choose another one.")]
    if model.status is not ModelStatus.READY:
        why = f" {model.error}" if model.error else ""
        return model, [("model_id", f"This model is not ready.{why} Choose another one.")]
    return model, []


def _mismatches(dataset: Dataset, model: VideoModel) -> list[Problem]:
    task = TASKS[dataset.task]
    if model.model_type not in task.fits:
        kind = TASK_OF_MODEL[model.model_type].key.value
        return [("model_id", f"{model.name} is made for {kind}, and {dataset.name} for {task.key.value}.")]
    if not dataset.clip_count:
        return [("dataset_id", "None of its clips has a label or caption yet. Write them on the dataset's page.")]
    if task.has_classes and len(dataset.class_names) < 2:
        return [("dataset_id", f"{task.title} needs at least two classes, and this dataset has fewer.")]
    return []


def _unknown_targets(model: VideoModel, recipe: Recipe) -> list[Problem]:
    known = [str(group["suffix"]) for group in layer_groups(model)]
    unknown = [name for name in recipe.qlora.target_modules if name not in known]
    if not known or not unknown or not recipe.qlora.enabled or recipe.qlora.target_pattern:
        return []
    return [("qlora.target_modules", f"{model.name} has no layer {', '.join(unknown)}. It has: {', '.join(known)}.")]


def _batch_too_small(model: VideoModel, recipe: Recipe) -> list[Problem]:
    contrastive = TASK_OF_MODEL[model.model_type].contrastive
    return [("optim.batch_size", ALONE)] if contrastive and recipe.optim.batch_size < 2 else []


def _unknown_version(dataset: Dataset, version: int) -> list[Problem]:
    if 0 <= version <= dataset.version:
        return []
    newest = "its only version is 1" if dataset.version == 1 else f"its versions are 1 to {dataset.version}"
    return [("dataset_version", f"{dataset.name} has no version {version}; {newest}.")]


def _too_few_clips(dataset: Dataset, split: SplitCounts) -> list[Problem]:
    if split.train < 2:
        return [("dataset_id", f"{dataset.name} leaves {split.train} clips to learn from. Add more clips.")]
    if TASKS[dataset.task].has_classes and split.classes < 2:
        return [("dataset_id", f"{dataset.name} has clips of fewer than two classes in this version.")]
    return []
