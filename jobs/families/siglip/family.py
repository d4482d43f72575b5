"""SigLIP (Zhai et al. 2023) on clips: the mean of the frames' embeddings, and a sigmoid loss for each pair."""

from collections.abc import Mapping

import torch

from jobs.families.clip.family import MEAN_POOL_SCORE, ClipTowers
from jobs.families.contrastive import sigmoid_loss
from jobs.families.protocol import Base
from jobs.families.retriever import Retriever
from orchestrator.domain.families import FAMILIES


class SiglipTowers(ClipTowers):
    """Over `SiglipModel`, whose text tower reads the last token of a sentence that is padded to its full length."""

    text_inputs = ("input_ids",)
    logit_bias: torch.Tensor

    def loss(self, scores: torch.Tensor, same: torch.Tensor) -> torch.Tensor:
        return sigmoid_loss(self.logit_scale.exp() * scores + self.logit_bias, same)


class Siglip(Retriever):
    """Its heads are torch's own attention, which cannot be quantized; they are trained in full, as CLIP's heads are."""

    name = "siglip"
    title = FAMILIES["siglip"].name_in_sentences
    model_class = "SiglipModel"
    towers = SiglipTowers
    head = ("vision_model.head", "text_model.head")
    target_path = r".*\.layers\.\d+\.(?:self_attn|mlp)"
    pad_to_max_length = True
    config_defaults: Mapping[str, int] = {"image_size": 224, "patch_size": 16}

    def max_text_tokens(self, base: Base) -> int:
        text = base.config.get("text_config") or {}
        return int(text.get("max_position_embeddings", 64))

    def score_code(self, base: Base) -> str:
        return MEAN_POOL_SCORE


FAMILY = Siglip()
