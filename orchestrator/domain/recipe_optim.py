"""The part of a recipe about optimization: rate, batch, length and optimizer of a run."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from orchestrator.domain.recipe_fields import FieldSpec, Format, Group, RecipePart, Section
from orchestrator.domain.terms import (
    ACCUMULATION,
    BATCH_SIZE,
    EPOCH,
    GRADIENT_CLIPPING,
    LEARNING_RATE,
    SCHEDULER,
    WARM_UP,
    WEIGHT_DECAY,
)


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


class Precision(StrEnum):
    """The 16-bit numbers of a forward pass on a GPU; weights that are trained, and their optimizer, have 32 bits."""

    BF16 = "bf16"
    FP16 = "fp16"


LOSS_OPTIONS = ("optim.class_weights", "optim.label_smoothing", "optim.focal_gamma", "optim.balanced_sampling")
"""Fields that change the loss of a classifier whose clips have one label each, or which of its clips are seen."""
ONE_LABEL_ONLY = "This needs clips with one class each. Switch it off, or set it to 0."
"""The error of one of them where the run has no such loss."""
NO_WORDS = "NEFTune adds noise to the words that a video language model reads. Leave it empty for this base."
"""The error of `optim.neftune_alpha` with another base."""
BALANCED_TWICE = "Balanced sampling already shows all classes alike. Switch one of it and the class weights off."
"""The error of both together."""
CHUNK_ALONE = "Only a base that compares clips and captions encodes a batch in parts. Leave it empty."
"""The error of `optim.chunk_size` where the loss does not compare the clips of a batch."""
FP16_ADAPTERS = "In fp16 a video language model can be trained with adapters only. Choose bf16, or switch adapters on."
"""The error of fp16 where all weights of a video language model are trained, which are loaded with 16 bits."""


class Optim(RecipePart):
    """How the adapters are trained. One optimizer step sees batch_size x gradient_accumulation clips."""

    learning_rate: Annotated[
        float,
        Field(gt=0.0, le=1.0),
        FieldSpec(
            "Learning rate",
            "Learning rate must be a number above 0 and at most 1, such as 2e-4.",
            Section.OPTIMIZATION,
            300,
            sweepable=True,
            format=Format.RATE,
            term=LEARNING_RATE,
        ),
    ] = 2e-3
    """Measured on the shipped base with the demo: 2e-3 reaches 92 to 96 % in 10 epochs, 1e-3 about 80 %."""
    head_lr: Annotated[
        float | None,
        Field(gt=0.0, le=1.0),
        FieldSpec(
            "Learning rate of the head",
            "The learning rate of the head must be a number above 0 and at most 1, or empty.",
            Section.ADVANCED,
            402,
            hint="empty: as the adapters; a new head usually takes ten times as much",
            sweepable=True,
            format=Format.RATE,
            review_default=False,
            group=Group.LENGTH,
        ),
    ] = None
    """Of the modules that are trained in full next to the adapters, such as a new classifier; empty: the same rate."""
    lora_plus_ratio: Annotated[
        float | None,
        Field(ge=1.0, le=64.0),
        FieldSpec(
            "LoRA+ ratio",
            "The LoRA+ ratio must be a number from 1 to 64, or empty.",
            Section.ADVANCED,
            404,
            hint="empty: off; 16 is usual, with a lower learning rate",
            sweepable=True,
            review_default=False,
            group=Group.ADAPTERS,
        ),
    ] = None
    """LoRA+ (Hayou et al. 2024): how much faster the second matrix of an adapter learns than the first; empty: off."""
    neftune_alpha: Annotated[
        float | None,
        Field(ge=0.0, le=100.0),
        FieldSpec(
            "NEFTune noise",
            "The noise alpha of NEFTune must be a number from 0 to 100, or empty.",
            Section.ADVANCED,
            406,
            hint="empty: off; 5 is usual; for bases that write texts",
            sweepable=True,
            review_default=False,
            group=Group.ADAPTERS,
        ),
    ] = None
    """NEFTune (Jain et al. 2023): noise on the embedded words in training, by alpha / sqrt(tokens * width)."""
    class_weights: Annotated[
        bool,
        FieldSpec(
            "Weight rare classes",
            "Weighting rare classes is either on or off.",
            Section.ADVANCED,
            422,
            hint="for classes of very different sizes: each counts alike in the loss",
            title="Class weights",
            review_label="Classes",
            review_text="count alike",
            review_default=False,
            group=Group.CLASSES,
        ),
    ] = False
    """A clip counts in the loss by the inverse of how often its class is seen, so that all classes count alike."""
    balanced_sampling: Annotated[
        bool,
        FieldSpec(
            "Balanced sampling",
            "Balanced sampling is either on or off.",
            Section.ADVANCED,
            423,
            hint="an epoch shows all classes about equally often, clips of rare ones several times",
            title="Balanced sampling",
            review_label="Sampling",
            review_text="all classes equally often",
            review_default=False,
            group=Group.CLASSES,
        ),
    ] = False
    """The clips of an epoch are drawn with replacement, each class with the same probability; as many as there are."""
    label_smoothing: Annotated[
        float,
        Field(ge=0.0, le=0.5),
        FieldSpec(
            "Label smoothing",
            "Label smoothing must be a number from 0 to 0.5.",
            Section.ADVANCED,
            424,
            hint="0: off; usual: 0.1",
            sweepable=True,
            review_default=False,
            group=Group.CLASSES,
        ),
    ] = 0.0
    """Share of the target that is spread over all classes (Szegedy et al. 2016)."""
    focal_gamma: Annotated[
        float,
        Field(ge=0.0, le=5.0),
        FieldSpec(
            "Focal loss",
            "The gamma of the focal loss must be a number from 0 to 5.",
            Section.ADVANCED,
            426,
            hint="gamma; 0: off; 2 is usual",
            sweepable=True,
            review_default=False,
            group=Group.CLASSES,
        ),
    ] = 0.0
    """The focal loss (Lin et al. 2017) counts clips less that are already told well; 0: plain cross entropy."""
    batch_size: Annotated[
        int,
        Field(ge=1, le=1024),
        FieldSpec(
            "Batch size",
            "Batch size must be a whole number from 1 to 1024.",
            Section.OPTIMIZATION,
            310,
            unit="clips",
            sweepable=True,
            format=Format.CLIPS,
            term=BATCH_SIZE,
        ),
    ] = 16
    """Clips that go through the model together."""
    gradient_accumulation: Annotated[
        int,
        Field(ge=1, le=1024),
        FieldSpec(
            "Accumulation",
            "Accumulation must be a whole number from 1 to 1024.",
            Section.OPTIMIZATION,
            320,
            unit="\u00d7",
            term=ACCUMULATION,
        ),
    ] = 1
    """Batches whose gradients make one optimizer step."""
    epochs: Annotated[
        int,
        Field(ge=1, le=1000),
        FieldSpec(
            "Epochs",
            "Epochs must be a whole number from 1 to 1000.",
            Section.OPTIMIZATION,
            330,
            sweepable=True,
            term=EPOCH,
        ),
    ] = 10
    """How often each training clip is seen."""
    max_steps: Annotated[
        int | None,
        Field(ge=1, le=10_000_000),
        FieldSpec(
            "Steps at most",
            "Steps at most must be a whole number from 1 to 10000000, or empty.",
            Section.ADVANCED,
            400,
            hint="empty: all epochs",
            sweepable=True,
            format=Format.COUNT,
            review_default=False,
            group=Group.LENGTH,
        ),
    ] = None
    """The run ends after this many optimizer steps, even within an epoch; empty: all epochs."""
    warmup_ratio: Annotated[
        float,
        Field(ge=0.0, le=0.5),
        FieldSpec(
            "Warm-up",
            "Warm-up must be a share from 0 to 0.5; 0.05 is usual.",
            Section.ADVANCED,
            410,
            hint="share of the run, usual: 0.05",
            sweepable=True,
            format=Format.PERCENT,
            term=WARM_UP,
            group=Group.LENGTH,
        ),
    ] = 0.05
    """Share of the run in which the learning rate rises from 0."""
    scheduler: Annotated[
        Scheduler,
        FieldSpec(
            "Schedule",
            "The schedule must be cosine, linear or constant.",
            Section.OPTIMIZATION,
            340,
            choices=(("cosine", "Cosine"), ("linear", "Linear"), ("constant", "Constant")),
            term=SCHEDULER,
        ),
    ] = Scheduler.COSINE
    """How the learning rate moves over the run, after the warm-up."""
    optimizer: Annotated[
        Optimizer,
        FieldSpec(
            "Optimizer",
            "The optimizer must be auto, adamw or adamw_8bit.",
            Section.ADVANCED,
            500,
            hint="automatic: 8-bit for adapters on a GPU",
            choices=(("auto", "Automatic"), ("adamw", "AdamW, 32-bit"), ("adamw_8bit", "AdamW, 8-bit, paged")),
            review_default=False,
            group=Group.MACHINE,
        ),
    ] = Optimizer.AUTO
    """auto: 8-bit moments for adapters on a GPU, 32-bit ones otherwise."""
    precision: Annotated[
        Precision,
        FieldSpec(
            "Precision",
            "The precision must be bf16 or fp16.",
            Section.ADVANCED,
            502,
            hint="of steps on a GPU; fp16 for T4 and V100, which have no bf16",
            choices=(("bf16", "bf16"), ("fp16", "fp16, scaled loss")),
            review_default=False,
            group=Group.MACHINE,
        ),
    ] = Precision.BF16
    """The 16-bit numbers of steps on a GPU; with fp16 the loss is scaled, so that small gradients are not lost."""
    chunk_size: Annotated[
        int | None,
        Field(ge=1, le=1024),
        FieldSpec(
            "Clips encoded at once",
            "Clips encoded at once must be a whole number from 1 to 1024, or empty.",
            Section.ADVANCED,
            504,
            hint="of a batch for retrieval (GradCache); empty: all. Less memory, the same step, more time",
            unit="clips",
            review_default=False,
            group=Group.MACHINE,
        ),
    ] = None
    """GradCache (Gao et al. 2021) for retrieval: clips of a batch are encoded in parts and compared with all of it."""
    liger: Annotated[
        bool,
        FieldSpec(
            "Liger kernels",
            "Liger kernels are either on or off.",
            Section.ADVANCED,
            550,
            hint="Fused kernels for the language model: less memory and faster steps. "
            "The worker needs the package liger-kernel.",
            review_label="Kernels",
            review_text="Liger",
            review_default=False,
            group=Group.MACHINE,
        ),
    ] = False
    """Liger's fused kernels (Hsu et al. 2024), on a GPU, for the families that have them."""
    weight_decay: Annotated[
        float,
        Field(ge=0.0, le=1.0),
        FieldSpec(
            "Weight decay",
            "Weight decay must be a number from 0 to 1.",
            Section.ADVANCED,
            420,
            hint="usual: 0 to 0.01",
            sweepable=True,
            term=WEIGHT_DECAY,
            group=Group.LENGTH,
        ),
    ] = 0.0
    """AdamW's decay of the weights that are trained."""
    max_grad_norm: Annotated[
        float,
        Field(gt=0.0, le=100.0),
        FieldSpec(
            "Gradient clipping",
            "Gradient clipping must be a number above 0 and at most 100.",
            Section.ADVANCED,
            430,
            hint="usual: 1",
            term=GRADIENT_CLIPPING,
            group=Group.LENGTH,
        ),
    ] = 1.0
    """Gradients whose norm is larger are scaled down to it."""
    seed: Annotated[
        int,
        Field(ge=0, le=2**31 - 1),
        FieldSpec(
            "Seed",
            "Seed must be a whole number from 0 to 2147483647.",
            Section.ADVANCED,
            440,
            hint="same seed, same run",
            sweepable=True,
            group=Group.LENGTH,
        ),
    ] = 7
    """Seeds the split, the order of the clips, their augmentation and the fresh weights."""

    @property
    def loss_options(self) -> list[str]:
        """The fields of `LOSS_OPTIONS` that are set."""
        set_ = (self.class_weights, self.label_smoothing, self.focal_gamma, self.balanced_sampling)
        return [name for name, value in zip(LOSS_OPTIONS, set_, strict=True) if value]
