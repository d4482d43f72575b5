"""SigLIP (Zhai et al. 2023) on clips: the mean of the frames, each pair judged by itself."""

from collections.abc import Mapping

import torch

from jobs.families.clip.family import MEAN_POOL_SCORE, ClipTowers
from jobs.families.contrastive import sigmoid_loss
from jobs.families.protocol import Base
from jobs.families.retriever import Retriever
from orchestrator.domain.families import FAMILIES


class SiglipTowers(ClipTowers):
    """Over `SiglipModel`, whose text tower reads the last token of a line filled up to its full length."""

    sees = ("input_ids",)
    logit_bias: torch.Tensor

    def loss(self, scores: torch.Tensor, same: torch.Tensor) -> torch.Tensor:
        return sigmoid_loss(self.logit_scale.exp() * scores + self.logit_bias, same)


class Siglip(Retriever):
    """Its picture head is attention of torch's own, which cannot be quantized; it is trained whole, as CLIP's heads."""

    name = "siglip"
    title = FAMILIES["siglip"].name_in_sentences
    model_class = "SiglipModel"
    mixin = SiglipTowers
    head = ("vision_model.head", "text_model.head")
    within = r".*\.layers\.\d+\.(?:self_attn|mlp)"
    full_length = True
    sizes: Mapping[str, int] = {"image_size": 224, "patch_size": 16}

    def longest(self, base: Base) -> int:
        text = base.config.get("text_config") or {}
        return int(text.get("max_position_embeddings", 64))

    def score_lines(self, base: Base) -> str:
        return MEAN_POOL_SCORE


FAMILY = Siglip()
