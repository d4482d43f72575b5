"""V-JEPA 2 (Assran et al. 2025): an encoder with rotary position embeddings and a fully trained attentive pooler."""

from typing import Any

from jobs.families.encoder import Encoder
from jobs.families.protocol import Base, Plan
from orchestrator.domain.families import FAMILIES
from orchestrator.domain.recipes import Recipe


class VJEPA2(Encoder):
    """The pretrained checkpoints have no pooler, so it is trained and saved in full, like the head.

    The predictor is not used for classification, so it is not loaded.
    """

    name = "vjepa2"
    title = FAMILIES["vjepa2"].name_in_sentences
    head = ("classifier", "pooler")
    model_class = "VJEPA2ForVideoClassification"
    pixels_argument = "pixel_values_videos"
    default_targets = ("query", "key", "value", "proj", "fc1", "fc2")

    def frame_count(self, base: Base) -> int:
        return int(base.config.get("frames_per_clip") or self.clip_rule.frames)

    def frame_edge(self, base: Base) -> int:
        return int(base.config.get("crop_size") or self.clip_rule.edge)

    def load(self, plan: Plan) -> Any:
        from jobs.families.load import load_classifier
        from jobs.families.vjepa2.model import classifier_without_predictor

        return load_classifier(plan, classifier_without_predictor(), self.head)

    def targets(self, recipe: Recipe, model: Any) -> str:
        names = recipe.qlora.target_modules or self.default_targets
        return rf"(?:.*\.)?vjepa2\.encoder\..*\.(?:{'|'.join(names)})"


FAMILY = VJEPA2()
