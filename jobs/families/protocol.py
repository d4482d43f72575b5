"""What a model family must offer: the trainer knows these few words and no family by name."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from jobs.video.cache import Sampling
from orchestrator.domain.recipe_qlora import TrainingType
from orchestrator.domain.recipes import Recipe
from orchestrator.domain.run_summary import Prediction, RunSummary

Item = dict[str, Any]
"""One clip as the trainer's dataset hands it over: `frames` (T, H, W, 3) bytes, `label` class index or -1, `captions`
its sentences (none for a clip that has only a class), `clip_id`, `learn`: True where the model may be shown a varied
copy, `draw`: (epoch, index), the seed of whatever is drawn by chance for it. Where the family's eye is frozen,
`features` stand in the place of `frames`."""

Features = dict[str, torch.Tensor]
"""What a frozen eye makes of one clip, by names that its family understands."""


class VisionEncoder(Protocol):
    """The frozen part of a model that looks at clips: it says the same of a clip in every run and every epoch."""

    key: str
    """What its answers depend on besides clip and sampling: weights, config, precision, libraries."""

    def see(self, frames: NDArray[np.uint8], /) -> Features:
        """The features of one clip from its (T, H, W, 3) bytes."""
        ...


class Items(Protocol):
    """The clips of one side of the split; each is decoded when it is asked for."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: int, /) -> Item: ...


Captions = Sequence[tuple[str, str]]
"""What a clip is called and one of its sentences; a clip with three sentences stands there three times."""

Collate = Callable[[Sequence[Item]], dict[str, Any]]
"""Items to whatever the model's `forward` takes; the model must give back a `loss`."""


@dataclass(frozen=True, slots=True)
class Base:
    """A base model on disk: its folder, its config.json and its preprocessor_config.json."""

    folder: Path
    config: dict[str, Any]
    processor: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Plan:
    """What one run works with."""

    base: Base
    recipe: Recipe
    task: str
    """classification | captioning | retrieval."""
    class_names: tuple[str, ...] = ()
    captions: tuple[str, ...] = ()
    """Every sentence of the clips that are learned from: where a small tokenizer finds its new words."""
    device: str = "cpu"
    revision: str = ""
    """SHA-256 of the base's weights, where it is known."""
    inference_only: bool = False
    """Nothing is trained: the model only answers, so heads stay as they came and generating may keep its cache."""
    adapter: Path | None = None
    """The folder of the finished adapter that answers: its tokenizer knows the words that were learned."""

    @property
    def is_pretraining(self) -> bool:
        return self.recipe.training_type is TrainingType.PRETRAIN

    @property
    def four_bit(self) -> bool:
        return not self.is_pretraining and self.recipe.qlora.enabled and self.recipe.qlora.bits == 4


@dataclass(frozen=True, slots=True)
class RawOutput:
    """What the Trainer's own pass over the held-out clips gave; None where the family does not read logits."""

    logits: Any = None
    labels: NDArray[np.int64] | None = None


@dataclass(frozen=True, slots=True)
class Score:
    """What an evaluation says."""

    values: dict[str, float] = field(default_factory=dict)
    """Named as in `orchestrator.domain.tasks.METRICS`: eval_accuracy, eval_exact, eval_r1, ..."""
    clips: list[Prediction] = field(default_factory=list)
    """One entry a judged clip, in their order; empty where nothing is said clip by clip."""
    summary: RunSummary = field(default_factory=RunSummary)
    """What else the job's page shows: confusion_matrix, class_names."""


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked about a clip."""

    text: str = ""
    """Empty: what the family asks while it trains. A model that takes no question leaves it unread."""
    max_new_tokens: int = 64
    """Tokens of the answer at most."""
    on_token: Callable[[str], None] | None = None
    """Called with each piece of the answer's text as it is written, where there is one clip."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a model says of one clip."""

    text: str = ""
    probabilities: tuple[tuple[str, float], ...] = ()
    """Every class and its probability, the likeliest first; empty where the model writes."""


class Family(Protocol):
    """One folder of jobs/families."""

    name: str
    """The `model_type` of config.json."""
    title: str
    """As people know it."""
    model_class: str
    """The class of transformers that reads its files: a new base is held against it before it is offered."""
    pipeline_tag: str
    """What the adapter's card calls the task."""
    head: tuple[str, ...]
    """Modules that are trained and saved whole, and never quantized."""
    reads_logits: bool
    """True where `evaluate` needs the logits of all held-out clips in memory; a language model's would fill it."""
    is_contrastive: bool
    """True where the loss compares the clips of a batch: a smaller one would train something else."""

    def supports_checkpointing(self, plan: Plan) -> bool:
        """True where activations are kept and could be computed again instead, for less memory and more time."""
        ...

    def check(self, base: Base, recipe: Recipe, task: str) -> None:
        """Raises Invalid with a sentence when this base cannot do what is asked."""
        ...

    def sampling(self, base: Base, recipe: Recipe) -> Sampling:
        """Which frames and pixels the model sees."""
        ...

    def caption_warnings(self, plan: Plan, told: Captions) -> list[str]:
        """What the job's log and page say before the first step: sentences that this base takes otherwise than written.

        Args:
            told: the sentences of both sides of the split.

        Raises:
            Invalid: a sentence that cannot be learned at all; the text names its clip.
        """
        ...

    def load(self, plan: Plan) -> Any:
        """The model on `plan.device`: quantized where the recipe says so, heads fresh, not yet with adapters."""
        ...

    def targets(self, recipe: Recipe, model: Any) -> list[str] | str:
        """The linear layers that get an adapter: name endings, or one regular expression over whole names."""
        ...

    def vision_encoder(self, plan: Plan, model: Any) -> VisionEncoder | None:
        """What may be kept of each clip; None where something before the features trains, or clips are varied."""
        ...

    def collate(self, plan: Plan) -> Collate:
        """Makes a batch of tensors from items."""
        ...

    def chance_level(self, plan: Plan, held: int) -> dict[str, float] | None:
        """What guessing reaches, where the untouched base can do no better (a fresh head); None: measure the base."""
        ...

    def evaluate(self, plan: Plan, model: Any, held: Items, raw: RawOutput, final: bool) -> Score:
        """Judges the model in eval() mode on the held-out clips: from `raw`, or by generating, or by embedding them.

        `final` is False during the run, where a sample of the clips may do; at the end every clip counts.
        """
        ...

    def predict(self, plan: Plan, model: Any, items: Sequence[Item], question: Question) -> list[Answer]:
        """What the model in eval() mode says of some clips, one answer each; called under `torch.no_grad`."""
        ...

    def save_processor(self, plan: Plan, folder: Path) -> None:
        """Writes beside the adapter what prepares its input and reads its output: processor, tokenizer, labels."""
        ...

    def program(self, plan: Plan, base_ref: str) -> tuple[str, str]:
        """A file name and a plain program (transformers, peft, av) that runs the adapter from its own folder.

        Args:
            base_ref: the base as a Python expression, for `from_pretrained`; `here` is the adapter's folder.
        """
        ...


class Searcher(Protocol):
    """What a family offers besides where its models find clips by a sentence."""

    def embed_clips(self, plan: Plan, model: Any, items: Sequence[Item]) -> tuple[Any, ...]:
        """Clips to features: one or more tensors on the CPU, all with the clips first. They may be kept."""
        ...

    def score_clips(self, plan: Plan, model: Any, query: str, features: tuple[Any, ...]) -> list[float]:
        """The score of each shown clip for a sentence; more is better."""
        ...
