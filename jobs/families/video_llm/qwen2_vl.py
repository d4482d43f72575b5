"""Qwen2-VL (Wang et al. 2024): any frame size, one token for two frames."""

from jobs.families.video_llm import layouts
from jobs.families.video_llm.architecture import qwen_architecture
from jobs.families.video_llm.family import VideoLLM

_PROMPT = "<|im_start|>user\n<|vision_start|>{clip}<|vision_end|>{question}<|im_end|>\n<|im_start|>assistant\n"

FAMILY = VideoLLM(qwen_architecture("qwen2_vl", layouts.qwen2, 14, "<|video_pad|>", _PROMPT))
