"""What a run has reached, so far or at its end: one typed document that trainer, database, pages and REST share.

It is stored flat, as JSON: the fields below, and next to them each measured value under the name of its curve (`loss`,
`eval_accuracy`) with its best as `best_eval_accuracy`. Unknown entries are kept, and a field whose stored value does
not fit is read as if it were not there, so that what other versions wrote can still be opened.
"""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Self, assert_never

from pydantic import BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, field_validator

from orchestrator.domain.exported_step import ExportReason
from orchestrator.domain.json_schemas import OneOf
from orchestrator.domain.tasks import AnswerKind, ProblemType, Task, task_spec

TRAIN_SERIES = ("loss", "learning_rate", "grad_norm", "samples_per_s")
"""Curves of the training itself; those of an evaluation begin with `eval_`."""
_BEST = "best_"


class _Document(BaseModel):
    """JSON with typed fields. What was never set is not written, so that reading and writing changes nothing."""

    model_config = ConfigDict(extra="allow", frozen=True)

    @field_validator("*", mode="wrap")
    @classmethod
    def _default_where_it_does_not_fit(cls, value: Any, handler: Any, info: ValidationInfo) -> Any:
        try:
            return handler(value)
        except ValidationError:
            return cls.model_fields[str(info.field_name)].get_default(call_default_factory=True)

    @classmethod
    def from_json(cls, raw: Mapping[str, Any] | None) -> Self:
        """The document that `to_json` gave, by this version or another."""
        return cls.model_validate(dict(raw or {}))

    def to_json(self) -> dict[str, Any]:
        """What is stored and sent."""
        return self.model_dump(exclude_unset=True)

    def merged(self, later: Self) -> Self:
        """Both, where `later` has the last word on everything that it sets."""
        return self.from_json(self.to_json() | later.to_json())


class FoundClip(_Document):
    """A clip that was found for a sentence."""

    clip_id: int = 0
    score: float = 0.0
    right: bool = False


class Prediction(_Document):
    """What a model made of one held-out clip, and what it should have made of it."""

    kind: AnswerKind | None = None
    """What the model gave for the clip; None where it was stored before samples said so."""
    clip_id: int | None = None
    """None where every held-out clip is judged in its turn."""
    name: str = ""
    label: str = ""
    """The clip's class; "" where it has none, and all of them with commas where it has several."""
    labels: list[str] = Field(default_factory=list)
    """The clip's classes, in a run with clips of several labels."""
    predicted_labels: list[str] = Field(default_factory=list)
    """The classes with a score of at least 0.5 in such a run, the highest first."""
    scores: dict[str, float] = Field(default_factory=dict)
    """0 to 1, of the clip's classes, the predicted ones and the likeliest others in such a run."""
    question: str = ""
    """What was asked about the clip; "" where it was a class, a caption or a search."""
    number: int = 0
    """The place of the question among those of its clip, from 0."""
    reference: str = ""
    """The class or the sentence that is right."""
    predicted: str | None = None
    confidence: float | None = None
    """0 to 1, of the class that was predicted."""
    score: float | None = None
    """0 to 1: how right the answer to the question is; None where no question was asked."""
    before: str | None = None
    """What the untouched base made of it; None where it was not asked."""
    rank: int | None = None
    """Place at which the clip was found by its sentence, the first is 1; None where nothing was searched."""
    top: list[FoundClip] = Field(default_factory=list)
    """The clips that were found first."""
    trail: list[tuple[float, str | int]] = Field(default_factory=list)
    """(epoch, answer) of the evaluations so far, the oldest first."""

    @property
    def key(self) -> "tuple[int | None, int]":
        """The clip, and which of its questions was asked."""
        return self.clip_id, self.number

    @property
    def is_right(self) -> bool:
        """Whether the predicted class, or the set of classes, is the clip's own."""
        return set(self.predicted_labels) == set(self.labels) if self.labels else self.predicted == self.label

    def kind_in(self, task: str) -> AnswerKind:
        """What the model gave for the clip in a run of this task."""
        return self.kind or task_spec(task).answer

    def answer(self, task: str) -> str | int:
        """What the trail keeps of an evaluation: the class or sentence, or at which place the clip was found."""
        match kind := self.kind_in(task):
            case AnswerKind.CLASSES | AnswerKind.TEXT:
                return self.predicted or ""
            case AnswerKind.CLIPS:
                return self.rank or 0
            case _:
                assert_never(kind)


class ExportedStep(_Document):
    """Which step of the run was exported, and why."""

    step: int = 0
    epoch: float = 0.0
    why: ExportReason | None = None
    measure: str = ""
    """The metric by which it was the best; "" where it was not chosen by one."""
    value: float | None = None
    """Of that metric, at the evaluation that decided."""
    evaluations: int = 0
    """Evaluations that were compared."""
    ended_early: bool = False
    """The recipe's patience ended the run before its last step."""
    sentence: str = ""
    """All of it in words."""


class ClassResult(_Document):
    """How well one class was found among the held-out clips."""

    name: str = ""
    clips: int = 0
    """Held-out clips that have the class; a class with none is left out of the means."""
    average_precision: float | None = None
    """None where no held-out clip has the class, and in a run with one label a clip."""
    precision: float | None = None
    """At a score of 0.5; None where no clip was said to have the class."""
    recall: float | None = None
    f1: float | None = None


class RunSummary(_Document):
    """Progress and result of a run. The trainer knows some fields, the worker adds the others while it trains."""

    task: Annotated[str, OneOf(Task, "")] = ""
    """Noted at the launch; runs from before that have none."""
    problem_type: Annotated[str, OneOf(ProblemType, "")] = ""
    """Whether clips have several labels, decided at the launch from the dataset's version; "" for a single label."""
    phase: str = ""
    eta_s: float | None = None
    """Seconds to go, None when unknown or over."""
    safe_step: int = 0
    """The step of the newest checkpoint when the run was last lost."""
    notes: dict[str, str] = Field(default_factory=dict)
    """What the trainer noted of its run: a sentence by its kind."""
    class_names: list[str] = Field(default_factory=list)
    confusion_matrix: list[list[int]] = Field(default_factory=list)
    """[true class][predicted class] of the held-out clips, in the order of `class_names`."""
    classes: list[ClassResult] = Field(default_factory=list)
    """Each class of a run with several labels, in the order of `class_names`."""
    by_class: list[ClassResult] = Field(default_factory=list)
    """Each class of a run with one label a clip, in the same order."""
    intervals: dict[str, tuple[float, float]] = Field(default_factory=dict)
    """95 % intervals by metric, by a seeded bootstrap over the judged clips."""
    baseline_clips: int = 0
    """How many validation clips the base was measured on, where those were not all."""
    views: int = 0
    """Views of each clip whose scores were averaged, where those were several."""
    pool: int = 0
    """How many clips a sentence was searched among."""
    baseline: dict[str, float] = Field(default_factory=dict)
    """The metrics before the first step, or those of chance (always the largest class)."""
    baseline_name: str = ""
    """Whose `baseline` is: the base's, chance, or the adapter's that the run continues; "" in runs of version 0.1."""
    samples: list[Prediction] = Field(default_factory=list)
    """Some held-out clips that stand for all."""
    mistakes: list[Prediction] = Field(default_factory=list)
    """Clips that were called another class than theirs, the surest first."""
    question: str = ""
    """What a clip is asked where nobody asks: the most usual question of the training split; "" for a caption."""
    system: str = ""
    """The most usual system turn of the training split."""
    final_step: int = 0
    """The last step that was trained."""
    exported: ExportedStep = ExportedStep()
    """Which step was exported; empty for runs of versions that always exported the last."""
    train_seconds: float | None = None
    train_clips: int = 0
    validation_clips: int = 0
    trainable_parameters: int = 0
    device: str = ""

    _passing: ClassVar[frozenset[str]] = frozenset({"eta_s", "phase"})

    @classmethod
    def of_values(cls, values: Mapping[str, float]) -> Self:
        """A summary that holds nothing but measured values."""
        return cls.from_json(values)

    @property
    def values(self) -> dict[str, float]:
        """Every measured value by its name, bests included."""
        extra = self.model_extra or {}
        return {name: value for name, value in extra.items() if is_number(value)}

    @property
    def latest(self) -> dict[str, float]:
        """The newest value of each curve."""
        return {name: value for name, value in self.values.items() if is_series(name)}

    def value(self, name: str) -> float | None:
        """The newest value of a curve or metric."""
        return self.values.get(name)

    def best(self, name: str) -> float | None:
        """The best value of a metric so far."""
        return self.values.get(best_name(name))

    @property
    def loss(self) -> float | None:
        return self.value("loss")

    @property
    def eval_loss(self) -> float | None:
        return self.value("eval_loss")

    @property
    def samples_per_s(self) -> float | None:
        return self.value("samples_per_s")

    def lasting(self) -> Self:
        """Without what means something only while the run goes on."""
        return self.from_json({name: value for name, value in self.to_json().items() if name not in self._passing})


def views_sentence(views: int) -> str:
    """Says that a result is not that of one look at each clip; "" where it is."""
    if views < 2:
        return ""
    return f"Scores are averaged over {views} views of each clip; the playground and the card's program use one."


def unjudged_sentence(summary: RunSummary) -> str:
    """Names the classes of a run with several labels that no held-out clip has; "" where each has one."""
    names = [row.name for row in summary.classes if not row.clips]
    if not names:
        return ""
    shown = ", ".join(names[:10]) + (f" and {len(names) - 10:,} more" if len(names) > 10 else "")
    return f"No held-out clip has {shown}: left out of the means."


def is_number(value: Any) -> bool:
    """A measured value; a flag is none."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def is_series(name: str) -> bool:
    """Whether a measured value is the newest point of a curve, not a best."""
    return name in TRAIN_SERIES or name.startswith("eval_")


def is_best(name: str) -> bool:
    """Whether a measured value is the best of a metric."""
    return name.startswith(_BEST)


def best_name(name: str) -> str:
    """The name under which the best value of a metric is kept."""
    return f"{_BEST}{name}"


def metric_of(name: str) -> str:
    """The metric that a value or its best belongs to."""
    return name.removeprefix(_BEST)
