"""A video or image encoder and a text encoder (`VisionTextDualEncoderModel`); the built-in retriever is one."""

from typing import Any

import torch

from jobs.families.clip.family import MEAN_POOL_SCORE, ClipTowers
from jobs.families.dual_encoder import Features
from jobs.families.protocol import Base
from jobs.families.retriever import Retriever
from orchestrator.domain.families import FAMILIES

_VIDEO = ("videomae",)
"""Vision towers that encode a whole clip; others encode single images."""
_SCORE = """
clip = model.vision_model(pixel_values=pixels).last_hidden_state.mean(1)
text = model.get_text_features(**tokens).pooler_output
score = cosine_similarity(text, model.visual_projection(clip))
"""


class DualTowers(ClipTowers):
    """Over `VisionTextDualEncoderModel`; a video tower has no pooler, so the mean of its tokens is taken."""

    text_inputs = ("input_ids", "attention_mask", "token_type_ids")

    def encode_clips(self, pixels: torch.Tensor) -> Features:
        model: Any = self
        if model.config.vision_config.model_type in _VIDEO:
            tokens = model.vision_model(pixel_values=pixels).last_hidden_state
            return (model.visual_projection(tokens.mean(1)),)
        return super().encode_clips(pixels)


class DualEncoder(Retriever):
    """Its layers have the names of its towers' classes: VideoMAE, ViT, CLIP, BERT."""

    name = "vision-text-dual-encoder"
    title = FAMILIES["vision-text-dual-encoder"].name_in_sentences
    model_class = "VisionTextDualEncoderModel"
    towers = DualTowers
    default_targets = ("query", "key", "value", "dense", "q_proj", "k_proj", "v_proj", "out_proj", "fc1", "fc2")
    target_path = (
        r".*(?:vision_model|text_model)\..*\.(?:attention|attention\.attention|self|output|intermediate|self_attn|mlp)"
    )

    def fixed_frames(self, base: Base) -> int | None:
        vision = base.config.get("vision_config") or {}
        return int(vision.get("num_frames", 16)) if vision.get("model_type") in _VIDEO else None

    def score_code(self, base: Base) -> str:
        vision = base.config.get("vision_config") or {}
        return _SCORE if vision.get("model_type") in _VIDEO else MEAN_POOL_SCORE


FAMILY = DualEncoder()
