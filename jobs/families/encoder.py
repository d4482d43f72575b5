"""Shared by all video encoders with a classification head; a family adds its names, sizes and exceptions."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from jobs.families.classification import (
    ClassificationCollator,
    class_chance_level,
    classification_answers,
    classification_program,
    save_labels,
    score_predictions,
)
from jobs.families.pixels import ClipNormalizer, missing_processor_warning, sampling_for
from jobs.families.protocol import (
    Answer,
    Base,
    Captions,
    Collate,
    Conversations,
    Item,
    Items,
    Plan,
    Question,
    RawOutput,
    Score,
)
from jobs.video.cache import Sampling
from orchestrator.domain.errors import Invalid
from orchestrator.domain.families import FAMILIES, ClipRule
from orchestrator.domain.recipe_qlora import TrainingType
from orchestrator.domain.recipes import Recipe


class Encoder:
    """A `...ForVideoClassification` of transformers with a new head; its frame size is fixed by the checkpoint."""

    name: str
    title: str
    pipeline_tag = "video-classification"
    head: tuple[str, ...] = ("classifier",)
    reads_logits = True
    is_contrastive = False
    model_class: str
    pixels_argument: ClassVar[str] = "pixel_values"
    """The argument of the model's `forward` that takes the clips."""
    default_targets: ClassVar[tuple[str, ...]]
    """Name endings of the layers that get an adapter where the recipe names none."""
    renamed_layers: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    """Name endings in the checkpoint's file to those of the loaded model, where they differ."""

    @property
    def clip_rule(self) -> ClipRule:
        """The clips that the family takes, as the preflight knows them, too."""
        return FAMILIES[self.name].clip or ClipRule(8)

    def frame_count(self, base: Base) -> int:
        """Frames that the checkpoint was trained with."""
        return int(base.config.get("num_frames") or self.clip_rule.frames)

    def frame_edge(self, base: Base) -> int:
        """Width and height of a frame in pixels."""
        edge = base.config.get("image_size") or self.clip_rule.edge
        return int(edge[0] if isinstance(edge, list) else edge)

    def supports_checkpointing(self, plan: Plan) -> bool:
        return True

    def check(self, base: Base, recipe: Recipe, task: str) -> None:
        if task != "classification" and recipe.training_type is TrainingType.FINETUNE:
            raise Invalid(f"{self.title} classifies clips. Choose a dataset with classes, or another base.", "model_id")
        self.check_training_type(recipe)
        self.check_frames(base, recipe)
        size = self.frame_edge(base)
        if recipe.data.size not in (None, size):
            raise Invalid(f"This base sees exactly {size} x {size} pixels. Leave Frame size empty.", "data.size")

    def check_training_type(self, recipe: Recipe) -> None:
        """Raises Invalid for a training type that the family does not support."""
        if recipe.training_type is TrainingType.PRETRAIN:
            text = f"Pre-training needs a VideoMAE base or clips with captions; {self.title} can be fine-tuned."
            raise Invalid(text, "training_type")

    def check_frames(self, base: Base, recipe: Recipe) -> None:
        """Raises Invalid for a frame count that the checkpoint does not take."""
        tubelet = base.config.get("tubelet_size")
        step = tubelet if isinstance(tubelet, int) else 0
        if problem := self.clip_rule.frames_problem(recipe.data.frames, self.frame_count(base), step):
            raise Invalid(problem, "data.frames")

    def sampling(self, base: Base, recipe: Recipe) -> Sampling:
        count = recipe.data.frames or self.frame_count(base)
        return sampling_for(base, count, self.frame_edge(base), recipe.data.fps)

    def caption_warnings(self, plan: Plan, captions: Captions, conversations: Conversations = ()) -> list[str]:
        return missing_processor_warning(plan.base)

    def load(self, plan: Plan) -> Any:
        import transformers

        from jobs.families.load import load_classifier

        return load_classifier(plan, getattr(transformers, self.model_class), self.head)

    def targets(self, recipe: Recipe, model: Any) -> list[str] | str:
        chosen = recipe.qlora.target_modules
        names = [name for ending in chosen for name in self.renamed_layers.get(ending, (ending,))]
        return names or list(self.default_targets)

    def vision_encoder(self, plan: Plan, model: Any) -> None:
        return None  # its layers get adapters, and clips are augmented

    def collate(self, plan: Plan) -> Collate:
        return ClassificationCollator(plan, self.pixels_argument)

    def chance_level(self, plan: Plan, clip_count: int) -> dict[str, float] | None:
        return {} if plan.is_pretraining else class_chance_level(plan, clip_count)

    def evaluate(self, plan: Plan, model: Any, validation: Items, raw: RawOutput, final: bool) -> Score:
        return Score() if plan.is_pretraining else score_predictions(plan, raw)

    def predict(self, plan: Plan, model: Any, items: Sequence[Item], question: Question) -> list[Answer]:
        pixels = ClipNormalizer(plan.base).normalize(items).to(plan.device)
        logits = model(**{self.pixels_argument: pixels}).logits.float().cpu().numpy()
        return classification_answers(plan, logits)

    def save_processor(self, plan: Plan, folder: Path) -> None:
        save_labels(plan, folder)

    def program(self, plan: Plan, base_ref: str) -> tuple[str, str]:
        count = self.sampling(plan.base, plan.recipe).count
        logits = f"model({self.pixels_argument}=pixels).logits[0]"
        return classification_program(plan, base_ref, self.head, count, logits=logits)
