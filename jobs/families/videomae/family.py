"""VideoMAE (Tong et al. 2022): classifies clips with adapters on a 4-bit encoder, or learns on from masked clips."""

from pathlib import Path
from typing import Any

from jobs.families.classification import class_chance, classify_program, keep_labels, score_classes
from jobs.families.protocol import Base, Collate, Items, Plan, Raw, Score
from jobs.families.videomae.batches import ClassifyBatches, MaskedBatches
from jobs.video.cache import Sampling
from orchestrator.domain.errors import Invalid
from orchestrator.domain.recipes import Recipe, TrainingType


class VideoMAE:
    """Frame count and frame size are fixed by the checkpoint: its position table has one row a patch."""

    name = "videomae"
    title = "VideoMAE"
    pipeline_tag = "video-classification"
    head = ("classifier",)
    reads_logits = True

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

    def load(self, plan: Plan) -> Any:
        from jobs.families.videomae.load import load_classifier, load_masked

        if plan.pretrains:
            return load_masked(plan.base, plan.device)
        return load_classifier(plan.base, plan.class_names, plan.device, plan.four_bit)

    def targets(self, recipe: Recipe, model: Any) -> list[str]:
        return list(recipe.qlora.target_modules) or ["query", "key", "value", "dense"]

    def collate(self, plan: Plan) -> Collate:
        return MaskedBatches(plan.base) if plan.pretrains else ClassifyBatches(plan.base)

    def chance(self, plan: Plan, held: int) -> dict[str, float]:
        return {} if plan.pretrains else class_chance(plan.class_names)

    def evaluate(self, plan: Plan, model: Any, held: Items, raw: Raw, final: bool) -> Score:
        if plan.pretrains or raw.labels is None:
            return Score()
        return score_classes(raw.logits, raw.labels, plan.class_names)

    def keep(self, plan: Plan, folder: Path) -> None:
        keep_labels(plan, folder)

    def program(self, plan: Plan, base_ref: str) -> tuple[str, str]:
        return classify_program(plan, base_ref, self.head[0])


FAMILY = VideoMAE()
