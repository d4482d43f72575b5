"""The tasks that a model can learn, one row each: forms, filters, rules, metrics and model cards are derived from it.

A new task is a member of `Task` and `ModelType`, a row of `TASKS`, and a family that trains it. A new kind of
annotation or answer is a member of its enum: each `match` over it ends in `assert_never`, so that the type checker
names every place that has to learn about it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from orchestrator.domain.annotations import CAPTION_QUESTION, LABEL_LIMIT, TEXT_LIMIT, AnnotationKind, Annotations
from orchestrator.domain.metric_definitions import Metric


class Task(StrEnum):
    """What a model learns from the clips; the value is what is stored."""

    CLASSIFICATION = "classification"
    CAPTIONING = "captioning"
    RETRIEVAL = "retrieval"


class ModelType(StrEnum):
    """What a base model does with a clip; the value is what is stored."""

    CLASSIFICATION = "video_classification"
    CAPTIONING = "video_captioning"
    RETRIEVAL = "video_retrieval"


class HeadSize(StrEnum):
    """What the size of the head depends on that is trained fully next to the adapters."""

    PER_CLASS = "per class"
    """Its inputs and a bias for each class of the dataset."""
    STORED = "stored"
    """It is that of the base."""
    UNKNOWN = "unknown"
    """The stored facts of a base do not give it."""


class Annotation(StrEnum):
    """What has to be written about a clip before a model can learn from it; the value is the column of `Clip`."""

    LABEL = "label"
    CAPTION = "caption"

    @property
    def max_length(self) -> int:
        """How many characters one text may have."""
        return LABEL_LIMIT if self is Annotation.LABEL else TEXT_LIMIT

    @property
    def spec(self) -> "AnnotationSpec":
        """The words and rules of this kind of annotation."""
        return ANNOTATIONS[self]


class ProblemType(StrEnum):
    """How many classes a clip of a run may have; the value is the `problem_type` of a classifier's config.json."""

    SINGLE_LABEL = "single_label_classification"
    """Exactly one: probabilities by softmax, cross-entropy."""
    MULTI_LABEL = "multi_label_classification"
    """Any number: a score by sigmoid for each class, binary cross-entropy."""


class AnswerKind(StrEnum):
    """What a trained model gives back; the value names the kind of a sample in a run's summary."""

    CLASSES = "classes"
    """A probability for each class of the dataset."""
    TEXT = "text"
    """A sentence about the clip, written token by token."""
    CLIPS = "clips"
    """The clips of a dataset in the order in which they fit a sentence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AnnotationSpec:
    """The words of one kind of annotation."""

    word: str
    """As sentences name it: "Every clip has a label"."""
    multiline: bool
    """Written in a field of several lines."""
    write_here: str
    """On the button that opens a dataset without annotations for writing them."""
    to_write: str
    """On the chip of a dataset none of whose clips has one."""
    files_hint: str
    """What can be uploaded, shown next to the drop zone."""
    missing: str
    """What to do about a clip without one, where no describing file came along; takes the file's {name}."""
    export_question: str
    """What a conversation of an exported dataset asks about the clip."""


@dataclass(frozen=True, slots=True)
class DemoText:
    """Name and description of a demo dataset."""

    name: str
    description: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskSpec:
    """One task: how it is stored, called, annotated, judged and explained."""

    key: Task
    title: str
    model_type: ModelType
    """What a base model that is made for this task is stored as."""
    annotation: Annotation
    takes: frozenset[AnnotationKind]
    """The kinds of annotation that a model of this task learns from. A clip with one of them can be used."""
    answer: AnswerKind
    metrics: tuple[Metric, ...]
    """What a run is judged by; the first stands for the run."""
    multi_label_metrics: tuple[Metric, ...] = ()
    """The same for a run with clips of several labels, where they differ."""
    dataset_note: str
    """The description of the task in the form of a dataset."""
    model_note: str
    """The description of the task in the form of a base model."""
    adapter_sentence: str
    """What an adapter does, in its card after "A LoRA adapter for X that"; takes {count} and {names} of the classes."""
    multi_label_sentence: str = ""
    """The same for an adapter that learned from clips with several labels."""
    finetune_note: str
    """The description of fine-tuning in the form of a job."""
    pretrain_note: str
    """What continued pre-training does."""
    trained_fully: str
    """The subject of "... trained whole": what is trained in addition to the adapters."""
    head_size: HeadSize = HeadSize.UNKNOWN
    contrastive: bool = False
    """The loss compares the clips of a batch, so a smaller batch trains something else and one clip trains nothing."""
    baseline: str = "base"
    """What the result is compared with, as the head of a table's column."""
    tiny_base_values: Mapping[str, str] = field(default_factory=dict)
    """Defaults of the job form for a base of few parameters, where they differ from the recipe's own."""
    tiny_base_epochs: int = 1
    """How many times the usual epochs such a base needs."""
    demo: DemoText | None = None
    """The demo dataset that each account is given."""

    def judged_by(self, problem_type: str) -> tuple[Metric, ...]:
        """What a run is judged by; the first stands for the run.

        Args:
            problem_type: a stored `ProblemType`; "" is a single label.
        """
        several = problem_type == ProblemType.MULTI_LABEL
        return (several and self.multi_label_metrics) or self.metrics

    def headline(self, problem_type: str) -> Metric:
        """The metric that stands for a run; see `judged_by`."""
        return self.judged_by(problem_type)[0]

    def baseline_name(self, continues: bool) -> str:
        """What the result of a run is compared with, as the head of a table's column.

        Args:
            continues: whether the run continues from an adapter, which is then what is measured before the first step.
        """
        return "continued adapter" if continues and self.baseline == "base" else self.baseline

    @property
    def every_metric(self) -> tuple[Metric, ...]:
        """The metrics of all its problem types."""
        return (*self.metrics, *self.multi_label_metrics)

    def problem_type(self, has_several_labels: bool) -> ProblemType:
        """The problem type of a run of this task.

        Args:
            has_several_labels: whether any clip of the dataset's version has several labels.
        """
        several = self.answer is AnswerKind.CLASSES and has_several_labels
        return ProblemType.MULTI_LABEL if several else ProblemType.SINGLE_LABEL

    @property
    def model_title(self) -> str:
        """A base model of this task, as lists show it."""
        return f"Video {self.title.lower()}"

    @property
    def has_classes(self) -> bool:
        """The clips fall into the classes that their labels name."""
        return self.annotation is Annotation.LABEL

    def can_use(self, annotations: Annotations) -> bool:
        """Whether a model of this task can learn from a clip with these annotations."""
        return bool(self.takes & annotations.kinds)

    @property
    def fits(self) -> tuple[ModelType, ...]:
        """The base models that a dataset of this task can train, its own first: the same captions serve several."""
        same = [task.model_type for task in TASKS.values() if task.annotation is self.annotation]
        return tuple(sorted(same, key=lambda model_type: model_type is not self.model_type))


ANNOTATIONS: Mapping[Annotation, AnnotationSpec] = {
    Annotation.LABEL: AnnotationSpec(
        word="label",
        multiline=False,
        write_here="Label them here",
        to_write="To be labelled",
        files_hint="mp4, mov, avi, mkv, webm, alone or in a zip or tar. "
        "Each folder is a class; two classes at least, each with several clips.",
        missing="{name} is in no folder. Put the clips of each class into a folder of its own.",
        export_question="Which class does this video show?",
    ),
    Annotation.CAPTION: AnnotationSpec(
        word="caption",
        multiline=True,
        write_here="Caption them here",
        to_write="To be captioned",
        files_hint="mp4, mov, avi, mkv, webm, alone or in a zip or tar, "
        "together with the files that hold the captions.",
        missing="{name} has no caption. Put a text file of the same name next to it.",
        export_question=CAPTION_QUESTION,
    ),
}

_DEMO_FILMS = "Short synthetic films of one shape that blinks, bounces, circles or zooms, drawn on this machine"
_PRETRAIN = "No adapters: the whole base goes on learning"

_ROWS = (
    TaskSpec(
        key=Task.CLASSIFICATION,
        title="Classification",
        model_type=ModelType.CLASSIFICATION,
        annotation=Annotation.LABEL,
        takes=frozenset({AnnotationKind.LABEL, AnnotationKind.LABELS}),
        answer=AnswerKind.CLASSES,
        metrics=(
            Metric(
                "eval_accuracy",
                "Accuracy",
                of_clips=True,
                meaning="The share of held-out clips whose most likely class is the right one.",
            ),
            Metric(
                "eval_top5",
                "Top-5 accuracy",
                meaning="The share of held-out clips whose right class is among the five most likely; measured where "
                "there are more than five classes.",
            ),
            Metric(
                "eval_balanced_accuracy",
                "Balanced accuracy",
                meaning="The mean recall of the classes: a model that only names the largest class reaches one "
                "divided by the number of classes.",
            ),
            Metric(
                "eval_f1_macro",
                "Macro F1",
                meaning="The mean of the classes' F1 at a score of 0.5: each class counts the same.",
            ),
        ),
        multi_label_metrics=(
            Metric(
                "eval_map",
                "mAP",
                meaning="Mean average precision: the mean over the classes of the area under their precision-recall "
                "curve. For clips with several labels.",
            ),
            Metric(
                "eval_f1_micro",
                "Micro F1",
                meaning="F1 over all pairs of a held-out clip and a class, at a score of 0.5: frequent classes count "
                "more. For clips with several labels.",
            ),
            Metric(
                "eval_f1_macro",
                "Macro F1",
                meaning="The mean of the classes' F1 at a score of 0.5: each class counts the same.",
            ),
        ),
        dataset_note="Learns which class, or which classes, a clip belongs to. Needs labels.",
        model_note="Says which class a clip belongs to.",
        adapter_sentence="tells {count} classes apart: {names}",
        multi_label_sentence="says which of {count} classes a clip shows, any number of them: {names}",
        finetune_note="Adapters learn the classes of the dataset; the base stays as it is.",
        pretrain_note=f"{_PRETRAIN} to draw the parts of a clip hidden from it. Labels are not read.",
        trained_fully="The classifier head is",
        head_size=HeadSize.PER_CLASS,
        baseline="chance",
        demo=DemoText("Shapes in motion", f"{_DEMO_FILMS}."),
    ),
    TaskSpec(
        key=Task.CAPTIONING,
        title="Captioning",
        model_type=ModelType.CAPTIONING,
        annotation=Annotation.CAPTION,
        takes=frozenset({AnnotationKind.CAPTIONS, AnnotationKind.CONVERSATIONS}),
        answer=AnswerKind.TEXT,
        metrics=(
            Metric(
                "eval_exact", "Exact match", meaning="The share of sentences that equal a reference, word for word."
            ),
            Metric(
                "eval_exact_normalized", "Exact match, normalized", meaning="Exact match without case and punctuation."
            ),
            Metric(
                "eval_cider",
                "CIDEr-D",
                share=False,
                meaning="How well a sentence matches the captions of its clip in runs of one to four words, where "
                "runs count less that describe many clips (Vedantam et al. 2015). From 0 to 10; papers often "
                "write it a hundred times as large.",
            ),
            Metric(
                "eval_meteor",
                "METEOR",
                meaning="Words of a sentence that a reference has, too, as they are or with the same stem, with a "
                "penalty where they come in another order (Lavie and Agarwal 2007). Without the synonyms of WordNet, "
                "so lower than the METEOR 1.5 of papers.",
            ),
            Metric(
                "eval_rouge_l",
                "ROUGE-L",
                meaning="The F-measure of the longest common subsequence of words between a sentence and its "
                "reference (Lin 2004).",
            ),
            Metric(
                "eval_bleu",
                "BLEU",
                meaning="The geometric mean of the share of matching runs of one to four words, with a penalty for "
                "sentences that are too short (Papineni et al. 2002).",
            ),
            Metric(
                "eval_answer_accuracy",
                "Answer accuracy",
                meaning="How many questions are answered rightly, compared without case, punctuation and articles. "
                "Where four or more people answered a question, it is the VQA accuracy: an answer counts "
                "fully that three of the others gave (Antol et al. 2015).",
            ),
            Metric(
                "eval_choice_accuracy",
                "Multiple-choice accuracy",
                meaning="The share of questions with options whose answer names the right one, by its text or its "
                "letter.",
            ),
        ),
        dataset_note="Learns to put a clip into words. Needs captions.",
        model_note="Puts a clip into words, answers questions.",
        adapter_sentence="says in a sentence what a clip shows",
        finetune_note="Adapters learn to say the dataset's captions; the base stays as it is.",
        pretrain_note=f"{_PRETRAIN} to say the captions, one word after the other.",
        trained_fully="The words and what speaks them are",
        # Measured on the shipped base: `./loreel bench captions`.
        tiny_base_values={"optim.batch_size": "8", "qlora.dropout": "0"},
        tiny_base_epochs=2,
        demo=DemoText(
            "Shapes described",
            f"{_DEMO_FILMS}, each with a sentence. "
            "The held-out sentences name combinations that are never learned from.",
        ),
    ),
    TaskSpec(
        key=Task.RETRIEVAL,
        title="Retrieval",
        model_type=ModelType.RETRIEVAL,
        annotation=Annotation.CAPTION,
        takes=frozenset({AnnotationKind.CAPTIONS}),
        answer=AnswerKind.CLIPS,
        metrics=(
            Metric(
                "eval_r1",
                "R@1",
                meaning="The share of sentences for which their own clip comes first among all held-out clips.",
            ),
            Metric("eval_r5", "R@5", meaning="The share of sentences whose own clip is among the first five."),
            Metric("eval_r10", "R@10", meaning="The share of sentences whose own clip is among the first ten."),
            Metric(
                "eval_median_rank",
                "Median rank",
                share=False,
                more_is_better=False,
                meaning="The place of a sentence's own clip, for the sentence in the middle: 1 is best.",
            ),
            Metric(
                "eval_clip_r1",
                "R@1 of captions",
                meaning="The share of clips for which one of their own captions comes first among all captions: the "
                "other direction.",
            ),
            Metric(
                "eval_clip_r5",
                "R@5 of captions",
                meaning="The share of clips with one of their own captions among the first five.",
            ),
            Metric(
                "eval_clip_r10",
                "R@10 of captions",
                meaning="The share of clips with one of their own captions among the first ten.",
            ),
        ),
        dataset_note="Learns to find clips by a sentence. Needs captions.",
        model_note="Finds clips by a sentence.",
        adapter_sentence="finds the clip that a sentence describes, and the sentence that describes a clip",
        finetune_note="Adapters learn which caption belongs to which clip; the base stays as it is.",
        pretrain_note=f"{_PRETRAIN} to tell a clip's own caption from those of the others in its batch.",
        trained_fully="Both projections are",
        head_size=HeadSize.STORED,
        contrastive=True,
        # Measured on the shipped base: `./loreel bench retrieval`.
        tiny_base_values={"optim.batch_size": "32", "optim.learning_rate": "3e-3", "qlora.dropout": "0"},
        tiny_base_epochs=2,
    ),
)

TASKS: Mapping[str, TaskSpec] = {row.key: row for row in _ROWS}
"""Every task by its stored key, in the order in which forms and filters show them."""
TASK_OF_MODEL: Mapping[str, TaskSpec] = {row.model_type: row for row in _ROWS}
"""What a run with such a base is about, by the stored model type."""
DEFAULT_TASK = Task.CLASSIFICATION
"""What a form starts with, and what a run is about that was launched before runs noted it."""
METRICS: Mapping[str, Metric] = {metric.name: metric for row in _ROWS for metric in row.every_metric}
"""Every metric of every task by its name."""
HEADLINES: tuple[Metric, ...] = tuple(row.headline(problem_type) for row in _ROWS for problem_type in ProblemType)
"""The metrics that stand for runs, by task and problem type."""


def task_spec(key: Any) -> TaskSpec:
    """The row of a stored key; the default task's where none is chosen or noted."""
    return TASKS.get(key, TASKS[DEFAULT_TASK])


def headline_in(values: Mapping[str, Any]) -> Metric | None:
    """The first headline that `values` holds: where a run's figures are known but not its task."""
    return next((metric for metric in HEADLINES if metric.name in values), None)
