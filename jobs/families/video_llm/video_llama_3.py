"""VideoLLaMA 3 (Zhang et al. 2025): the time of each frame stands before its tokens."""

from jobs.families.video_llm import layouts
from jobs.families.video_llm.architecture import Architecture, patch_edge
from jobs.families.video_llm.family import VideoLLM

FAMILY = VideoLLM(
    Architecture(
        "video_llama_3",
        layouts.videollama3,
        lambda c: {"time": 1, "patch": patch_edge(c, 14), "merge": 2},
        lambda c: max(1, 224 // (2 * patch_edge(c, 14))) * 2 * patch_edge(c, 14),
        lambda c: 2 * patch_edge(c, 14),
        video_placeholder="<|video_pad|>",
        fixed_size=False,
        vision_modules=("model.vision_model", "model.projector"),
    )
)
