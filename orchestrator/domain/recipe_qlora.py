"""The part of a recipe about adapters: how low-rank weights learn on a frozen, quantized base."""

from enum import StrEnum
from typing import Annotated, Any

from pydantic import Field, field_validator

from orchestrator.domain.recipe_fields import FieldSpec, Format, RecipePart, Section


class TrainingType(StrEnum):
    """finetune: QLoRA on labels; pretrain: continued training of the whole base, without labels."""

    FINETUNE = "finetune"
    PRETRAIN = "pretrain"


ALL_LINEAR = "all-linear"
_FINETUNING = ("training_type", TrainingType.FINETUNE.value)


class Qlora(RecipePart):
    """Low-rank adapters on a frozen base (Hu et al. 2021), the base in 4-bit NF4 (Dettmers et al. 2023)."""

    enabled: Annotated[
        bool,
        FieldSpec("QLoRA", "QLoRA is either on or off.", Section.NONE, 900, format=Format.HIDDEN),
    ] = True
    """False: no adapters; all weights of the base are trained."""
    bits: Annotated[
        int,
        FieldSpec(
            "Base weights",
            "Choose 4 (NF4) or 16 (plain LoRA).",
            Section.QLORA,
            200,
            choices=(("4", "4-bit (QLoRA)"), ("16", "16-bit (LoRA)")),
            only_with=_FINETUNING,
        ),
    ] = 4
    """4: NF4 with double quantization; 16: plain LoRA"""
    r: Annotated[
        int,
        Field(ge=1, le=256),
        FieldSpec(
            "Rank r",
            "Rank must be a whole number from 1 to 256; 8 to 64 is usual.",
            Section.QLORA,
            210,
            hint="usual: 8 to 64",
            sweepable=True,
            only_with=_FINETUNING,
        ),
    ] = 16
    """Rank of the adapters' matrices: more learns more, and takes more memory and clips."""
    alpha: Annotated[
        int,
        Field(ge=1, le=1024),
        FieldSpec(
            "Alpha",
            "Alpha must be a whole number from 1 to 1024; twice the rank is usual.",
            Section.QLORA,
            220,
            hint="usual: 2 \u00d7 rank",
            sweepable=True,
            only_with=_FINETUNING,
        ),
    ] = 32
    """The adapters' output is scaled by alpha / r."""
    dropout: Annotated[
        float,
        Field(ge=0.0, le=0.9),
        FieldSpec(
            "Dropout",
            "Dropout must be a number from 0 to 0.9; 0.05 is usual.",
            Section.QLORA,
            230,
            hint="usual: 0 to 0.1",
            sweepable=True,
            only_with=_FINETUNING,
        ),
    ] = 0.05
    """Share of the adapters' inputs that is set to zero in a training step."""
    target_modules: Annotated[
        tuple[str, ...],
        FieldSpec(
            "Target modules",
            "Target modules must be a list of the name endings of layers, such as [q_proj, v_proj], or all-linear.",
            Section.QLORA,
            240,
            only_with=_FINETUNING,
            empty_text="the model's default",
        ),
    ] = ()
    """Name endings of the linear layers that get an adapter; empty: the family's default, all linear layers."""
    rslora: Annotated[
        bool,
        FieldSpec(
            "Rank-stabilized scaling",
            "Rank-stabilized scaling is either on or off.",
            Section.ADVANCED,
            541,
            hint="rsLoRA: the output is scaled by alpha / \u221ar, so that high ranks learn more",
            title="rsLoRA",
            only_with=_FINETUNING,
            review_label="Scaling",
            review_text="rank-stabilized",
            review_default=False,
        ),
    ] = False
    """rsLoRA (Kalajdzievski 2023): the adapters' output is scaled by alpha / sqrt(r) instead of alpha / r."""
    dora: Annotated[
        bool,
        FieldSpec(
            "DoRA",
            "DoRA is either on or off.",
            Section.ADVANCED,
            542,
            hint="Magnitude and direction of each weight learn apart: often better at low ranks, slower steps",
            only_with=_FINETUNING,
            review_label="Adapters",
            review_text="DoRA",
            review_default=False,
        ),
    ] = False
    """DoRA (Liu et al. 2024): magnitude and direction of each weight learn apart."""
    vision: Annotated[
        bool,
        FieldSpec(
            "Adapters in the vision tower, too",
            "Adapters in the vision tower are either on or off.",
            Section.ADVANCED,
            540,
            hint="For clips unlike anything the base has seen. The tower then sees each clip in every epoch, "
            "since what it says changes and cannot be kept; every step takes longer and more memory.",
            title="Vision tower",
            only_with=_FINETUNING,
            review_label="Vision tower",
            review_text="gets adapters, too",
            review_default=False,
        ),
    ] = False
    """Adapters in the vision tower of a video language model, too; what it says of a clip can then not be kept."""

    @field_validator("target_modules", mode="before")
    @classmethod
    def _all_linear(cls, value: Any) -> Any:
        """Other trainers write "all-linear" for what is the default here."""
        return () if value in (ALL_LINEAR, [ALL_LINEAR], (ALL_LINEAR,)) else value

    @field_validator("bits")
    @classmethod
    def _bits(cls, value: int) -> int:
        if value not in (4, 16):
            raise ValueError("4 or 16")
        return value
