"""Flamingo (Alayrac et al. 2022) in its open form, IDEFICS: gated cross-attention into a frozen language model."""

from jobs.families.video_llm import layouts, vision_features
from jobs.families.video_llm.architecture import Architecture, image_edge, patch_edge
from jobs.families.video_llm.family import VideoLLM

FAMILY = VideoLLM(
    Architecture(
        "idefics",
        layouts.idefics,
        lambda c: {},
        lambda c: image_edge(c, 224),
        lambda c: patch_edge(c, 14),
        prompt="<s>User:{clip}{question}<end_of_utterance>\nAssistant:",
        next_turn="\nUser:{question}<end_of_utterance>\nAssistant:",
        video_placeholder="<image>",
        token_key="image_token_id",
        clip_token="<image>",
        end_token="<end_of_utterance>",  # of instruct models; the others have none, and end with that of a text
        vision_modules=("model.vision_model", "model.perceiver_resampler"),
        target_pattern=r"model\.(layers|gated_cross_attn_layers)\..*",
        needs_image_mask=True,
        encode_vision=vision_features.encode_flamingo,
    )
)
