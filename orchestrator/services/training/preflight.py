"""What a launch would do, and each reason against it, said beside the field that would mend it; changes nothing."""

from sqlmodel import Session, col, select

from orchestrator.domain.datasets import Dataset, DatasetStatus
from orchestrator.domain.families import LIGER_FAMILIES
from orchestrator.domain.machines import ANY, GPU, shape_of
from orchestrator.domain.models import ModelStatus, VideoModel
from orchestrator.domain.recipes import ALONE, Recipe
from orchestrator.domain.tasks import TASK_OF_MODEL, TASKS
from orchestrator.domain.training_jobs import JobStatus, TrainingJob
from orchestrator.domain.users import Actor
from orchestrator.services.models.rows import layer_groups
from orchestrator.services.training.capacity import open_boxes
from orchestrator.services.training.estimate import estimate
from orchestrator.services.training.recipe_limits import advice, fit_problems, kernel_problems, sight_problems
from orchestrator.services.training.rehearsal_lookup import newest
from orchestrator.services.training.rows import Preflight
from orchestrator.services.training.split_counts import count_split
from orchestrator.services.workers import largest_device_memory

Problem = tuple[str, str]
_WORDS = {
    DatasetStatus.DRAFT: "This dataset has no clips yet. Upload some first.",
    DatasetStatus.PROCESSING: "This dataset is still being read. It can be used as soon as it is ready.",
    DatasetStatus.ERROR: "This dataset could not be read. Open it to see why, or choose another.",
}


def preflight(session: Session, actor: Actor, dataset_id: int, model_id: int, recipe: Recipe) -> Preflight:
    """The plan of a run; `problems` is empty when it can be launched."""
    dataset, problems = _dataset(session, actor, dataset_id)
    model, model_problems = _model(session, actor, model_id)
    problems += model_problems
    if model and not model_problems:
        problems += _targets(model, recipe) + sight_problems(model, recipe)
    if dataset and model and not problems:
        problems += _match(dataset, model) + _alone(model, recipe)
    if not dataset or not model:
        return Preflight(ok=False, problems=problems)
    split = count_split(session, dataset_id, recipe.data.validation_share)
    if not problems:
        problems += _enough(dataset, split.train)
    gpu = _on_gpu(session, recipe)
    if not problems:
        problems += kernel_problems(model, recipe, gpu)
    measured = newest(session, actor, dataset_id, model, recipe)
    speed = _earlier_speed(session, actor, model)
    facts = estimate(model, recipe, split.train, speed, held_clips=split.validation, gpu=gpu, measured=measured)
    exact = bool(measured and measured.exact)
    room = largest_device_memory(session, gpu)
    guessed = [] if problems or exact else fit_problems(recipe, facts.memory_bytes, room)
    return Preflight(
        ok=not problems and not guessed,
        problems=[*problems, *guessed],
        guesses=tuple(field for field, _ in guessed),
        advice=[] if problems else advice(model, recipe, gpu),
        trainable_parameters=facts.trainable_parameters,
        total_parameters=facts.total_parameters,
        steps=facts.steps,
        memory_bytes=facts.memory_bytes,
        seconds=facts.seconds,
        adapter_bytes=facts.adapter_bytes,
        train_clips=split.train,
        validation_clips=split.validation,
        task=TASK_OF_MODEL[model.model_type].key.value,
        visual_tokens=facts.visual_tokens,
        context=facts.context,
        vision_frozen=bool((model.details or {}).get("sight")) and recipe.qlora.enabled and not recipe.qlora.vision,
        has_eye=bool((model.details or {}).get("sight")),
        has_liger=gpu and model.family in LIGER_FAMILIES,
        measured=exact,
        rehearsed=measured.result if measured and exact else {},
        device_memory=room,
    )


def recipe_problems(model: VideoModel, recipe: Recipe) -> list[Problem]:
    """What of a recipe this base cannot take, whatever the clips and the device: asked for each job of a sweep."""
    return [*_targets(model, recipe), *sight_problems(model, recipe), *_alone(model, recipe)]


def _on_gpu(session: Session, recipe: Recipe) -> bool:
    """Where the run will land, as far as the workers that answer now tell."""
    need = recipe.machine.need
    return need.kind == GPU or (need.kind == ANY and any(shape_of(box).kind == GPU for box in open_boxes(session)))


def _earlier_speed(session: Session, actor: Actor, model: VideoModel) -> float:
    """Clips a second of the actor's last completed run on this base; 0.0 before the first."""
    own = (TrainingJob.owner_id == actor.user_id, TrainingJob.model_id == model.id)
    done = select(TrainingJob.summary).where(*own, TrainingJob.status == JobStatus.COMPLETED)
    summary = session.exec(done.order_by(col(TrainingJob.id).desc()).limit(1)).first() or {}
    return float(summary.get("samples_per_s") or 0.0)


def _dataset(session: Session, actor: Actor, dataset_id: int) -> tuple[Dataset | None, list[Problem]]:
    dataset = session.get(Dataset, dataset_id)
    if dataset is None or dataset.owner_id != actor.user_id:
        return None, [("dataset_id", "This dataset is not there any more. Choose another one.")]
    if dataset.status is not DatasetStatus.READY:
        return dataset, [("dataset_id", _WORDS[dataset.status])]
    return dataset, []


def _model(session: Session, actor: Actor, model_id: int) -> tuple[VideoModel | None, list[Problem]]:
    model = session.get(VideoModel, model_id)
    if model is None or model.owner_id not in (None, actor.user_id):
        return None, [("model_id", "This model is not there any more. Choose another one.")]
    if model.status is not ModelStatus.READY:
        why = f" {model.error}" if model.error else ""
        return model, [("model_id", f"This model is not ready.{why} Choose another one.")]
    return model, []


def _match(dataset: Dataset, model: VideoModel) -> list[Problem]:
    task = TASKS[dataset.task]
    if model.model_type not in task.fits:
        kind = TASK_OF_MODEL[model.model_type].key.value
        return [("model_id", f"{model.name} is made for {kind}, and {dataset.name} for {task.key.value}.")]
    if not dataset.clip_count:
        return [("dataset_id", "None of its clips says anything to learn from yet. Write it on the dataset's page.")]
    if task.has_classes and len(dataset.class_names) < 2:
        return [("dataset_id", f"{task.title} needs at least two classes, and this dataset has fewer.")]
    return []


def _targets(model: VideoModel, recipe: Recipe) -> list[Problem]:
    known = [str(group["suffix"]) for group in layer_groups(model)]
    unknown = [name for name in recipe.qlora.target_modules if name not in known]
    if not known or not unknown or not recipe.qlora.enabled:
        return []
    return [("qlora.target_modules", f"{model.name} has no layer {', '.join(unknown)}. It has: {', '.join(known)}.")]


def _alone(model: VideoModel, recipe: Recipe) -> list[Problem]:
    contrastive = TASK_OF_MODEL[model.model_type].contrastive
    return [("optim.batch_size", ALONE)] if contrastive and recipe.optim.batch_size < 2 else []


def _enough(dataset: Dataset, train_clips: int) -> list[Problem]:
    if train_clips < 2:
        return [("dataset_id", f"{dataset.name} leaves {train_clips} clips to learn from. Add more clips.")]
    return []
