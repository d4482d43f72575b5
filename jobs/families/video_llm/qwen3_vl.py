"""Qwen3-VL (Bai et al. 2025): the time of each pair of frames stands before its tokens."""

from jobs.families.video_llm import layouts
from jobs.families.video_llm.architecture import CHATML, qwen_architecture
from jobs.families.video_llm.family import VideoLLM

FAMILY = VideoLLM(
    qwen_architecture("qwen3_vl", layouts.qwen3, 16, "<|vision_start|><|video_pad|><|vision_end|>", CHATML)
)
