"""The parts of a recipe about its input and its worker: which frames a model gets, and which hardware may train."""

from enum import StrEnum
from typing import Annotated, Any, Self

from pydantic import Field, ValidationInfo, field_validator, model_validator

from orchestrator.domain.machines import GPU, Shape
from orchestrator.domain.recipe_fields import FieldSpec, Format, Group, RecipePart, Section


class MachineKind(StrEnum):
    """any: a GPU where a worker has one, else a processor."""

    ANY = "any"
    CPU = "cpu"
    GPU = "gpu"


class FrameShape(StrEnum):
    """How frames are prepared for a video language model whose own processor may prepare them.

    kept: by the base's own processor, which samples by time, and keeps the shape of a clip where the base takes any.
    square: resized to a square, at times that are not told; every run before version 0.2 did this.
    """

    KEPT = "kept"
    SQUARE = "square"


_AS_THE_BASE = "Leave empty for the model default."
NO_TOKENS = "Only clips of a video language model take different numbers of tokens. Switch this off for this base."
"""The error of `group_by_length` with another base."""
_ON_A_GPU = ("machine.kind", MachineKind.GPU.value)


class Data(RecipePart):
    """Which frames the model sees. None: what the base was made for."""

    frames: Annotated[
        int | None,
        Field(ge=1, le=256),
        FieldSpec(
            "Frames",
            "Frames must be a whole number from 1 to 256.",
            Section.ADVANCED,
            460,
            hint=_AS_THE_BASE,
            review_default=False,
            group=Group.FRAMES,
        ),
    ] = None
    """Frames of a clip that the model sees; empty: as the base was made."""
    fps: Annotated[
        float | None,
        Field(gt=0.0, le=240.0),
        FieldSpec(
            "Frames per second",
            "Frames per second must be a number above 0 and at most 240.",
            Section.ADVANCED,
            480,
            hint="empty: as the base was made, or spread over the clip",
            review_default=False,
            group=Group.FRAMES,
        ),
    ] = None
    """Frames taken of each second; empty: as the base's own processor does, or spread over the whole clip."""
    min_frames: Annotated[
        int | None,
        Field(ge=2, le=768),
        FieldSpec(
            "Frames, at least",
            "The least number of frames must be a whole number from 2 to 768.",
            Section.ADVANCED,
            481,
            hint="of a short clip; only where frames follow the clip's length",
            review_default=False,
            group=Group.FRAMES,
        ),
    ] = None
    """The least frames of a clip where their number follows its length; a clip with fewer gives all it has."""
    max_frames: Annotated[
        int | None,
        Field(ge=2, le=768),
        FieldSpec(
            "Frames, at most",
            "The largest number of frames must be a whole number from 2 to 768, and not below the least.",
            Section.ADVANCED,
            482,
            hint="of a long clip; usual: 32",
            review_default=False,
            group=Group.FRAMES,
        ),
    ] = None
    """The most frames of a clip where their number follows its length: those of a longer clip are further apart."""
    frame_tokens: Annotated[
        int | None,
        Field(ge=4, le=16384),
        FieldSpec(
            "Tokens of a frame, at most",
            "Tokens of a frame must be a whole number from 4 to 16384.",
            Section.ADVANCED,
            483,
            hint="a larger frame is made smaller and keeps its shape; usual: 256",
            review_default=False,
            group=Group.FRAMES,
        ),
    ] = None
    """Tokens that a frame may take in the context, or two frames that the base joins, with the shape kept."""
    frame_shape: Annotated[
        FrameShape,
        FieldSpec(
            "Frame shape",
            "The frame shape must be kept or square.",
            Section.ADVANCED,
            484,
            hint="of video language models that take any shape",
            review_default=False,
            choices=(("kept", "As in the clip"), ("square", "A square")),
            group=Group.FRAMES,
        ),
    ] = FrameShape.KEPT
    """kept: as in the clip, prepared by the base's own processor where this is supported; square: as before 0.2."""
    size: Annotated[
        int | None,
        Field(ge=16, le=1024),
        FieldSpec(
            "Frame size",
            "Frame size must be a whole number of pixels from 16 to 1024.",
            Section.ADVANCED,
            470,
            hint=_AS_THE_BASE,
            unit="px",
            review_default=False,
            group=Group.FRAMES,
        ),
    ] = None
    """Edge of a frame in pixels; empty: as the base was made."""
    group_by_length: Annotated[
        bool,
        FieldSpec(
            "Group clips of like length",
            "Grouping clips by length is either on or off.",
            Section.ADVANCED,
            486,
            hint="for clips of very different sizes or lengths: the clips of a batch take about as many tokens",
            title="Group by length",
            review_label="Batches",
            review_text="clips of like length",
            review_default=False,
            group=Group.FRAMES,
        ),
    ] = False
    """Clips of a batch take about as many tokens, so that little of it is padding; for video language models."""
    validation_share: Annotated[
        float,
        Field(ge=0.05, le=0.5),
        FieldSpec(
            "Validation share",
            "The validation share must be between 0.05 and 0.5.",
            Section.ADVANCED,
            450,
            hint="of each class, usual: 0.2",
            format=Format.PERCENT,
            group=Group.EVALUATION,
        ),
    ] = 0.2
    """The share of each class for validation, where the dataset has no split of its own."""

    @field_validator("max_frames")
    @classmethod
    def _most_is_not_below_least(cls, value: int | None, info: ValidationInfo) -> int | None:
        if value is not None and value < (info.data.get("min_frames") or 0):
            raise ValueError("below the least number of frames")
        return value


class Machine(RecipePart):
    """Which worker may train it."""

    kind: Annotated[
        MachineKind,
        FieldSpec(
            "Machine",
            "The machine must be any, cpu or gpu.",
            Section.ADVANCED,
            510,
            hint="any: a GPU first",
            choices=(("any", "Any"), ("cpu", "A processor"), ("gpu", "A GPU")),
            format=Format.HIDDEN,
            group=Group.MACHINE,
        ),
    ] = MachineKind.ANY
    """any: a GPU where a worker has one, else a processor."""
    memory_gb: Annotated[
        int | None,
        Field(ge=1, le=10_000),
        FieldSpec(
            "GPU memory, at least",
            "GPU memory must be a whole number of GB from 1 to 10000, or empty.",
            Section.ADVANCED,
            520,
            unit="GB",
            title="GPU memory, GB",
            only_with=_ON_A_GPU,
            format=Format.HIDDEN,
            group=Group.MACHINE,
        ),
    ] = None
    """The least memory of each GPU, in GB as manufacturers state it."""
    gpus: Annotated[
        int,
        Field(ge=1, le=64),
        FieldSpec(
            "GPUs",
            "The number of GPUs must be a whole number from 1 to 64; all of them are in one host.",
            Section.ADVANCED,
            530,
            hint="of one host; a step sees as many batches",
            only_with=_ON_A_GPU,
            format=Format.HIDDEN,
            group=Group.MACHINE,
        ),
    ] = 1
    """GPUs of one host, each with a copy of the model; one step then sees that many batches."""

    @field_validator("memory_gb", mode="before")
    @classmethod
    def _empty(cls, value: Any) -> Any:
        return None if isinstance(value, str) and not value.strip() else value

    @model_validator(mode="after")
    def _only_of_gpus(self) -> Self:
        if self.kind is MachineKind.ANY and (self.gpus > 1 or self.memory_gb):
            return self.model_copy(update={"kind": MachineKind.GPU})
        if self.kind is MachineKind.CPU and (self.gpus > 1 or self.memory_gb):
            return self.model_copy(update={"gpus": 1, "memory_gb": None})
        return self

    @property
    def need(self) -> Shape:
        """The same as a shape."""
        return Shape(GPU, self.memory_gb or 0, self.gpus) if self.kind is MachineKind.GPU else Shape(self.kind.value)
