"""What every video encoder with a class head shares; a family says its names, sizes and what is special about it."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from jobs.families.classification import (
    class_chance_level,
    classification_answers,
    classification_program,
    save_labels,
    score_classes,
)
from jobs.families.pixels import ClassificationCollator, ClipNormalizer, missing_processor_warning, sampling_for
from jobs.families.protocol import Answer, Base, Captions, Collate, Item, Items, Plan, Question, RawOutput, Score
from jobs.video.cache import Sampling
from orchestrator.domain.errors import Invalid
from orchestrator.domain.recipe_qlora import TrainingType
from orchestrator.domain.recipes import Recipe


class Encoder:
    """A `...ForVideoClassification` of transformers with a fresh head; its frame size is fixed by the checkpoint."""

    name: str
    title: str
    pipeline_tag = "video-classification"
    head: tuple[str, ...] = ("classifier",)
    reads_logits = True
    is_contrastive = False
    model_class: str
    """The class of transformers."""
    pixels_name: ClassVar[str] = "pixel_values"
    """What `forward` calls the clips."""
    linear: ClassVar[tuple[str, ...]]
    """Name endings of the layers that get an adapter."""
    renamed: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    """Where a checkpoint's file names its layers otherwise than the loaded model: file's ending to the model's."""

    def frame_count(self, base: Base) -> int:
        """Frames the checkpoint was made for."""
        return int(base.config.get("num_frames", 8))

    def frame_edge(self, base: Base) -> int:
        """Pixels of a side."""
        edge = base.config.get("image_size", 224)
        return int(edge[0] if isinstance(edge, list) else edge)

    def check(self, base: Base, recipe: Recipe, task: str) -> None:
        if task != "classification" and recipe.training_type is TrainingType.FINETUNE:
            raise Invalid(f"{self.title} classifies clips. Choose a dataset with classes, or another base.", "model_id")
        self.check_training_type(recipe)
        self.check_frames(base, recipe)
        size = self.frame_edge(base)
        if recipe.data.size not in (None, size):
            raise Invalid(f"This base sees exactly {size} x {size} pixels. Leave Frame size empty.", "data.size")

    def check_training_type(self, recipe: Recipe) -> None:
        """Which training types the family knows."""
        if recipe.training_type is TrainingType.PRETRAIN:
            text = f"Pre-training goes on with VideoMAE or with captioned clips; {self.title} can be fine-tuned."
            raise Invalid(text, "training_type")

    def check_frames(self, base: Base, recipe: Recipe) -> None:
        """Which frame counts the checkpoint takes."""
        frames = self.frame_count(base)
        if recipe.data.frames not in (None, frames):
            raise Invalid(f"This base sees exactly {frames} frames. Leave Frames empty.", "data.frames")

    def sampling(self, base: Base, recipe: Recipe) -> Sampling:
        count = recipe.data.frames or self.frame_count(base)
        return sampling_for(base, count, self.frame_edge(base), recipe.data.fps)

    def caption_warnings(self, plan: Plan, told: Captions) -> list[str]:
        return missing_processor_warning(plan.base)

    def load(self, plan: Plan) -> Any:
        from jobs.families.load import load_classifier

        return load_classifier(plan, self.model_class, self.head)

    def targets(self, recipe: Recipe, model: Any) -> list[str] | str:
        asked = recipe.qlora.target_modules
        return [name for ending in asked for name in self.renamed.get(ending, (ending,))] or list(self.linear)

    def collate(self, plan: Plan) -> Collate:
        return ClassificationCollator(plan.base, self.pixels_name)

    def supports_checkpointing(self, plan: Plan) -> bool:
        return True

    def vision_encoder(self, plan: Plan, model: Any) -> None:
        return None  # its tower learns, and clips are varied

    def chance_level(self, plan: Plan, held: int) -> dict[str, float] | None:
        return {} if plan.is_pretraining else class_chance_level(plan.class_names)

    def evaluate(self, plan: Plan, model: Any, held: Items, raw: RawOutput, final: bool) -> Score:
        if plan.is_pretraining or raw.labels is None:
            return Score()
        return score_classes(raw.logits, raw.labels, plan.class_names)

    def predict(self, plan: Plan, model: Any, items: Sequence[Item], question: Question) -> list[Answer]:
        pixels = ClipNormalizer(plan.base).normalize(items).to(plan.device)
        return classification_answers(
            model(**{self.pixels_name: pixels}).logits.float().cpu().numpy(), plan.class_names
        )

    def save_processor(self, plan: Plan, folder: Path) -> None:
        save_labels(plan, folder)

    def program(self, plan: Plan, base_ref: str) -> tuple[str, str]:
        count = self.sampling(plan.base, plan.recipe).count
        return classification_program(plan, base_ref, self.head, count, self.pixels_name)
