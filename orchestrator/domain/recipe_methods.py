"""Which options of a recipe its base and task can have: what the preflight refuses, and the trainer, too."""

from orchestrator.domain.families import FAMILIES
from orchestrator.domain.recipe_eval import ONE_VIEW
from orchestrator.domain.recipe_optim import BALANCED_TWICE, CHUNK_ALONE, FP16_ADAPTERS, Precision
from orchestrator.domain.recipe_qlora import TrainingType
from orchestrator.domain.recipes import Recipe
from orchestrator.domain.tasks import task_spec


def option_problems(recipe: Recipe, family: str, task: str) -> list[tuple[str, str]]:
    """The fields that this base or task cannot have, each with its sentence.

    Args:
        family: `model_type` of the base's config.json.
        task: what the base is trained for.
    """
    row, optim = task_spec(task), recipe.optim
    has_classes = row.has_classes and recipe.training_type is TrainingType.FINETUNE
    is_video_llm = family in FAMILIES and FAMILIES[family].vision is not None
    found = recipe.augment.problems(
        has_classes=has_classes,
        batch_size=optim.batch_size,
        own_sampling=is_video_llm,
        cached_features=is_video_llm and recipe.qlora.enabled and not recipe.qlora.vision,
    )
    if optim.balanced_sampling and optim.class_weights:
        found.append(("optim.balanced_sampling", BALANCED_TWICE))
    if optim.chunk_size is not None and not row.contrastive:
        found.append(("optim.chunk_size", CHUNK_ALONE))
    if optim.precision is Precision.FP16 and is_video_llm and not recipe.qlora.enabled:
        found.append(("optim.precision", FP16_ADAPTERS))
    if recipe.eval.views > 1 and not has_classes:
        found.append(("eval.views", ONE_VIEW))
    return found
