"""What a training run is asked to do: the recipe, checked field by field, frozen when the job is launched."""

import re
from collections.abc import Mapping
from typing import Annotated, Any, Self

from pydantic import Field, ValidationError, field_validator, model_validator

from orchestrator.domain.errors import Invalid
from orchestrator.domain.numbers import LARGEST_ID
from orchestrator.domain.recipe_augment import Augmentation
from orchestrator.domain.recipe_data import Data, FrameShape, Machine
from orchestrator.domain.recipe_eval import Evaluation
from orchestrator.domain.recipe_fields import FieldSpec, RecipeField, RecipePart, Section, fields_of
from orchestrator.domain.recipe_names import unknown_parameter
from orchestrator.domain.recipe_optim import Optim, Optimizer
from orchestrator.domain.recipe_qlora import Qlora, TrainingType

OUTPUT_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")


class Recipe(RecipePart):
    """Everything a run is asked to do, except which dataset and which model."""

    training_type: Annotated[
        TrainingType,
        FieldSpec(
            "Training type",
            "The training type must be finetune or pretrain.",
            Section.TRAINING_TYPE,
            100,
            choices=(("finetune", "Fine-tuning"), ("pretrain", "Pre-training")),
        ),
    ] = TrainingType.FINETUNE
    """finetune: adapters or all weights on labels or captions; pretrain: continued training of the whole base."""
    adapter: Annotated[
        int | None,
        Field(ge=1),
        FieldSpec(
            "Continue from",
            "An adapter to continue from must be named by its id, a whole number from 1, or left empty.",
            Section.TRAINING_TYPE,
            110,
            only_with=("training_type", TrainingType.FINETUNE.value),
            review_default=False,
        ),
    ] = None
    """The adapter version whose weights the run begins with; empty: new ones. It must be of the same base and owner."""
    qlora: Qlora = Qlora()
    optim: Optim = Optim()
    data: Data = Data()
    eval: Evaluation = Evaluation()
    augment: Augmentation = Augmentation()
    machine: Machine = Machine()
    output_name: Annotated[
        str,
        FieldSpec(
            "Adapter name",
            "Use lower-case letters, digits, dot, dash or underscore, at most 64, e.g. my-run-1.",
            Section.OUTPUT,
            800,
            hint="Used for the adapter's folder and file name.",
        ),
    ] = "adapter"
    """The name of the adapter: jobs of one name make versions of one adapter."""

    def uses_8bit_optimizer(self, on_gpu: bool) -> bool:
        """True where the optimizer keeps its moments in 8 bits (Dettmers et al. 2022).

        They take a quarter of the memory. Chosen for adapters on a GPU unless the recipe says otherwise; all weights of
        a base are trained with 32-bit moments, since embeddings are known to suffer in 8 bits.
        """
        asked = self.optim.optimizer
        return asked is Optimizer.ADAMW_8BIT or (asked is Optimizer.AUTO and on_gpu and self.qlora.enabled)

    @field_validator("adapter")
    @classmethod
    def _adapter(cls, value: int | None) -> int | None:
        if value is not None and value > LARGEST_ID:
            raise ValueError("not an id")
        return value

    @field_validator("output_name")
    @classmethod
    def _output_name(cls, value: str) -> str:
        if not OUTPUT_NAME.fullmatch(value):
            raise ValueError("not a file name")
        return value

    @model_validator(mode="after")
    def _pretraining_has_no_adapter(self) -> Self:
        if self.training_type is TrainingType.PRETRAIN and self.qlora.enabled:
            return self.model_copy(update={"qlora": self.qlora.model_copy(update={"enabled": False})})
        return self


FIELDS: Mapping[str, RecipeField] = fields_of(Recipe)
"""Every field by its dotted name, in the order of the page."""


LIGER_MISSING = {
    "family": "Liger has no kernels for this base. Switch Liger kernels off.",
    "gpu": "Liger kernels run on a GPU only. Switch them off, or ask for a GPU under Machine.",
    "package": "Liger kernels are not installed on the worker. Run pip install liger-kernel there, or switch them off.",
}
"""The errors of the switch where it cannot be on."""

ALONE = "A retriever learns to distinguish the clips of a batch. Enter a batch size of at least 2; 16 or more is usual."
"""The error of a batch size of 1 for a contrastive task."""


def leaves_lone_clip(clips: int, batch_size: int) -> bool:
    """Whether the last batch of an epoch has one clip, and is not the only one."""
    return clips > batch_size > 1 and clips % batch_size == 1


def smaller_batch(batch: int, accumulation: int) -> tuple[int, int] | None:
    """The next smaller batch with which an optimizer step still sees exactly as many clips; None for a single clip.

    Returns:
        Batch size and accumulation: (8, 1) becomes (4, 2), (9, 1) becomes (3, 3), (5, 2) becomes (1, 10).
    """
    part = next((number for number in range(2, batch + 1) if batch % number == 0), None)
    return (batch // part, accumulation * part) if part else None


def parse_recipe(raw: dict[str, Any]) -> Recipe:
    """Builds a recipe from text or JSON values.

    Raises:
        Invalid: with `problems` naming each bad field as "qlora.r" and its sentence.
    """
    try:
        return Recipe.model_validate(raw)
    except ValidationError as error:
        problems: list[tuple[str, str]] = []
        for item in error.errors():
            field = _field_of([str(part) for part in item["loc"] if not isinstance(part, int)])
            text = FIELDS[field].spec.sentence if field in FIELDS else _structure_sentence(field, item["type"])
            if (field, text) not in problems:
                problems.append((field, text))
        raise Invalid(problems[0][1], problems[0][0], problems) from error


def _field_of(place: list[str]) -> str:
    """The field at or around the place of an error; a place that is in no field, or in none at all, names itself."""
    names = (".".join(place[:count]) for count in range(len(place), 0, -1))
    return next((name for name in names if name in FIELDS), ".".join(place) or "recipe")


def stored_recipe(raw: Mapping[str, Any]) -> dict[str, Any]:
    """The recipe of a job or adapter as it was launched: before there were frame shapes, frames were made square."""
    data = dict(raw.get("data") or {})
    return {**raw, "data": {"frame_shape": FrameShape.SQUARE.value} | data}


def _structure_sentence(name: str, kind: str) -> str:
    """What is wrong where a recipe has something else than its fields."""
    if kind == "extra_forbidden":
        return unknown_parameter(name, FIELDS)
    return f"{name} must be an object that holds parameters by their names."
