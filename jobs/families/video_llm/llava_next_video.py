"""LLaVA-NeXT-Video (Zhang et al. 2024): CLIP frames, pooled with a stride."""

from jobs.families.video_llm import layouts
from jobs.families.video_llm.architecture import Architecture, image_edge, patch_edge
from jobs.families.video_llm.family import VideoLLM

FAMILY = VideoLLM(
    Architecture(
        "llava_next_video",
        layouts.llava_next_video,
        lambda c: {"patch": patch_edge(c, 14), "stride": int(c.get("spatial_pool_stride", 2))},
        lambda c: image_edge(c, 336),
        lambda c: patch_edge(c, 14),
        prompt="USER: {clip}\n{question} ASSISTANT:",
        next_turn="USER: {question} ASSISTANT:",
        video_placeholder="<video>",
        token_key="video_token_index",
        end_token="</s>",
        vision_modules=("model.vision_tower", "model.multi_modal_projector", "model.vision_resampler"),
    )
)
