"""CLIP (Radford et al. 2021) on clips: a clip's embedding is the mean of its frames' embeddings."""

from typing import Any

import torch

from jobs.families.dual_encoder import Features, Towers, mean_pool_frames
from jobs.families.protocol import Base
from jobs.families.retriever import Retriever
from orchestrator.domain.families import FAMILIES

MEAN_POOL_SCORE = """
images = model.get_image_features(pixel_values=pixels[0]).pooler_output
text = model.get_text_features(**tokens).pooler_output
score = cosine_similarity(text, normalize(images, dim=-1).mean(0, keepdim=True))
"""


class ClipTowers(Towers):
    """Over `CLIPModel`."""

    def encode_clips(self, pixels: torch.Tensor) -> Features:
        model: Any = self
        frames = model.get_image_features(pixels.flatten(0, 1)).pooler_output
        return (mean_pool_frames(frames, pixels.shape[1]),)

    def encode_texts(self, **tokens: torch.Tensor) -> torch.Tensor:
        model: Any = self
        return model.get_text_features(**tokens).pooler_output


class Clip(Retriever):
    """Knows what is in the frames, not in which order they come."""

    name = "clip"
    title = FAMILIES["clip"].name_in_sentences
    model_class = "CLIPModel"
    towers = ClipTowers
    target_path = r".*\.layers\.\d+\.(?:self_attn|mlp)"

    def score_code(self, base: Base) -> str:
        return MEAN_POOL_SCORE


FAMILY = Clip()
