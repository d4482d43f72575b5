"""X-CLIP (Ni et al. 2022): CLIP with attention between frames and text embeddings that are adapted to the clip."""

from collections.abc import Mapping
from typing import Any

import torch
from torch.nn import functional

from jobs.families.clip.family import ClipTowers
from jobs.families.dual_encoder import Features
from jobs.families.protocol import Base
from jobs.families.retriever import Retriever
from orchestrator.domain.families import FAMILIES

_SCORE = """
score = model(pixel_values=pixels, **tokens).logits_per_video[0, 0] / model.logit_scale.exp()
"""


class XClipTowers(ClipTowers):
    """Over `XCLIPModel`; a clip's features are its embedding and the mean of its patches, which adapts the texts."""

    def encode_clips(self, pixels: torch.Tensor) -> Features:
        model: Any = self
        count, frames = pixels.shape[:2]
        output = model.vision_model(pixel_values=pixels.flatten(0, 1))
        video = model.mit(model.visual_projection(output.pooler_output).view(count, frames, -1))
        patches = model.prompts_visual_layernorm(output.last_hidden_state[:, 1:])
        patches = patches @ model.prompts_visual_projection
        return video.pooler_output, patches.unflatten(0, (count, frames)).mean(1)

    def similarity(self, texts: torch.Tensor, clips: Features) -> torch.Tensor:
        model: Any = self
        expanded = texts.unsqueeze(0).expand(len(clips[0]), -1, -1)
        adapted = functional.normalize(expanded + model.prompts_generator(expanded, clips[1]), dim=-1)
        return torch.einsum("nd,nkd->kn", functional.normalize(clips[0], dim=-1), adapted)


class XClip(Retriever):
    """The frames exchange a message token in each layer, so their number is fixed by the checkpoint."""

    name = "xclip"
    title = FAMILIES["xclip"].name_in_sentences
    model_class = "XCLIPModel"
    towers = XClipTowers
    default_targets = ("q_proj", "k_proj", "v_proj", "out_proj", "fc1", "fc2", "message_fc")
    target_path = r".*\.layers\.\d+(?:\.self_attn|\.mlp|\.message_attn)?"
    config_defaults: Mapping[str, int] = {"image_size": 224, "patch_size": 32, "num_frames": 8}

    def fixed_frames(self, base: Base) -> int:
        return self.vision_setting(base, "num_frames")

    def score_code(self, base: Base) -> str:
        return _SCORE


FAMILY = XClip()
