"""Two real steps and a first evaluation of a recipe, on the device that will train it: what memory and time they take.

`python -m jobs.trainer.rehearsal SPEC.json` writes `result.json` next to the spec: a `result`, or an `error` sentence.
"""

import json
import os
import re
import resource
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jobs.processes.parent_death import die_with_declared_parent
from jobs.trainer.malloc import keep_freed_memory
from jobs.trainer.silence import silence_libraries
from jobs.trainer.startup import import_without_extras

STEPS = 2
_VALIDATION = 16
"""Validation clips that are evaluated."""
_CUDA_CONTEXT = 600 * 10**6


def rehearse(spec: Any) -> dict[str, Any]:
    """The measurements. Sizes in bytes, times in seconds: `step_s` for one batch, `eval_s` and `decode_s` for one clip.

    Raises:
        AppError: the recipe cannot be trained; the sentence says what to change.
    """
    import torch
    from transformers import set_seed

    from jobs.sinks.recorder import Recorder
    from jobs.trainer.data import load_data
    from jobs.trainer.setup import apply_liger_kernels, check_clips, load_with_adapters, plan_run
    from jobs.trainer.split import Split
    from jobs.trainer.stopping import StopSignal

    began = time.monotonic()
    family, splits, plan, annotations = plan_run(spec)
    recipe, base = plan.recipe, plan.base
    warnings = [
        *check_clips(spec, plan, annotations),
        *family.caption_warnings(plan, annotations.captions, annotations.conversations),
    ]
    set_seed(recipe.optim.seed)
    model = load_with_adapters(family, plan)
    loaded = time.monotonic()
    few = Split(
        tuple(_some(splits.train, STEPS * recipe.optim.batch_size)),
        tuple(_some(splits.validation, _VALIDATION)),
    )
    clips = load_data(spec, plan, family, model, few, Recorder(0, 0, []), StopSignal())
    training, validation = clips.training, clips.validation
    for side in (training, validation):
        for index in range(len(side)):
            side[index]
    decoded = time.monotonic()
    apply_liger_kernels(family, plan, model, training)
    counter = _TokenCounter(family.collate(plan))
    labels = [clip.label for clip in few.train]
    trainer, clock = _trainer(Path(spec.folder), family, plan, model, training, validation, counter, labels)
    trainer.train()
    trained = time.monotonic()
    if len(validation):
        trainer.evaluate()
    evaluated = time.monotonic()
    return {
        "device_class": "cpu" if plan.device == "cpu" else "gpu",
        "revision": spec.model_revision,
        "memory_bytes": _peak(torch),
        "load_s": round(loaded - began, 3),
        "decode_s": round((decoded - loaded) / max(1, len(training) + len(validation)), 5),
        "step_s": round(clock.best, 4),
        "eval_s": round((evaluated - trained) / max(1, len(validation)), 4),
        "trainable": sum(p.numel() for p in model.parameters() if p.requires_grad),
        "frames": _clip_shape(family.sampling(base, recipe), training),
        "visual_tokens": counter.visual,
        "context_tokens": counter.width,
        "targets": adapted_layers(model),
        "vision_frozen": _vision_frozen(family, model),
        "remarks": warnings,
    }


def adapted_layers(model: Any) -> list[dict[str, Any]]:
    """The layers that have an adapter, by name ending: how many, and their trainable parameters."""
    sizes_of: dict[str, list[int]] = {}
    for name, module in model.named_modules():
        if hasattr(module, "lora_A") and hasattr(module, "lora_B"):
            trainable = sum(p.numel() for p in (*module.lora_A.parameters(), *module.lora_B.parameters()))
            sizes_of.setdefault(_ending(name), []).append(trainable)
    return [{"suffix": suffix, "count": len(sizes), "parameters": sum(sizes)} for suffix, sizes in sizes_of.items()]


def _ending(name: str) -> str:
    """The last part of a layer's name, with the one before it where it is a number."""
    parts = name.split(".")
    return ".".join(parts[-2:]) if parts[-1].isdigit() else parts[-1]


class _TokenCounter:
    """A collator that counts tokens: of the longest sequence, and of those that stand for a clip."""

    def __init__(self, collate: Any) -> None:
        self._collate = collate
        self._video_token = collate.video_token_id() if hasattr(collate, "video_token_id") else None
        self.width = self.visual = 0

    def __call__(self, items: Sequence[Any]) -> dict[str, Any]:
        batch = self._collate(items)
        ids = batch.get("input_ids")
        if ids is not None:
            self.width = max(self.width, int(ids.shape[1]))
            if self._video_token is not None:
                self.visual = max(self.visual, int((ids == self._video_token).sum(1).max()))
        return batch


def _trainer(
    folder: Path,
    family: Any,
    plan: Any,
    model: Any,
    training: Any,
    validation: Any,
    collate: Any,
    labels: Sequence[str],
) -> tuple[Any, Any]:
    from jobs.families.class_loss import class_loss_of
    from jobs.trainer.callbacks import StepClock
    from jobs.trainer.hf_trainer import VideoTrainer, training_arguments
    from orchestrator.domain.tasks import TASKS

    short = plan.recipe.model_copy(
        update={"optim": plan.recipe.optim.model_copy(update={"max_steps": STEPS, "gradient_accumulation": 1})}
    )
    clock, reads_logits = StepClock(), family.reads_logits and not plan.is_pretraining
    arguments = training_arguments(
        folder, short, STEPS, False, reads_logits, plan.device, decodes=training.kept is None
    )
    arguments.save_strategy = "no"
    trainer = VideoTrainer(
        model=model,
        args=arguments,
        train_dataset=training,
        eval_dataset=validation if len(validation) else None,
        data_collator=collate,
        evaluate_family=lambda model, items, raw, final: family.evaluate(plan, model, items, raw, final),
        headline=TASKS[plan.task].headline(plan.problem_type),
        recipe=short,
        class_loss=class_loss_of(plan, labels),
        callbacks=[clock],
    )
    return trainer, clock


def _clip_shape(sampling: Any, clips: Any) -> list[int]:
    """Frames, height and width of a clip as the model gets it: of the largest where each has its own shape."""
    if not hasattr(sampling, "size"):
        shapes = [list(clips.frames(index).shape[:3]) for index in range(len(clips))]
        return max(shapes, key=lambda shape: shape[0] * shape[1] * shape[2])
    edges = dict(sampling.size)
    edge = edges.get("shortest_edge", 0)
    height, width = sampling.crop or (edges.get("height", edge), edges.get("width", edge))
    return [sampling.count, height, width]


def _vision_frozen(family: Any, model: Any) -> bool:
    """True where the family has a vision tower of which no parameter is trained."""
    towers = getattr(getattr(family, "architecture", None), "vision_modules", ())
    inside = re.compile("|".join(re.escape(tower) + r"\." for tower in towers)) if towers else None
    return bool(inside) and not any(p.requires_grad for name, p in model.named_parameters() if inside.search(name))


def _some(clips: Sequence[Any], count: int) -> list[Any]:
    """Clips of each class in turn, so that a few represent all."""
    rows: dict[str, list[Any]] = {}
    for clip in clips:
        rows.setdefault(clip.label, []).append(clip)
    turns = [clip for place in zip(*(_filled(row, len(clips)) for row in rows.values()), strict=True) for clip in place]
    return [clip for clip in turns if clip is not None][:count]


def _filled(row: list[Any], length: int) -> list[Any]:
    return row + [None] * (length - len(row))


def _peak(torch: Any) -> int:
    """The peak memory of this process, or of its GPU where it trained on one."""
    if torch.cuda.is_available():
        return int(torch.cuda.max_memory_reserved()) + _CUDA_CONTEXT
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return int(peak) * (1 if sys.platform == "darwin" else 1024)


def main(path: Path) -> int:
    """Reads the spec, rehearses, writes the result; the exit code is 0 even where the result is a refusal."""
    from jobs.runs.spec import TrainSpec
    from jobs.trainer.oom_recovery import is_out_of_memory
    from jobs.trainer.train_result import failed_result
    from orchestrator.domain.errors import AppError

    spec = TrainSpec.load(path)
    outcome: dict[str, Any]
    try:
        outcome = {"result": rehearse(spec)}
    except AppError as error:
        outcome = {"error": error.message, "field": error.field}
    except BaseException as error:
        outcome = {"error": failed_result(error).error, "field": "data.frames" if is_out_of_memory(error) else ""}
    part = path.with_name("result.part")
    part.write_text(json.dumps(outcome))
    os.replace(part, path.with_name("result.json"))
    return 0


if __name__ == "__main__":
    die_with_declared_parent()
    silence_libraries()
    keep_freed_memory()
    import_without_extras()
    sys.exit(main(Path(sys.argv[1])))
