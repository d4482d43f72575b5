"""VideoMAE (Tong et al. 2022): classifies clips with adapters on a 4-bit encoder, or learns on from masked clips."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jobs.families.protocol import Base, Collate, Score
from jobs.families.videomae.batches import ClassifyBatches, MaskedBatches
from jobs.video.cache import Sampling
from orchestrator.domain.errors import Invalid
from orchestrator.domain.recipes import Recipe, TrainingType


class VideoMAE:
    """Frame count and frame size are fixed by the checkpoint: its position table has one row a patch."""

    name = "videomae"
    title = "VideoMAE"
    pipeline_tag = "video-classification"
    auto_class = "AutoModelForVideoClassification"
    head = ("classifier",)

    def check(self, base: Base, recipe: Recipe, task: str) -> None:
        frames, size = int(base.config.get("num_frames", 16)), int(base.config.get("image_size", 224))
        if task != "classification" and recipe.training_type is TrainingType.FINETUNE:
            raise Invalid("VideoMAE classifies clips. Choose a dataset with classes, or another base.", "model_id")
        if recipe.data.frames not in (None, frames):
            raise Invalid(f"This base sees exactly {frames} frames. Leave Frames empty.", "data.frames")
        if recipe.data.size not in (None, size):
            raise Invalid(f"This base sees exactly {size} x {size} pixels. Leave Size empty.", "data.size")

    def sampling(self, base: Base, recipe: Recipe) -> Sampling:
        edge = int(base.config.get("image_size", 224))
        size = base.processor.get("size") or {"shortest_edge": edge}
        size = {"shortest_edge": size} if isinstance(size, int) else size
        crop = (edge, edge)
        if base.processor.get("do_center_crop", True) and isinstance(base.processor.get("crop_size"), dict):
            crop = (int(base.processor["crop_size"]["height"]), int(base.processor["crop_size"]["width"]))
        return Sampling(
            count=int(base.config.get("num_frames", 16)),
            size=tuple(sorted((str(k), int(v)) for k, v in size.items())),
            crop=crop,
            fps=recipe.data.fps,
            resample=int(base.processor.get("resample", 2)),
        )

    def load(self, base: Base, recipe: Recipe, class_names: Sequence[str], device: str) -> Any:
        from jobs.families.videomae.load import load_classifier, load_masked

        if recipe.training_type is TrainingType.PRETRAIN:
            return load_masked(base, device)
        return load_classifier(base, class_names, device, four_bit=recipe.qlora.enabled and recipe.qlora.bits == 4)

    def targets(self, recipe: Recipe) -> list[str]:
        return list(recipe.qlora.target_modules) or ["query", "key", "value", "dense"]

    def collate(self, base: Base, recipe: Recipe) -> Collate:
        if recipe.training_type is TrainingType.PRETRAIN:
            return MaskedBatches(base)
        return ClassifyBatches(base)

    def score(self, logits: Any, labels: NDArray[np.int64], recipe: Recipe) -> Score:
        if recipe.training_type is TrainingType.PRETRAIN:
            return Score({})
        raw = np.asarray(logits, np.float32)
        odds = np.exp(raw - raw.max(1, keepdims=True))
        odds /= odds.sum(1, keepdims=True)
        predicted = odds.argmax(1)
        return Score({"eval_accuracy": float((predicted == labels).mean())}, predicted, odds.max(1))


FAMILY = VideoMAE()
