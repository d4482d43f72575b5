"""What a training run is asked to do: the recipe, checked field by field, frozen when the job is launched."""

import re
from enum import StrEnum
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from orchestrator.domain.errors import Invalid
from orchestrator.domain.machines import GPU, Shape

OUTPUT_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")


class TrainingType(StrEnum):
    """finetune: QLoRA on labels; pretrain: continued training of the whole base, without labels."""

    FINETUNE = "finetune"
    PRETRAIN = "pretrain"


class Scheduler(StrEnum):
    """How the learning rate moves over the run."""

    COSINE = "cosine"
    LINEAR = "linear"
    CONSTANT = "constant"


class Optimizer(StrEnum):
    """auto: 8-bit moments for adapters on a GPU, 32-bit ones otherwise."""

    AUTO = "auto"
    ADAMW = "adamw"
    ADAMW_8BIT = "adamw_8bit"


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class Qlora(_Part):
    """Low-rank adapters on a frozen base (Hu et al. 2021), the base in 4-bit NF4 (Dettmers et al. 2023)."""

    enabled: bool = True
    """False: no adapters; all weights of the base are trained."""
    bits: Annotated[int, Field(description="4: NF4 with double quantization; 16: plain LoRA")] = 4
    r: int = Field(default=16, ge=1, le=256)
    alpha: int = Field(default=32, ge=1, le=1024)
    dropout: float = Field(default=0.05, ge=0.0, le=0.9)
    target_modules: tuple[str, ...] = ()
    """Name endings of the linear layers that get an adapter; empty: the family's default, all linear layers."""
    vision: bool = False
    """Adapters in the vision tower of a video language model, too; what it says of a clip can then not be kept."""

    @field_validator("bits")
    @classmethod
    def _bits(cls, value: int) -> int:
        if value not in (4, 16):
            raise ValueError("Choose 4 (NF4) or 16 (plain LoRA).")
        return value


class Optim(_Part):
    """How the adapters are trained. One optimizer step sees batch_size x gradient_accumulation clips."""

    learning_rate: float = Field(default=2e-3, gt=0.0, le=1.0)
    """Measured on the shipped base with the demo: 2e-3 reaches 92 to 96 % in 10 epochs, 1e-3 about 80 %."""
    batch_size: int = Field(default=16, ge=1, le=1024)
    gradient_accumulation: int = Field(default=1, ge=1, le=1024)
    epochs: int = Field(default=10, ge=1, le=1000)
    max_steps: int | None = Field(default=None, ge=1, le=10_000_000)
    warmup_ratio: float = Field(default=0.05, ge=0.0, le=0.5)
    scheduler: Scheduler = Scheduler.COSINE
    optimizer: Optimizer = Optimizer.AUTO
    liger: bool = False
    """Liger's fused kernels (Hsu et al. 2024), on a GPU, for the families that have them."""
    weight_decay: float = Field(default=0.0, ge=0.0, le=1.0)
    max_grad_norm: float = Field(default=1.0, gt=0.0, le=100.0)
    seed: int = Field(default=7, ge=0, le=2**31 - 1)


class Data(_Part):
    """Which frames the model sees. None: what the base was made for."""

    frames: int | None = Field(default=None, ge=1, le=256)
    fps: float | None = Field(default=None, gt=0.0, le=240.0)
    size: int | None = Field(default=None, ge=16, le=1024)
    validation_share: float = Field(default=0.2, ge=0.05, le=0.5)
    """Share of each class held out where the dataset brings no split of its own."""


class MachineKind(StrEnum):
    """any: a GPU where a worker has one, else a processor."""

    ANY = "any"
    CPU = "cpu"
    GPU = "gpu"


class Machine(_Part):
    """Which worker may train it."""

    kind: MachineKind = MachineKind.ANY
    memory_gb: int | None = Field(default=None, ge=1, le=10_000)
    """Memory that each GPU must have at least, in GB as on the card's box."""
    gpus: int = Field(default=1, ge=1, le=64)
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


class Recipe(_Part):
    """Everything a run is asked to do, besides which dataset and which model."""

    training_type: TrainingType = TrainingType.FINETUNE
    qlora: Qlora = Qlora()
    optim: Optim = Optim()
    data: Data = Data()
    machine: Machine = Machine()
    output_name: str = "adapter"
    """The name of the adapter: jobs of one name make versions of one adapter."""

    @field_validator("output_name")
    @classmethod
    def _output_name(cls, value: str) -> str:
        if not OUTPUT_NAME.fullmatch(value):
            raise ValueError("Use lower-case letters, digits, dot, dash or underscore, at most 64, e.g. my-run-1.")
        return value

    @model_validator(mode="after")
    def _pretraining_has_no_adapter(self) -> Self:
        if self.training_type is TrainingType.PRETRAIN and self.qlora.enabled:
            return self.model_copy(update={"qlora": self.qlora.model_copy(update={"enabled": False})})
        return self


SENTENCES = {
    "qlora.bits": "Choose 4 (NF4) or 16 (plain LoRA).",
    "qlora.r": "Rank must be a whole number from 1 to 256; 8 to 64 is usual.",
    "qlora.alpha": "Alpha must be a whole number from 1 to 1024; twice the rank is usual.",
    "qlora.dropout": "Dropout must be a number from 0 to 0.9; 0.05 is usual.",
    "optim.learning_rate": "Learning rate must be a number above 0 and at most 1, such as 2e-4.",
    "optim.batch_size": "Batch size must be a whole number from 1 to 1024.",
    "optim.gradient_accumulation": "Accumulation must be a whole number from 1 to 1024.",
    "optim.epochs": "Epochs must be a whole number from 1 to 1000.",
    "optim.max_steps": "Steps at most must be a whole number from 1 to 10000000, or empty.",
    "optim.warmup_ratio": "Warm-up must be a share from 0 to 0.5; 0.05 is usual.",
    "optim.optimizer": "The optimizer must be auto, adamw or adamw_8bit.",
    "optim.liger": "Liger kernels are either on or off.",
    "qlora.vision": "Adapters in the vision tower are either on or off.",
    "optim.weight_decay": "Weight decay must be a number from 0 to 1.",
    "optim.max_grad_norm": "Gradient clipping must be a number above 0 and at most 100.",
    "optim.seed": "Seed must be a whole number from 0 to 2147483647.",
    "data.frames": "Frames must be a whole number from 1 to 256.",
    "data.fps": "Frames per second must be a number above 0 and at most 240.",
    "data.size": "Frame size must be a whole number of pixels from 16 to 1024.",
    "data.validation_share": "The validation share must be between 0.05 and 0.5.",
    "machine.kind": "The machine must be any, cpu or gpu.",
    "machine.memory_gb": "GPU memory must be a whole number of GB from 1 to 10000, or empty.",
    "machine.gpus": "The number of GPUs must be a whole number from 1 to 64; all of them are in one host.",
}
"""One sentence a field: the same beside the wizard's field and in the REST answer."""


LIGER_MISSING = {
    "family": "Liger has no kernels for this base. Switch Liger kernels off.",
    "gpu": "Liger kernels run on a GPU only. Switch them off, or ask for a GPU under Machine.",
    "package": "Liger kernels are not installed on the worker. Run pip install liger-kernel there, or switch them off.",
}
"""What is said beside the switch where it cannot be on."""

ALONE = (
    "A retriever learns by telling the clips of a batch apart. Enter a batch size of at least 2; 16 or more is usual."
)
"""Beside the batch size of a retriever that is to see one clip at a time."""


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
            field = ".".join(str(part) for part in item["loc"] if not isinstance(part, int)) or "recipe"
            text = SENTENCES.get(field) or str(item["msg"]).removeprefix("Value error, ")
            if (field, text) not in problems:
                problems.append((field, text))
        raise Invalid(problems[0][1], problems[0][0], problems) from error
