"""The answers of the playground as the OpenAPI document describes them; a worker writes them (jobs/playground)."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from orchestrator.api.schema.shapes import StringId
from orchestrator.domain.json_schemas import OneOf
from orchestrator.domain.tasks import ProblemType, Task


class Named(BaseModel):
    """A model or an adapter."""

    id: StringId
    name: str


class AskedClip(BaseModel):
    """The clip that the question was about."""

    id: StringId | None
    name: str
    reference: str = Field(description="Its classes, with commas, or its captions; empty where it has none.")
    labels: list[str] = Field(default=[], description="Its classes.")


class Likelihood(BaseModel):
    """How likely a class is."""

    label: str
    probability: float = Field(ge=0, le=1)


class SearchedClip(BaseModel):
    """A clip that a search found."""

    clip_id: StringId
    name: str
    caption: str
    score: float


class GivenAnswer(BaseModel):
    """What one model answered: a text, the likeliest classes, or the clips that it found."""

    model_config = ConfigDict(extra="allow")

    who: Literal["adapter", "base"]
    ms: float
    labels: list[Likelihood] = Field(default=[])
    classes: int = Field(default=0, description="How many classes it knows.")
    problem_type: Annotated[str, OneOf(ProblemType)] = Field(
        default=ProblemType.SINGLE_LABEL.value,
        description="Whether the probabilities of all classes add up to 1, or each class has a score of its own and is "
        "predicted from 0.5.",
    )
    text: str = ""
    clips: list[SearchedClip] = Field(default=[])
    looked_at: int = Field(default=0, description="How many clips the model saw for this search for the first time.")


class InferAnswer(BaseModel):
    """The answers to a question, with what they were given for."""

    model_config = ConfigDict(extra="allow")

    task: Annotated[str, OneOf(Task)]
    model: Named
    adapter: Named | None
    clip: AskedClip | None
    load_ms: float = Field(description="0 where the model was loaded already.")
    ms: float
    device: str
    answers: list[GivenAnswer]
    frames: int = Field(description="How many frames of the clip the model sees.")
    size: list[int] = Field(default=[], description="Height and width of a frame.")
    searched: int = Field(default=0, description="How many clips were searched.")
    left_out: int = Field(default=0, description="How many clips could not be read.")
