"""The part of a recipe about evaluation: when a run is evaluated, and which of its steps is exported."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from orchestrator.domain.recipe_fields import FieldSpec, Group, RecipePart, Section


class Keep(StrEnum):
    """best: the step of the best evaluation is exported; last: the last step."""

    BEST = "best"
    LAST = "last"


ONE_VIEW = "Only the scores of classes are averaged over views of a clip. Set it to 1 for this base."
"""The error of several views where the run has no classes."""


class Evaluation(RecipePart):
    """How a run is judged on the validation clips, and which of its steps becomes the result."""

    keep: Annotated[
        Keep,
        FieldSpec(
            "Exported step",
            "The exported step must be best or last.",
            Section.ADVANCED,
            452,
            hint="best: by the task's first measure, then by the validation loss",
            choices=(("best", "The best evaluation"), ("last", "The last")),
            title="Exported step",
            review_default=False,
            group=Group.EVALUATION,
        ),
    ] = Keep.BEST
    """best: the step whose evaluation was the best by the task's headline measure, else by the validation loss."""
    patience: Annotated[
        int,
        Field(ge=0, le=1000),
        FieldSpec(
            "Patience",
            "Patience must be a whole number of evaluations from 0 to 1000; 0 never ends a run early.",
            Section.ADVANCED,
            454,
            hint="evaluations without a better one that end the run; 0: off",
            title="Patience",
            review_default=False,
            group=Group.EVALUATION,
        ),
    ] = 0
    """The run ends after this many evaluations in a row that were no better than the best; 0: it never ends early."""
    every: Annotated[
        int,
        Field(ge=0, le=1_000_000),
        FieldSpec(
            "Evaluate every",
            "Evaluate every must be a whole number of steps from 0 to 1000000; 0 evaluates after each epoch.",
            Section.ADVANCED,
            456,
            hint="0: after each epoch",
            unit="steps",
            title="Steps between evaluations",
            review_default=False,
            group=Group.EVALUATION,
        ),
    ] = 0
    """Optimizer steps between two evaluations, each with a checkpoint; 0: after each epoch."""
    clips: Annotated[
        int | None,
        Field(ge=1, le=1_000_000),
        FieldSpec(
            "Clips judged on the way",
            "Clips judged on the way must be a whole number from 1 to 1000000, or empty.",
            Section.ADVANCED,
            458,
            hint="in the baseline and after each epoch; empty: all. The end judges all of them",
            unit="clips",
            review_default=False,
            group=Group.EVALUATION,
        ),
    ] = 200
    """Validation clips of the baseline and of the evaluations during the run, evenly spread; all of them at the end."""
    views: Annotated[
        int,
        Field(ge=1, le=16),
        FieldSpec(
            "Views of a clip",
            "Views of a clip must be a whole number from 1 to 16.",
            Section.ADVANCED,
            457,
            hint="samples of its frames whose scores are averaged; 1: as the adapter is used",
            unit="views",
            review_default=False,
            group=Group.EVALUATION,
        ),
    ] = 1
    """Each evaluation averages a classifier's scores over so many samples of other frames of a clip."""
    baseline: Annotated[
        bool,
        FieldSpec(
            "Judge the untouched base first",
            "Judging the untouched base is either on or off.",
            Section.ADVANCED,
            459,
            hint="Off saves the time before the first step; results are then compared with nothing.",
            title="Baseline",
            review_label="Baseline",
            review_text="measured",
            review_default=False,
            group=Group.EVALUATION,
        ),
    ] = True
    """The untouched base is judged before the first step. Chance, where a head is new, is always said."""
