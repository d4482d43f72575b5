"""The part of a recipe about adapters: how low-rank weights learn on a frozen, quantized base."""

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any

from pydantic import Field, ValidationInfo, field_validator, model_validator

from orchestrator.domain.recipe_fields import FieldSpec, Format, Group, RecipePart, Section
from orchestrator.domain.terms import ALPHA, DROPOUT, NF4, RANK, TARGET_MODULES


class TrainingType(StrEnum):
    """finetune: QLoRA on labels; pretrain: continued training of the whole base, without labels."""

    FINETUNE = "finetune"
    PRETRAIN = "pretrain"


class InitialWeights(StrEnum):
    """How the adapters' matrices begin."""

    DEFAULT = "default"
    GAUSSIAN = "gaussian"
    PISSA = "pissa"


PISSA_QUANTIZED = (
    "PiSSA takes the weights of the base apart, which 4-bit weights do not allow. Choose 16-bit base weights."
)
"""The error of `qlora.init_lora_weights` with a quantized base."""
PISSA_WITH_DORA = "PiSSA and DoRA cannot be had together here. Switch one of them off."
ALL_LINEAR = "all-linear"
LARGEST_PATTERN = 200
"""Letters of a regular expression of layer names."""
_LAYER_NAME = re.compile(r"[A-Za-z0-9_.]{1,100}")
_LARGEST_MAP = 100
"""Entries of a rank or alpha pattern."""
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
            term=NF4,
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
            term=RANK,
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
            term=ALPHA,
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
            term=DROPOUT,
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
            term=TARGET_MODULES,
        ),
    ] = ()
    """Name endings of the linear layers that get an adapter; empty: the family's default, all linear layers.

    A text in the place of a list is a regular expression, as PEFT reads it, and is stored as `target_pattern`.
    """
    target_pattern: Annotated[
        str,
        Field(max_length=LARGEST_PATTERN),
        FieldSpec(
            "Layers by pattern",
            f"The pattern of layers must be a regular expression of at most {LARGEST_PATTERN} letters, or empty.",
            Section.ADVANCED,
            543,
            hint=r"a regular expression of full layer names, such as .*\.layers\.[0-3]\..*; empty: the layers above",
            title="Layer pattern",
            only_with=_FINETUNING,
            review_default=False,
            group=Group.ADAPTERS,
        ),
    ] = ""
    """Of the layers that may get an adapter, those whose complete name this expression matches; "": `target_modules`.
    """
    rank_pattern: Annotated[
        dict[str, int],
        FieldSpec(
            "Ranks by layer",
            "Ranks by layer must be pairs of a name ending and a rank from 1 to 256, such as q_proj=8, v_proj=32.",
            Section.ADVANCED,
            544,
            hint="such as q_proj=8, v_proj=32; other layers have the rank above",
            title="Rank pattern",
            only_with=_FINETUNING,
            review_default=False,
            group=Group.ADAPTERS,
        ),
    ] = {}
    """Ranks by the name endings of layers, where they differ from `r`."""
    alpha_pattern: Annotated[
        dict[str, int],
        FieldSpec(
            "Alphas by layer",
            "Alphas by layer must be pairs of a name ending and a number from 1 to 1024, such as q_proj=16, v_proj=64.",
            Section.ADVANCED,
            545,
            hint="such as q_proj=16, v_proj=64; other layers have the alpha above",
            title="Alpha pattern",
            only_with=_FINETUNING,
            review_default=False,
            group=Group.ADAPTERS,
        ),
    ] = {}
    """Alphas by the name endings of layers, where they differ from `alpha`."""
    init_lora_weights: Annotated[
        InitialWeights,
        FieldSpec(
            "Initial weights",
            "The initial weights must be default, gaussian or pissa.",
            Section.ADVANCED,
            546,
            hint="PiSSA begins with the largest singular values of each weight; it needs a base that is not quantized",
            choices=(("default", "Default"), ("gaussian", "Gaussian"), ("pissa", "PiSSA")),
            only_with=_FINETUNING,
            review_default=False,
            group=Group.ADAPTERS,
        ),
    ] = InitialWeights.DEFAULT
    """pissa (Meng et al. 2024): the adapters begin as the principal part of each weight, and the rest stays frozen."""
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
            group=Group.ADAPTERS,
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
            group=Group.ADAPTERS,
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
            group=Group.ADAPTERS,
        ),
    ] = False
    """Adapters in the vision tower of a video language model, too; what it says of a clip can then not be kept."""

    @model_validator(mode="before")
    @classmethod
    def _text_as_pattern(cls, raw: Any) -> Any:
        """PEFT reads a text as a regular expression."""
        if isinstance(raw, Mapping) and isinstance(text := raw.get("target_modules"), str) and text != ALL_LINEAR:
            return {**raw, "target_modules": (), "target_pattern": text}
        return raw

    @property
    def initial_weights_problem(self) -> str:
        """Why the adapters cannot begin as the recipe asks; "" where they can."""
        if not self.enabled or self.init_lora_weights is not InitialWeights.PISSA:
            return ""
        return PISSA_QUANTIZED if self.bits == 4 else PISSA_WITH_DORA if self.dora else ""

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

    @field_validator("target_pattern")
    @classmethod
    def _is_a_regular_expression(cls, value: str) -> str:
        try:
            re.compile(value)
        except (re.error, OverflowError, RecursionError) as error:
            raise ValueError("no regular expression") from error
        return value

    @field_validator("rank_pattern", "alpha_pattern", mode="before")
    @classmethod
    def _pairs(cls, value: Any) -> Any:
        """Forms have one text: "q_proj=8, v_proj=32"."""
        if not isinstance(value, str):
            return value
        parts = [part.partition("=") for part in value.replace(";", ",").split(",") if part.strip()]
        return {name.strip(): number.strip() for name, _, number in parts}

    @field_validator("rank_pattern", "alpha_pattern")
    @classmethod
    def _names_and_limits(cls, value: dict[str, int], info: ValidationInfo) -> dict[str, int]:
        largest = 256 if info.field_name == "rank_pattern" else 1024
        if len(value) > _LARGEST_MAP or not all(map(_LAYER_NAME.fullmatch, value)):
            raise ValueError("name endings")
        if not all(1 <= number <= largest for number in value.values()):
            raise ValueError(f"1 to {largest}")
        return value
