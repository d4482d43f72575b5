"""Shared by all classifying families: targets, metrics, the class names saved with the adapter, the card's program."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from jobs.families.augment import mix_clips
from jobs.families.card_program import program_parts
from jobs.families.class_metrics import (
    chance_metrics,
    class_figures,
    class_intervals,
    class_metrics,
    confusion_matrix,
)
from jobs.families.intervals import mean_intervals
from jobs.families.multi_label import multi_label_chance_level, score_multi_label, sigmoid
from jobs.families.pixels import ClipNormalizer
from jobs.families.protocol import Answer, Item, Plan, RawOutput, Score
from orchestrator.domain.run_summary import Prediction, RunSummary

_MATRIX = 100
"""Classes up to which the confusion matrix goes into the summary."""
_TOP = 5
_PROGRAM = """{imports}
here = Path(__file__).resolve().parent
config = AutoConfig.from_pretrained(here)
{base}
model = PeftModel.from_pretrained(base, here).eval()
processor = AutoImageProcessor.from_pretrained(here)
count = {count}
{functions}
for path in sys.argv[1:]:
{read_frames}
    pixels = processor(sampled, return_tensors="pt")["pixel_values"]{reshape}.to(device)
    with torch.no_grad():
{print}
"""
_PRINT_BEST = """        probabilities = {logits}.softmax(-1)
    best = int(probabilities.argmax())
    print(path, config.id2label[best], f"{{probabilities[best]:.3f}}", sep="\\t")"""
_PRINT_ALL = """        scores = {logits}.sigmoid()
    for index in scores.argsort(descending=True).tolist():  # a class is predicted from a score of 0.5
        print(path, config.id2label[index], f"{{scores[index]:.3f}}", sep="\\t")"""


def class_targets(plan: Plan, items: Sequence[Item]) -> torch.Tensor:
    """The `labels` of a batch: (B,) class indices, or (B, classes) of 0 and 1 where a clip may have several classes."""
    if not plan.is_multi_label:
        return torch.tensor([item["label"] for item in items], dtype=torch.long)
    targets = torch.zeros(len(items), len(plan.class_names))
    for row, item in enumerate(items):
        targets[row, item["labels"]] = 1.0
    return targets


class ClassificationCollator(ClipNormalizer):
    """Items to pixel values (B, T, 3, H, W), under the name of the `forward` argument, and `labels`."""

    def __init__(self, plan: Plan, argument: str = "pixel_values") -> None:
        super().__init__(plan.base, plan.recipe)
        self._plan, self._argument = plan, argument

    def __call__(self, items: Sequence[Item]) -> dict[str, Any]:
        pixels, targets = self.normalize_and_augment(items), class_targets(self._plan, items)
        settings = self._plan.recipe.augment
        if settings.mixes and all(item["training"] for item in items):
            pixels, targets = mix_clips(pixels, targets, len(self._plan.class_names), items, settings)
        return {self._argument: pixels, "labels": targets}


def score_predictions(plan: Plan, raw: RawOutput) -> Score:
    """The metrics of the plan's problem type on the whole validation split."""
    if raw.labels is None:
        return Score()
    score = score_multi_label if plan.is_multi_label else score_classes
    return score(raw.logits, raw.labels, plan.class_names)


def score_classes(logits: Any, labels: NDArray[np.int64], class_names: Sequence[str]) -> Score:
    """Accuracy, balanced accuracy, macro F1, top-5 accuracy where there are more than five classes, figures by class,
    and the confusion matrix (rows: true classes).

    Args:
        logits: (N, classes).
        labels: (N,) class indices.
    """
    raw = np.asarray(logits, np.float32)
    probabilities = softmax(raw)
    predicted = probabilities.argmax(1)
    matrix = confusion_matrix(labels, predicted, len(class_names))
    values = class_metrics(matrix)
    if raw.shape[1] > _TOP:
        best = np.argsort(-raw, axis=1)[:, :_TOP]
        values["eval_top5"] = float((best == labels[:, None]).any(1).mean())
    clips = [
        Prediction(
            reference=class_names[label],
            predicted=class_names[choice],
            confidence=round(float(probabilities[row, choice]), 4),
        )
        for row, (label, choice) in enumerate(zip(map(int, labels), map(int, predicted), strict=True))
    ]
    summary = RunSummary(class_names=list(class_names), by_class=class_figures(matrix, tuple(class_names)))
    if len(class_names) > _MATRIX:
        intervals = mean_intervals({"eval_accuracy": (predicted == labels).astype(float)})
        return Score(values, clips, summary.merged(RunSummary(intervals=intervals)))
    shown = RunSummary(confusion_matrix=matrix.tolist(), intervals=class_intervals(matrix))
    return Score(values, clips, summary.merged(shown))


def softmax(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    """(N, classes) logits to probabilities."""
    exponentials = np.exp(logits - logits.max(1, keepdims=True))
    return exponentials / exponentials.sum(1, keepdims=True)


def classification_answers(plan: Plan, logits: NDArray[np.float32]) -> list[Answer]:
    """(N, classes) logits to N answers, each with its classes from the most to the least probable."""
    rows = (sigmoid(logits) if plan.is_multi_label else softmax(logits)).tolist()
    ranked = [sorted(zip(plan.class_names, row, strict=True), key=lambda pair: -pair[1]) for row in rows]
    return [Answer(probabilities=tuple(row), problem_type=plan.problem_type) for row in ranked]


def class_chance_level(plan: Plan, clip_count: int) -> dict[str, float]:
    """The metrics of a head that learned nothing: random scores for several labels, else always the largest class."""
    if plan.is_multi_label:
        return multi_label_chance_level(plan.held_out_counts, clip_count)
    counts = plan.held_out_counts if any(plan.held_out_counts) else [1] * max(1, len(plan.class_names))
    clips = np.asarray(counts, float)
    return chance_metrics(clips / clips.sum(), _TOP)


def save_labels(plan: Plan, folder: Path) -> None:
    """Writes the processor's settings, the class names, and the base's config with these classes."""
    if plan.base.processor:
        _write(folder / "preprocessor_config.json", plan.base.processor)
    names = list(plan.class_names)
    if plan.is_pretraining or not names or not (folder / "adapter_config.json").exists():
        return
    left_out = ("_name_or_path", "quantization_config", "num_labels")
    config = {key: value for key, value in plan.base.config.items() if key not in left_out}
    config["id2label"] = {str(index): name for index, name in enumerate(names)}
    config["label2id"] = {name: index for index, name in enumerate(names)}
    config["problem_type"] = plan.problem_type.value
    _write(folder / "config.json", config)
    _write(folder / "labels.json", names)


def classification_program(
    plan: Plan,
    base_ref: str,
    head: Sequence[str],
    count: int,
    model_class: str = "AutoModelForVideoClassification",
    reshape: str = "",
    logits: str = "model(pixel_values=pixels).logits[0]",
) -> tuple[str, str]:
    """File name and source of a program that prints each clip's path, its class and the class's probability.

    Where a clip may have several classes, it prints a line for each class, the highest score first.

    Args:
        head: modules that are not quantized.
        count: frames that the model sees of a clip.
        reshape: a call behind the pixels, where the model takes another shape than the processor returns.
        logits: an expression for the (classes,) logits from `model` and `pixels`.
    """
    options = "config=config, ignore_mismatched_sizes=True, "
    parts = program_parts(plan, base_ref, model_class, head, ("AutoConfig", "AutoImageProcessor"), options)
    lines = (_PRINT_ALL if plan.is_multi_label else _PRINT_BEST).format(logits=logits)
    return "classify.py", _PROGRAM.format(**parts, count=count, reshape=reshape, print=lines)


def _write(path: Path, content: Any) -> None:
    path.write_text(json.dumps(content, indent=2) + "\n")
