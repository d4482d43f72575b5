"""What a model family must offer. The trainer and the playground know only these names, and no family by its own.

A family is one module whose `FAMILY` has the attributes and methods of `Family`; `registry.py` finds it by the
`model_type` of a base's config.json. The trainer calls them in the order in which they stand here.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from jobs.video.cache import ClipFile, ClipSampling
from jobs.video.timing import FrameTiming
from orchestrator.domain.annotations import Conversation
from orchestrator.domain.playground import ChatTurn
from orchestrator.domain.recipe_qlora import TrainingType
from orchestrator.domain.recipes import Recipe
from orchestrator.domain.run_summary import Prediction, RunSummary
from orchestrator.domain.tasks import ProblemType

Item = dict[str, Any]
"""One clip as the trainer's dataset returns it:

- `frames`: (T, H, W, 3) uint8, RGB; where the vision encoder is frozen, `features` (`Features`) instead,
- `timing`: with frames, the `FrameTiming` of a family that tells the model when each frame is shown, else None,
- `label`: class index, -1 without one; of a clip with several labels, that of the first,
- `labels`: indices of all of its classes; may be left out where no clip has several,
- `captions`: texts of which each describes the whole clip, empty for a clip without one,
- `conversations`: list of `Conversation`, questions with their answers; may be left out where there are none,
- `clip_id`: its id in the dataset,
- `training`: True for clips of the training split, which may be augmented,
- `seed`: (epoch, index), the seed of everything random that is done to it.
"""

Features = dict[str, torch.Tensor]
"""What a frozen vision encoder computes from one clip, by names that its family understands."""


class VisionEncoder(Protocol):
    """The frozen part of a model that encodes clips: its output for a clip is the same in every run and every epoch."""

    key: str
    """Hash of what its output depends on, except clip and sampling: weights, config, precision, versions."""

    def encode(self, frames: NDArray[np.uint8], timing: FrameTiming | None, /) -> Features:
        """The features of one clip from its (T, H, W, 3) uint8 frames."""
        ...


class Items(Protocol):
    """The clips of one split; each is decoded when it is accessed."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: int, /) -> Item: ...


Captions = Sequence[tuple[str, str]]
"""Pairs of a clip's name and one of its captions; a clip with three captions stands there three times."""

Conversations = Sequence[tuple[str, Conversation]]
"""Pairs of a clip's name and one of its conversations."""

Collate = Callable[[Sequence[Item]], dict[str, Any]]
"""Items to the keyword arguments of the model's `forward`, whose result must have a `loss`."""


@dataclass(frozen=True, slots=True)
class Base:
    """A base model on disk: its folder, its config.json and its preprocessor_config.json."""

    folder: Path
    config: dict[str, Any]
    processor: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything about one run that a family needs; families keep no state of their own."""

    base: Base
    recipe: Recipe
    task: str
    """classification | captioning | retrieval."""
    class_names: tuple[str, ...] = ()
    captions: tuple[str, ...] = ()
    """Every caption and answer of the training split: a small tokenizer takes its new words from them."""
    device: str = "cpu"
    revision: str = ""
    """SHA-256 of the base's weights, where it is known."""
    inference_only: bool = False
    """Nothing is trained: heads stay as they were loaded, and generation may use the key-value cache."""
    adapter: Path | None = None
    """For inference, the folder of the finished adapter, whose tokenizer knows the words that were learned."""
    continued: Path | None = None
    """The folder of the adapter whose weights a training run begins with; None: new adapters."""
    question: str = ""
    """What a clip is asked where nobody asks: the most usual question of the training split; "" for a caption."""
    system: str = ""
    """The most usual system turn of the training split."""
    problem_type: ProblemType = ProblemType.SINGLE_LABEL
    """Whether a clip may have several of the classes."""
    held_out_counts: tuple[int, ...] = ()
    """Validation clips of each class, in the order of `class_names`."""
    held_out: tuple[ClipFile, ...] = ()
    """A few clips of the validation split, for the proof that goes with an adapter."""
    check_stop: Callable[[], None] = field(default=lambda: None, compare=False)
    """Raises when the run was asked to stop: a family that generates calls it after each token of an evaluation."""

    @property
    def is_multi_label(self) -> bool:
        """Whether a clip may have several classes, each with a score of its own."""
        return self.problem_type is ProblemType.MULTI_LABEL

    @property
    def is_pretraining(self) -> bool:
        return self.recipe.training_type is TrainingType.PRETRAIN

    @property
    def four_bit(self) -> bool:
        return not self.is_pretraining and self.recipe.qlora.enabled and self.recipe.qlora.bits == 4


@dataclass(frozen=True, slots=True)
class RawOutput:
    """Logits and labels of the Trainer's own pass over the validation split; None unless the family `reads_logits`."""

    logits: Any = None
    labels: NDArray[Any] | None = None
    """(N,) class indices, or (N, classes) with 1 for each class of a clip where it may have several."""


@dataclass(frozen=True, slots=True)
class Score:
    """The result of an evaluation."""

    values: dict[str, float] = field(default_factory=dict)
    """Named as in `orchestrator.domain.tasks.METRICS`: eval_accuracy, eval_exact, eval_r1, ..."""
    clips: list[Prediction] = field(default_factory=list)
    """One entry for each evaluated clip, in their order; empty where there is no result by clip."""
    summary: RunSummary = field(default_factory=RunSummary)
    """What else the job's page shows: confusion_matrix, class_names."""


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked about a clip, and how the answer is generated. A model that takes no question ignores the texts."""

    text: str = ""
    """Empty: the question of the plan."""
    max_new_tokens: int = 64
    on_token: Callable[[str], None] | None = None
    """Called with each piece of the answer's text as it is generated; only where there is one clip."""
    system: str = ""
    """Instructions that stand before the chat. Empty: those of the plan."""
    earlier: Sequence[ChatTurn] = ()
    """The turns of the chat before this question. The clip stands in the one that shows it, else in the question."""
    stop: Sequence[str] = ()
    """Texts that end the answer and are no part of it."""
    temperature: float = 0.0
    """0: the likeliest token each time."""
    top_p: float = 1.0
    seed: int | None = None
    """Of the random numbers; None: another one each time."""
    is_abandoned: Callable[[], bool] = lambda: False
    """Called after each token: True ends the generation, because the client does not wait for the answer any more."""


FinishReason = Literal["stop", "length"]
"""Why an answer ended: at an end token or stop sequence, or because it reached its maximum length."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a model predicts for one clip: a sentence, or a probability for each class."""

    text: str = ""
    probabilities: tuple[tuple[str, float], ...] = ()
    """Every class and its probability, the highest first; empty for a model that generates text."""
    problem_type: ProblemType = ProblemType.SINGLE_LABEL
    """Whether the probabilities add up to 1, or each class has a score of its own."""
    finish_reason: FinishReason | None = None
    """None for a model that generates no text."""
    prompt_tokens: int = 0
    """Tokens that the model read: those of the clip and, where it takes one, of the question."""
    completion_tokens: int = 0
    """Tokens that it generated, with the one that ends the answer."""


class Family(Protocol):
    """One model architecture, or several that differ in names and sizes only."""

    name: str
    """The `model_type` of config.json."""
    title: str
    """The name that people know: "Qwen2.5-VL"."""
    model_class: str
    """The class of transformers that loads its files; the weights of a new base are checked against it."""
    pipeline_tag: str
    """The task as the Hub names it, for the adapter's card."""
    head: tuple[str, ...]
    """Modules that are trained and saved in full (PEFT's `modules_to_save`) and never quantized."""
    reads_logits: bool
    """True where `evaluate` takes the logits of the whole validation split; a language model's would be too large."""
    is_contrastive: bool
    """True where the loss compares the clips of a batch: a smaller batch would train something else."""

    def supports_checkpointing(self, plan: Plan) -> bool:
        """True where gradient checkpointing is possible and not yet on: less memory for more time."""
        ...

    def check(self, base: Base, recipe: Recipe, task: str) -> None:
        """Refuses what this base cannot do, before anything is loaded.

        Raises:
            Invalid: a sentence that says what to change, and the field of the recipe.
        """
        ...

    def sampling(self, base: Base, recipe: Recipe) -> ClipSampling:
        """Which frames of a clip the model sees, and in which size; also the key of the frame cache."""
        ...

    def caption_warnings(self, plan: Plan, captions: Captions, conversations: Conversations = ()) -> list[str]:
        """Sentences for the job's log about texts that this base cannot learn as they are written.

        Args:
            captions: those of both splits.
            conversations: those of both splits; a family that reads no question ignores them.

        Raises:
            Invalid: a text that cannot be learned at all; the sentence names its clip.
        """
        ...

    def load(self, plan: Plan) -> Any:
        """The model on `plan.device`: quantized as the recipe says, with a new head, without adapters."""
        ...

    def targets(self, recipe: Recipe, model: Any) -> list[str] | str:
        """The linear layers that get an adapter (PEFT's `target_modules`): name endings, or a regular expression."""
        ...

    def vision_encoder(self, plan: Plan, model: Any) -> VisionEncoder | None:
        """The encoder whose output may be cached; None where any part of it is trained or clips are augmented."""
        ...

    def collate(self, plan: Plan) -> Collate:
        """The function that turns items into a batch of tensors."""
        ...

    def chance_level(self, plan: Plan, clip_count: int) -> dict[str, float] | None:
        """The metrics that need no model, where the untouched base can do no better because its head is new.

        Args:
            clip_count: clips of the validation split.

        Returns:
            None where the base is to be measured with `evaluate` instead.
        """
        ...

    def evaluate(self, plan: Plan, model: Any, validation: Items, raw: RawOutput, final: bool) -> Score:
        """Scores the model, which is in eval() mode, on the validation split.

        Args:
            raw: the logits, for a family that reads them; others generate or embed.
            final: False during the run, where a sample of the clips may do; True at the end, where every clip counts.
        """
        ...

    def predict(self, plan: Plan, model: Any, items: Sequence[Item], question: Question) -> list[Answer]:
        """One answer for each clip from a model in eval() mode; called under `torch.no_grad`."""
        ...

    def save_processor(self, plan: Plan, folder: Path) -> None:
        """Writes what prepares the adapter's input and reads its output to its folder: processor, tokenizer, labels."""
        ...

    def program(self, plan: Plan, base_ref: str) -> tuple[str, str]:
        """File name and source of a script that runs the adapter from its own folder, with public packages alone.

        Args:
            base_ref: the base as a Python expression for `from_pretrained`; `here` is the adapter's folder.
        """
        ...


class Searcher(Protocol):
    """The additional methods of a retrieval family, whose models find clips by a sentence."""

    def embed_clips(self, plan: Plan, model: Any, items: Sequence[Item]) -> tuple[Any, ...]:
        """Clips to features: one or more tensors on the CPU, all with the clips first. They may be stored."""
        ...

    def score_clips(self, plan: Plan, model: Any, query: str, features: tuple[Any, ...]) -> list[float]:
        """How well each embedded clip fits a sentence; higher is better."""
        ...
