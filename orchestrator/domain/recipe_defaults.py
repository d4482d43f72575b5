"""The defaults of a recipe for a base, a task and a dataset: what the wizard, REST, recipe files and sweeps begin with.

Each value comes with its source, a sentence that says where it is from.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from orchestrator.domain.families import FAMILIES
from orchestrator.domain.numbers import parse_number
from orchestrator.domain.recipe_fields import RecipeValue
from orchestrator.domain.recipes import FIELDS, Recipe
from orchestrator.domain.tasks import task_spec

TINY_PARAMETERS = 5_000_000
"""A base with fewer parameters trains in a few hundred quick steps at a high learning rate."""
LARGE_PARAMETERS = 5_000_000_000
CONTRASTIVE_BATCHES = (64, 32, 16, 8)
"""Batch sizes of a retriever, of which the largest is taken that fits into the memory."""
_EPOCHS = {"quick": 1, "balanced": 6, "best": 10}
_VIDEO_LLM_EPOCHS = {"quick": 1, "balanced": 2, "best": 3}
_TINY_EPOCHS = {"quick": 4, "balanced": Recipe().optim.epochs, "best": 2 * Recipe().optim.epochs}
_OWN = "The recipe's own default."
_SHIPPED = "Measured on the shipped bases with their demo datasets."
_QLORA = "QLoRA (Dettmers et al. 2023): 2e-4 for models up to a few billion parameters, 1e-4 above."
_LORA = "LoRA (Hu et al. 2021) on pretrained encoders: 1e-4 to 3e-4."
_VIDEO_LLM_LENGTH = "Video language models are fine-tuned in 1 to 3 epochs: more learn the answers by heart."
_NEGATIVES = "Contrastive training compares the clips of a batch (Radford et al. 2021): as many as fit, 64 at most."
_NO_QUANTIZED_EXPERTS = "4 bits do not reach the experts of a base, which hold most of its weights."
_HEAD = "A new classification head learns from nothing: ten times the rate of the adapters."
_STEP = "8 clips a step, in the batches that most GPUs hold."
_LENGTH = "Usual for adapters on a pretrained encoder."
_NOT_DEFAULTED = frozenset({"output_name"})


@dataclass(frozen=True, slots=True)
class BaseFacts:
    """What the defaults depend on of a base."""

    parameters: int = 0
    """0: not known."""
    family: str = ""
    """`model_type` of its config.json."""
    has_experts: bool = False
    """Whether the blocks of its language model choose among experts; known of some families without this."""

    @property
    def is_quantizable(self) -> bool:
        """Whether 4 bits reach most of its weights: they do not reach experts."""
        return not (self.has_experts or (self.family in FAMILIES and FAMILIES[self.family].has_experts))

    @property
    def is_tiny(self) -> bool:
        """True also where the size is not known, as before a base is chosen."""
        return self.parameters < TINY_PARAMETERS

    @property
    def is_video_llm(self) -> bool:
        return self.family in FAMILIES and FAMILIES[self.family].vision is not None


@dataclass(frozen=True, slots=True)
class DatasetFacts:
    """What the defaults depend on of a dataset and of the machines that may train on it."""

    train_clips: int = 0
    """0: not known."""
    largest_batch: int = CONTRASTIVE_BATCHES[0]
    """The largest of `CONTRASTIVE_BATCHES` that fits into the memory."""


@dataclass(frozen=True, slots=True)
class Default:
    """The default of one field."""

    field: str
    value: RecipeValue
    source: str
    """A sentence that says where the value is from."""


def defaults(base: BaseFacts, task: str, dataset: DatasetFacts = DatasetFacts()) -> dict[str, Default]:
    """The default of each field by its dotted name, in the order of the page; without the name of the adapter."""
    found = _chosen(base, task, dataset)
    own = {name: (field.value_in(Recipe()), _OWN) for name, field in FIELDS.items() if name not in _NOT_DEFAULTED}
    return {name: Default(name, *_plain(found.get(name, value))) for name, value in own.items()}


def fill_in(raw: Mapping[str, Any], found: Mapping[str, Default]) -> dict[str, Any]:
    """A recipe as text or JSON values, with the defaults of the fields that it leaves out.

    A run without adapters gets no rate of its own for the head: there all weights learn alike.
    """
    filled = {name: dict(value) if isinstance(value, Mapping) else value for name, value in raw.items()}
    whole = raw.get("training_type") == "pretrain" or _part(raw, "qlora").get("enabled") is False
    for name, default in found.items():
        part, _, leaf = name.rpartition(".")
        inside = filled.setdefault(part, {}) if part else filled
        if whole and name == "optim.head_lr":
            continue
        if isinstance(inside, dict) and leaf not in inside and default.source != _OWN:
            inside[leaf] = default.value
    return filled


def preset_epochs(preset: str, base: BaseFacts, task: str) -> int:
    """Epochs of a preset: quick, balanced or best."""
    if base.is_tiny:
        return _TINY_EPOCHS[preset] * task_spec(task).tiny_base_epochs
    return (_VIDEO_LLM_EPOCHS if base.is_video_llm else _EPOCHS)[preset]


def _chosen(base: BaseFacts, task: str, dataset: DatasetFacts) -> dict[str, tuple[Any, str]]:
    """The values that differ from the recipe's own or have a source of their own."""
    row = task_spec(task)
    epochs = preset_epochs("balanced", base, task)
    if base.is_tiny:
        measured = {name: (_read(text), _SHIPPED) for name, text in row.tiny_base_values.items()}
        plain = {"qlora.bits": (16, _NO_QUANTIZED_EXPERTS)} if not base.is_quantizable else {}
        return {"optim.epochs": (epochs, _SHIPPED), "optim.learning_rate": (2e-3, _SHIPPED)} | measured | plain
    if base.is_video_llm:
        rate = 1e-4 if base.parameters >= LARGE_PARAMETERS else 2e-4
        values: dict[str, tuple[Any, str]] = {
            "optim.learning_rate": (rate, _QLORA),
            "optim.epochs": (epochs, _VIDEO_LLM_LENGTH),
        }
    else:
        values = {"optim.learning_rate": (2e-4, _LORA), "optim.epochs": (epochs, _LENGTH)}
    if not base.is_quantizable:
        values["qlora.bits"] = (16, _NO_QUANTIZED_EXPERTS)
    if row.contrastive:
        batch = min(dataset.largest_batch, max(2, dataset.train_clips or dataset.largest_batch))
        return values | {"optim.batch_size": (batch, _NEGATIVES)}
    if row.has_classes and not base.is_video_llm:
        values["optim.head_lr"] = (2e-3, _HEAD)
    return values | {"optim.batch_size": (4, _STEP), "optim.gradient_accumulation": (2, _STEP)}


def _plain(pair: tuple[Any, str]) -> tuple[RecipeValue, str]:
    """The value as JSON has it."""
    value, source = pair
    return (list(value) if isinstance(value, tuple) else getattr(value, "value", value)), source


def _part(raw: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    part = raw.get(name)
    return part if isinstance(part, Mapping) else {}


def _read(text: str) -> float | int:
    """A number as `tiny_base_values` has it."""
    whole = parse_number(text)
    return float(text) if whole is None else whole
