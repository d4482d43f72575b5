"""Shared by all classifying families: metrics, the class names saved with the adapter, the program of its card."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jobs.families.card_program import program_parts
from jobs.families.protocol import Answer, Plan, Score
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
    pixels = processor(sampled, return_tensors="pt")["pixel_values"]{reshape}
    with torch.no_grad():
        probabilities = {logits}.softmax(-1)
    best = int(probabilities.argmax())
    print(path, config.id2label[best], f"{{probabilities[best]:.3f}}", sep="\\t")
"""


def score_classes(logits: Any, labels: NDArray[np.int64], class_names: Sequence[str]) -> Score:
    """Accuracy, top-5 accuracy where there are more than five classes, and the confusion matrix (rows: true classes).

    Args:
        logits: (N, classes).
        labels: (N,) class indices.
    """
    raw = np.asarray(logits, np.float32)
    probabilities = softmax(raw)
    predicted = probabilities.argmax(1)
    values = {"eval_accuracy": float((predicted == labels).mean())}
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
    if len(class_names) > _MATRIX:
        return Score(values, clips, RunSummary(class_names=list(class_names)))
    matrix = np.zeros((len(class_names), len(class_names)), int)
    np.add.at(matrix, (labels, predicted), 1)
    return Score(values, clips, RunSummary(confusion_matrix=matrix.tolist(), class_names=list(class_names)))


def softmax(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    """(N, classes) logits to probabilities."""
    exponentials = np.exp(logits - logits.max(1, keepdims=True))
    return exponentials / exponentials.sum(1, keepdims=True)


def classification_answers(logits: NDArray[np.float32], class_names: Sequence[str]) -> list[Answer]:
    """(N, classes) logits to N answers, each with its classes from the most to the least probable."""
    rows = softmax(logits).tolist()
    ranked = [sorted(zip(class_names, row, strict=True), key=lambda pair: -pair[1]) for row in rows]
    return [Answer(probabilities=tuple((name, float(share)) for name, share in row)) for row in ranked]


def class_chance_level(class_names: Sequence[str]) -> dict[str, float]:
    """The metrics of random guessing; the head is new, so the untouched base can do no better."""
    count = max(1, len(class_names))
    return {"eval_accuracy": 1 / count} | ({"eval_top5": _TOP / count} if count > _TOP else {})


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

    Args:
        head: modules that are not quantized.
        count: frames that the model sees of a clip.
        reshape: a call behind the pixels, where the model takes another shape than the processor returns.
        logits: an expression for the (classes,) logits from `model` and `pixels`.
    """
    options = "config=config, ignore_mismatched_sizes=True, "
    parts = program_parts(plan, base_ref, model_class, head, ("AutoConfig", "AutoImageProcessor"), options)
    return "classify.py", _PROGRAM.format(**parts, count=count, reshape=reshape, logits=logits)


def _write(path: Path, content: Any) -> None:
    path.write_text(json.dumps(content, indent=2) + "\n")
