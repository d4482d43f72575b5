"""The template of a family, complete and small: a picture classifier (ViT) that sees a clip frame by frame.

Copy this folder to add an architecture; `docs/families.md` walks through it. It stands in no registry, so no page
offers it, but a test registers it for itself, trains it and runs its card.

A family is asked in this order: `check` when the job begins, `sampling` before a frame is decoded, `remarks`, `load`,
`targets`, `collate`; `chance` or `evaluate` before the first step, `evaluate` after each epoch and at the end; `keep`
and `program` when the files are written. Nothing here is remembered between two calls: everything is in the plan.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jobs.families.classification import class_chance_level, classification_answers, save_labels, score_classes
from jobs.families.example.batches import FrameCollator
from jobs.families.pixels import missing_processor_warning, sampling_for
from jobs.families.protocol import (
    Answer,
    Base,
    Captions,
    Collate,
    Item,
    Items,
    Plan,
    Question,
    RawOutput,
    Score,
    VisionEncoder,
)
from jobs.video.cache import Sampling
from orchestrator.domain.errors import Invalid
from orchestrator.domain.recipe_qlora import TrainingType
from orchestrator.domain.recipes import Recipe

FRAMES = 4
"""Seen of a clip where the recipe asks for no number."""
LINEAR = ("q_proj", "k_proj", "v_proj", "o_proj", "fc1", "fc2")
"""Name endings of the layers that get an adapter where the recipe names none."""


class Example:
    """ViT (Dosovitskiy et al. 2021): the mean of its frames' logits stands for the clip."""

    name = "vit"
    title = "ViT, frame by frame"
    model_class = "ViTForImageClassification"
    pipeline_tag = "video-classification"
    head: tuple[str, ...] = ("classifier",)
    reads_logits = True
    is_contrastive = False

    def supports_checkpointing(self, plan: Plan) -> bool:
        """Asked when the memory ran out; transformers' classes can, as long as their `forward` runs layer by layer."""
        return True

    def check(self, base: Base, recipe: Recipe, task: str) -> None:
        """Every sentence says what to change, and names the field of the wizard where there is one."""
        if task != "classification":
            raise Invalid(f"{self.title} classifies clips. Choose a dataset with classes, or another base.", "model_id")
        if recipe.training_type is TrainingType.PRETRAIN:
            raise Invalid(f"{self.title} can be fine-tuned. Choose VideoMAE to pre-train.", "training_type")
        size = _edge(base)
        if recipe.data.size not in (None, size):
            raise Invalid(f"This base sees exactly {size} x {size} pixels. Leave Frame size empty.", "data.size")

    def sampling(self, base: Base, recipe: Recipe) -> Sampling:
        """The key of the frame cache: two runs that ask for the same pixels share them."""
        return sampling_for(base, recipe.data.frames or FRAMES, _edge(base), recipe.data.fps)

    def caption_warnings(self, plan: Plan, told: Captions) -> list[str]:
        """A base that reads captions says here which of them it cuts off, or raises Invalid with the clip's name."""
        return missing_processor_warning(plan.base)

    def load(self, plan: Plan) -> Any:
        """Imports inside: the registry asks a family for its name long before torch is needed."""
        from jobs.families.example.load import load_frames

        return load_frames(plan, self.head)

    def targets(self, recipe: Recipe, model: Any) -> list[str] | str:
        """What the person chose in the wizard goes first."""
        return list(recipe.qlora.target_modules or LINEAR)

    def vision_encoder(self, plan: Plan, model: Any) -> VisionEncoder | None:
        """Adapters lie in the tower and clips are varied: nothing can be kept. `video_llm/eye.py` is one that can."""
        return None

    def collate(self, plan: Plan) -> Collate:
        return FrameCollator(plan.base)

    def chance_level(self, plan: Plan, held: int) -> dict[str, float] | None:
        """The head is fresh, so the untouched base can only guess; return None and it is measured with `evaluate`."""
        return class_chance_level(plan.class_names)

    def evaluate(self, plan: Plan, model: Any, held: Items, raw: RawOutput, final: bool) -> Score:
        """`raw` carries all logits because `reads_logits` is True; a family that writes generates from `held` here."""
        return Score() if raw.labels is None else score_classes(raw.logits, raw.labels, plan.class_names)

    def predict(self, plan: Plan, model: Any, items: Sequence[Item], question: Question) -> list[Answer]:
        """The playground's question: classes with their odds here, a sentence where the model writes."""
        batch = FrameCollator(plan.base)([item | {"learn": False, "label": -1} for item in items])
        logits = model(pixel_values=batch["pixel_values"].to(plan.device))["logits"]
        return classification_answers(logits.float().cpu().numpy(), plan.class_names)

    def save_processor(self, plan: Plan, folder: Path) -> None:
        save_labels(plan, folder)

    def program(self, plan: Plan, base_ref: str) -> tuple[str, str]:
        from jobs.families.example.program import frames_program

        return "classify.py", frames_program(plan, base_ref, self.head, self.sampling(plan.base, plan.recipe).count)


def _edge(base: Base) -> int:
    return int(base.config.get("image_size", 224))


FAMILY = Example()
