"""A video or picture encoder beside a text encoder (`VisionTextDualEncoderModel`): the shipped retriever is one."""

from typing import Any

import torch

from jobs.families.clip.family import MEAN_POOL_SCORE
from jobs.families.dual_encoder import Features, Towers, mean_pool_frames
from jobs.families.protocol import Base
from jobs.families.retriever import Retriever
from orchestrator.domain.families import FAMILIES

_VIDEO = ("videomae",)
"""Vision towers that take a clip as a whole; others take pictures."""


_SCORE = """
seen = model.vision_model(pixel_values=pixels).last_hidden_state.mean(1)
told = model.get_text_features(**tokens).pooler_output
score = cosine_similarity(told, model.visual_projection(seen))
"""


class DualTowers(Towers):
    """Over `VisionTextDualEncoderModel`; a video tower's tokens are averaged, since it has no pooler of its own."""

    sees = ("input_ids", "attention_mask", "token_type_ids")

    def clips(self, pixels: torch.Tensor) -> Features:
        model: Any = self
        if model.config.vision_config.model_type in _VIDEO:
            tokens = model.vision_model(pixel_values=pixels).last_hidden_state
            return (model.visual_projection(tokens.mean(1)),)
        return (mean_pool_frames(model.get_image_features(pixels.flatten(0, 1)).pooler_output, pixels.shape[1]),)

    def sentences(self, **tokens: torch.Tensor) -> torch.Tensor:
        model: Any = self
        return model.get_text_features(**tokens).pooler_output


class DualEncoder(Retriever):
    """The names of its layers are those of its towers: VideoMAE, ViT, CLIP, BERT."""

    name = "vision-text-dual-encoder"
    title = FAMILIES["vision-text-dual-encoder"].name_in_sentences
    model_class = "VisionTextDualEncoderModel"
    mixin = DualTowers
    linear = ("query", "key", "value", "dense", "q_proj", "k_proj", "v_proj", "out_proj", "fc1", "fc2")
    within = (
        r".*(?:vision_model|text_model)\..*\.(?:attention|attention\.attention|self|output|intermediate|self_attn|mlp)"
    )

    def fixed_frames(self, base: Base) -> int | None:
        vision = base.config.get("vision_config") or {}
        return int(vision.get("num_frames", 16)) if vision.get("model_type") in _VIDEO else None

    def score_lines(self, base: Base) -> str:
        vision = base.config.get("vision_config") or {}
        return _SCORE if vision.get("model_type") in _VIDEO else MEAN_POOL_SCORE


FAMILY = DualEncoder()
