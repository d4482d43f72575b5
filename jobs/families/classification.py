"""What every family that classifies shares: the score, the labels beside the adapter, the program of its card."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jobs.families.frame_picking_code import picking
from jobs.families.protocol import Answer, Plan, Score
from orchestrator.domain.run_summary import Prediction, RunSummary

_MATRIX = 100
"""Classes up to which the confusion matrix goes into the summary."""
_TOP = 5


def score_classes(logits: Any, labels: NDArray[np.int64], class_names: Sequence[str]) -> Score:
    """Accuracy, top-5 where there are more classes than five, confusion matrix (rows are true classes)."""
    raw = np.asarray(logits, np.float32)
    probabilities = softmax(raw)
    predicted = probabilities.argmax(1)
    values = {"eval_accuracy": float((predicted == labels).mean())}
    if raw.shape[1] > _TOP:
        best = np.argsort(-raw, axis=1)[:, :_TOP]
        values["eval_top5"] = float((best == labels[:, None]).any(1).mean())
    clips = [
        Prediction(
            reference=class_names[true],
            predicted=class_names[said],
            confidence=round(float(probabilities[i, said]), 4),
        )
        for i, (true, said) in enumerate(zip(map(int, labels), map(int, predicted), strict=True))
    ]
    if len(class_names) > _MATRIX:
        return Score(values, clips)
    matrix = np.zeros((len(class_names), len(class_names)), int)
    np.add.at(matrix, (labels, predicted), 1)
    return Score(values, clips, RunSummary(confusion_matrix=matrix.tolist(), class_names=list(class_names)))


def softmax(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    """(N, classes) logits to probabilities."""
    probabilities = np.exp(logits - logits.max(1, keepdims=True))
    return probabilities / probabilities.sum(1, keepdims=True)


def classification_answers(logits: Any, class_names: Sequence[str]) -> list[Answer]:
    """(N, classes) logits to an answer each."""
    ranked = [sorted(zip(class_names, row, strict=True), key=lambda pair: -pair[1]) for row in softmax(logits).tolist()]
    return [Answer(probabilities=tuple((name, float(share)) for name, share in row)) for row in ranked]


def class_chance_level(class_names: Sequence[str]) -> dict[str, float]:
    """What guessing reaches: the head is fresh, so the untouched base can do no better."""
    count = max(1, len(class_names))
    return {"eval_accuracy": 1 / count} | ({"eval_top5": _TOP / count} if count > _TOP else {})


def save_labels(plan: Plan, folder: Path) -> None:
    """Writes the processor, the classes, and the base's config with these classes."""
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
    plan: Plan, base_ref: str, head: Sequence[str], count: int, pixels_name: str = "pixel_values"
) -> tuple[str, str]:
    """`classify.py`.

    Args:
        head: modules that are not quantized.
        count: frames seen of a clip.
        pixels_name: what the model's `forward` calls the clips.
    """
    picked = picking("count", plan.recipe.data.fps)
    program = _PROGRAM.format(
        rule=picked.rule,
        rate=picked.rate,
        seen=picked.seen,
        extra_import=", BitsAndBytesConfig" if plan.four_bit else "",
        base=base_ref,
        exact=_EXACT if plan.four_bit else "",
        count=count,
        pixels=pixels_name,
        quantization=_QUANTIZED.format(head=json.dumps(list(head))).rstrip("\n") if plan.four_bit else "",
    )
    return "classify.py", program


def _write(path: Path, content: Any) -> None:
    path.write_text(json.dumps(content, indent=2) + "\n")


_PROGRAM = """import sys
from pathlib import Path

import av
import numpy as np
import torch
from peft import PeftModel
from transformers import AutoConfig, AutoModelForVideoClassification{extra_import}, AutoImageProcessor

here = Path(__file__).resolve().parent
config = AutoConfig.from_pretrained(here)
base = AutoModelForVideoClassification.from_pretrained(
    {base}, config=config, ignore_mismatched_sizes=True, dtype=torch.float32{quantization}
){exact}
model = PeftModel.from_pretrained(base, here).eval()
processor = AutoImageProcessor.from_pretrained(here)
{rule}
for path in sys.argv[1:]:
    with av.open(path) as clip:
{rate}        # Upright, as players show it: phones note how they were held.
        frames = [
            np.rot90(frame.to_ndarray(format="rgb24"), round(frame.rotation / 90)).copy()
            for frame in clip.decode(video=0)
        ]
    count = {count}
    seen = {seen}
    pixels = processor(seen, return_tensors="pt")["pixel_values"]
    with torch.no_grad():
        odds = model({pixels}=pixels).logits.softmax(-1)[0]
    best = int(odds.argmax())
    print(path, config.id2label[best], f"{{odds[best]:.3f}}", sep="\\t")
"""
_EXACT = """
for layer in base.modules():
    if hasattr(layer, "support_avx512bf16_for_cpu"):
        layer.support_avx512bf16_for_cpu = False  # bitsandbytes' shortcut: other numbers, and not for every width"""
_QUANTIZED = """,
    quantization_config=BitsAndBytesConfig(
        load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=torch.float32, llm_int8_skip_modules={head},
    ),
"""
