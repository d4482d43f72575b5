"""SmolVLM and SmolVLM2 (Marafioti et al. 2025): each frame is a separate image."""

from jobs.families.video_llm import layouts
from jobs.families.video_llm.architecture import Architecture, image_edge, patch_edge
from jobs.families.video_llm.chat_templates import SMOLVLM
from jobs.families.video_llm.family import VideoLLM

FAMILY = VideoLLM(
    Architecture(
        "smolvlm",
        layouts.smolvlm,
        lambda c: {"tokens": (image_edge(c, 364) // patch_edge(c, 14)) ** 2 // int(c.get("scale_factor", 2)) ** 2},
        lambda c: image_edge(c, 364),
        lambda c: patch_edge(c, 14),
        prompt="<|im_start|>User: {clip}{question}<end_of_utterance>\nAssistant:",
        next_turn="\nUser: {question}<end_of_utterance>\nAssistant:",
        chat_template=SMOLVLM,
        video_placeholder="<video>",
        token_key="image_token_id",
        end_token="<end_of_utterance>",
        vision_modules=("model.vision_model", "model.connector"),
        target_pattern=r"model\.text_model\..*",
        packages=("num2words",),
    )
)
