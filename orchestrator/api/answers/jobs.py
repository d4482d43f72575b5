"""Answers about jobs and the queue that hold more than the rows of the services."""

from collections.abc import Iterable
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, Field

from orchestrator.api.schema.shapes import StringId
from orchestrator.domain.recipe_augment import Augmentation
from orchestrator.domain.recipe_data import Data, Machine
from orchestrator.domain.recipe_eval import Evaluation
from orchestrator.domain.recipe_optim import Optim
from orchestrator.domain.recipe_qlora import Qlora, TrainingType
from orchestrator.services.training.compare import Comparison
from orchestrator.services.training.rows import Preflight
from orchestrator.services.training.sweeps import SweepRow


@dataclass(frozen=True, slots=True)
class RecipeProblem:
    """Why a job cannot be launched, and the field that would have to change."""

    field: str
    """dataset_id, model_id or a field of the recipe, such as qlora.r."""
    message: str


def recipe_problems(pairs: Iterable[tuple[str, str]]) -> list[RecipeProblem]:
    """The answer for (field, sentence) pairs."""
    return [RecipeProblem(field, message) for field, message in pairs]


@dataclass(frozen=True, slots=True, kw_only=True)
class PreflightAnswer(Preflight):
    """The plan of a launch, or the problems that prevent it."""

    problems: list[RecipeProblem]  # pyright: ignore[reportIncompatibleVariableOverride]


@dataclass(frozen=True, slots=True)
class UnreadableRecipe:
    """A recipe that nothing can be estimated of."""

    ok: bool
    problems: list[RecipeProblem]


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparisonAnswer(Comparison):
    """Jobs side by side."""

    curves: dict[str, list[list[float]]]
    """[[step, value], ...] by the id of the job."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoppedSweep(SweepRow):
    """A sweep after its jobs were asked to stop."""

    stopped: int
    """How many were."""


class ClonedJob(BaseModel):
    """The body of a new job like another one; the parts of the recipe as they were stored."""

    model_config = ConfigDict(extra="allow")

    dataset_id: StringId
    model_id: StringId
    dataset_version: int = Field(default=1, description="The newest version; left out where another dataset is named.")
    training_type: TrainingType = TrainingType.FINETUNE
    qlora: Qlora = Qlora()
    optim: Optim = Optim()
    data: Data = Data()
    eval: Evaluation = Evaluation()
    augment: Augmentation = Augmentation()
    machine: Machine = Machine()
    output_name: str
    notes: list[str] = Field(description="In what the new job will differ from this one.")
