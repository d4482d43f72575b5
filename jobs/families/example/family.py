"""The template of a family, complete and small: an image classifier (ViT) that sees a clip frame by frame.

Copy this folder to add an architecture; `docs/families.md` walks through it. It is in no registry, so no page offers
it, but a test registers it for itself, trains it and runs its card.

The trainer calls a family in this order: `check` when the job begins, `sampling` before a frame is decoded,
`caption_warnings`, `load`, `targets`, `vision_encoder`, `collate`; `chance_level` or `evaluate` before the first step,
`evaluate` after each epoch and at the end; `save_processor` and `program` when the files are written. A family keeps no
state between two calls: everything is in the plan.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jobs.families.classification import (
    class_chance_level,
    classification_answers,
    classification_program,
    save_labels,
    score_predictions,
)
from jobs.families.example.batches import FrameCollator
from jobs.families.pixels import missing_processor_warning, sampling_for
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
    VisionEncoder,
)
from jobs.video.cache import ClipSampling
from orchestrator.domain.errors import Invalid
from orchestrator.domain.recipe_qlora import TrainingType
from orchestrator.domain.recipes import Recipe

FRAMES = 4
"""Frames of a clip where the recipe names no number."""
TARGETS = ("q_proj", "k_proj", "v_proj", "o_proj", "fc1", "fc2")
"""Name endings of the layers that get an adapter where the recipe names none."""


class Example:
    """ViT (Dosovitskiy et al. 2021): a clip's logits are the mean of its frames' logits."""

    name = "vit"
    title = "ViT, frame by frame"
    model_class = "ViTForImageClassification"
    pipeline_tag = "video-classification"
    head: tuple[str, ...] = ("classifier",)
    reads_logits = True
    is_contrastive = False

    def supports_checkpointing(self, plan: Plan) -> bool:
        """Called when the memory ran out; transformers' classes can, as long as their `forward` runs layer by layer."""
        return True

    def check(self, base: Base, recipe: Recipe, task: str) -> None:
        """Every sentence says what to change, and names the field of the job form where there is one."""
        if task != "classification":
            raise Invalid(f"{self.title} classifies clips. Choose a dataset with classes, or another base.", "model_id")
        if recipe.training_type is TrainingType.PRETRAIN:
            raise Invalid(f"{self.title} can be fine-tuned. Choose VideoMAE to pre-train.", "training_type")
        size = _edge(base)
        if recipe.data.size not in (None, size):
            raise Invalid(f"This base sees exactly {size} x {size} pixels. Leave Frame size empty.", "data.size")

    def sampling(self, base: Base, recipe: Recipe) -> ClipSampling:
        """Two runs with the same sampling share the decoded frames."""
        return sampling_for(base, recipe.data.frames or FRAMES, _edge(base), recipe.data.fps)

    def caption_warnings(self, plan: Plan, captions: Captions, conversations: Conversations = ()) -> list[str]:
        """A base that reads captions says here which ones it truncates, or raises Invalid with the clip's name."""
        return missing_processor_warning(plan.base)

    def load(self, plan: Plan) -> Any:
        """Imported here, because the registry reads a family's attributes long before torch is needed."""
        from jobs.families.example.load import FrameByFrame
        from jobs.families.load import load_classifier

        return load_classifier(plan, FrameByFrame, self.head)

    def targets(self, recipe: Recipe, model: Any) -> list[str] | str:
        """What was chosen in the job form has precedence."""
        return list(recipe.qlora.target_modules or TARGETS)

    def vision_encoder(self, plan: Plan, model: Any) -> VisionEncoder | None:
        """None: the encoder gets adapters and clips are augmented. `video_llm/vision_tower.py` has one to cache."""
        return None

    def collate(self, plan: Plan) -> Collate:
        return FrameCollator(plan)

    def chance_level(self, plan: Plan, clip_count: int) -> dict[str, float] | None:
        """The head is new, so the untouched base can only guess; with None, `evaluate` measures the base."""
        return class_chance_level(plan, clip_count)

    def evaluate(self, plan: Plan, model: Any, validation: Items, raw: RawOutput, final: bool) -> Score:
        """`raw` has all logits because of `reads_logits`; a family that generates does so from `validation` here."""
        return score_predictions(plan, raw)

    def predict(self, plan: Plan, model: Any, items: Sequence[Item], question: Question) -> list[Answer]:
        """For the playground: classes with their probabilities here, a sentence for a model that generates text."""
        pixels = FrameCollator(plan).normalize(items).to(plan.device)
        return classification_answers(plan, model(pixel_values=pixels)["logits"].float().cpu().numpy())

    def save_processor(self, plan: Plan, folder: Path) -> None:
        save_labels(plan, folder)

    def program(self, plan: Plan, base_ref: str) -> tuple[str, str]:
        """For another kind of model: a template of its own over `card_program`, as in `captioner/program.py`."""
        count = self.sampling(plan.base, plan.recipe).count
        return classification_program(
            plan,
            base_ref,
            self.head,
            count,
            self.model_class,
            reshape=f".reshape({count}, 3, *[config.image_size] * 2)",
            logits="model(pixel_values=pixels).logits.mean(0)",
        )


def _edge(base: Base) -> int:
    return int(base.config.get("image_size", 224))


FAMILY = Example()
