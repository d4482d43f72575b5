"""X-CLIP (Ni et al. 2022): CLIP whose frames speak to each other and whose sentences bend to the clip."""

from collections.abc import Mapping
from typing import Any

import torch
from torch.nn import functional

from jobs.families.dual_encoder import Features, Towers
from jobs.families.protocol import Base
from jobs.families.retriever import Retriever
from orchestrator.domain.families import FAMILIES

_SCORE = """
score = model(pixel_values=pixels, **tokens).logits_per_video[0, 0] / model.logit_scale.exp()
"""


class XClipTowers(Towers):
    """Over `XCLIPModel`; a clip is its embedding and the mean of its patches, which bends the sentences."""

    def clips(self, pixels: torch.Tensor) -> Features:
        model: Any = self
        count, frames = pixels.shape[:2]
        seen = model.vision_model(pixel_values=pixels.flatten(0, 1))
        told = model.mit(model.visual_projection(seen.pooler_output).view(count, frames, -1))
        patches = model.prompts_visual_layernorm(seen.last_hidden_state[:, 1:])
        patches = patches @ model.prompts_visual_projection
        return told.pooler_output, patches.unflatten(0, (count, frames)).mean(1)

    def sentences(self, **tokens: torch.Tensor) -> torch.Tensor:
        model: Any = self
        return model.get_text_features(**tokens).pooler_output

    def scores(self, sentences: torch.Tensor, clips: Features) -> torch.Tensor:
        model: Any = self
        each = sentences.unsqueeze(0).expand(len(clips[0]), -1, -1)
        bent = functional.normalize(each + model.prompts_generator(each, clips[1]), dim=-1)
        return torch.einsum("nd,nkd->kn", functional.normalize(clips[0], dim=-1), bent)


class XClip(Retriever):
    """The frames pass a message in each layer, so their count is fixed."""

    name = "xclip"
    title = FAMILIES["xclip"].name_in_sentences
    model_class = "XCLIPModel"
    mixin = XClipTowers
    linear = ("q_proj", "k_proj", "v_proj", "out_proj", "fc1", "fc2", "message_fc")
    within = r".*\.layers\.\d+(?:\.self_attn|\.mlp|\.message_attn)?"
    sizes: Mapping[str, int] = {"image_size": 224, "patch_size": 32, "num_frames": 8}

    def fixed_frames(self, base: Base) -> int:
        return self.seen(base, "num_frames")

    def score_lines(self, base: Base) -> str:
        return _SCORE


FAMILY = XClip()
