"""InternVL (Chen et al. 2024) in transformers' own format: numbered frames."""

from jobs.families.video_llm import layouts
from jobs.families.video_llm.architecture import Architecture, image_edge, patch_edge
from jobs.families.video_llm.family import VideoLLM

FAMILY = VideoLLM(
    Architecture(
        "internvl",
        layouts.internvl,
        lambda c: {
            "tokens": int((image_edge(c, 448) // patch_edge(c, 14)) ** 2 * float(c.get("downsample_ratio", 0.5)) ** 2)
        },
        lambda c: image_edge(c, 448),
        lambda c: patch_edge(c, 14),
        prompt="<|im_start|>user\n{clip}\n{question}<|im_end|>\n<|im_start|>assistant\n",
        video_placeholder="<video>",
        token_key="image_token_id",
        vision_modules=("model.vision_tower", "model.multi_modal_projector"),
    )
)
