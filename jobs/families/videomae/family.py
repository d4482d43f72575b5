"""VideoMAE (Tong et al. 2022): classification with adapters on a 4-bit encoder, or continued masked pretraining."""

from typing import Any

from jobs.families.encoder import Encoder
from jobs.families.protocol import Collate, Plan
from jobs.families.videomae.masked import MaskedCollator, load_masked
from orchestrator.domain.families import FAMILIES
from orchestrator.domain.recipes import Recipe


class VideoMAE(Encoder):
    """It has one position embedding for each patch, so frame count and frame size are fixed by the checkpoint."""

    name = "videomae"
    title = FAMILIES["videomae"].name_in_sentences
    model_class = "VideoMAEForVideoClassification"
    default_targets = ("query", "key", "value", "dense")

    def check_training_type(self, recipe: Recipe) -> None:
        """Allows both: it is the only encoder here that can be pretrained, by reconstructing masked patches."""

    def load(self, plan: Plan) -> Any:
        return load_masked(plan) if plan.is_pretraining else super().load(plan)

    def collate(self, plan: Plan) -> Collate:
        return MaskedCollator(plan.base) if plan.is_pretraining else super().collate(plan)


FAMILY = VideoMAE()
