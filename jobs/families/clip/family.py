"""CLIP (Radford et al. 2021) on clips: each frame through the picture tower, the mean of them stands for the clip."""

from typing import Any

import torch

from jobs.families.dual_encoder import Features, Towers, mean_pool_frames
from jobs.families.protocol import Base
from jobs.families.retriever import Retriever
from orchestrator.domain.families import FAMILIES

MEAN_POOL_SCORE = """
seen = model.get_image_features(pixel_values=pixels[0]).pooler_output
told = model.get_text_features(**tokens).pooler_output
score = cosine_similarity(told, normalize(seen, dim=-1).mean(0, keepdim=True))
"""


class ClipTowers(Towers):
    """Over `CLIPModel`."""

    def clips(self, pixels: torch.Tensor) -> Features:
        model: Any = self
        return (mean_pool_frames(model.get_image_features(pixels.flatten(0, 1)).pooler_output, pixels.shape[1]),)

    def sentences(self, **tokens: torch.Tensor) -> torch.Tensor:
        model: Any = self
        return model.get_text_features(**tokens).pooler_output


class Clip(Retriever):
    """Sees how a frame looks, not how frames follow each other."""

    name = "clip"
    title = FAMILIES["clip"].name_in_sentences
    model_class = "CLIPModel"
    mixin = ClipTowers
    within = r".*\.layers\.\d+\.(?:self_attn|mlp)"

    def score_lines(self, base: Base) -> str:
        return MEAN_POOL_SCORE


FAMILY = Clip()
