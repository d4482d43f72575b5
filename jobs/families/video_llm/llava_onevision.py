"""LLaVA-OneVision (Li et al. 2024): one run of pooled frame tokens."""

from jobs.families.video_llm import layouts
from jobs.families.video_llm.architecture import Architecture, image_edge, patch_edge
from jobs.families.video_llm.family import VideoLLM

FAMILY = VideoLLM(
    Architecture(
        "llava_onevision",
        layouts.llava_onevision,
        lambda c: {"patch": patch_edge(c, 14)},
        lambda c: image_edge(c, 384),
        lambda c: patch_edge(c, 14),
        prompt="<|im_start|>user {clip}\n{question}<|im_end|><|im_start|>assistant\n",
        next_turn="<|im_start|>user {question}<|im_end|><|im_start|>assistant\n",
        video_placeholder="<video>",
        token_key="video_token_index",
        vision_modules=("model.vision_tower", "model.multi_modal_projector"),
    )
)
