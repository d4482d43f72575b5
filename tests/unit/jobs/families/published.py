"""Tiny bases with the processor settings and chat templates that published repositories have, field by field."""

import json
from pathlib import Path
from typing import Any

from tests.unit.jobs.families.templates import CHATML
from tests.unit.jobs.families.tiny_llms import make_tiny

_CLIP_MEAN = [0.48145466, 0.4578275, 0.40821073]
_CLIP_STD = [0.26862954, 0.26130258, 0.27577711]


def _qwen2(processor_class: str) -> dict[str, Any]:
    return {
        "min_pixels": 3136,
        "max_pixels": 12845056,
        "patch_size": 14,
        "temporal_patch_size": 2,
        "merge_size": 2,
        "image_mean": _CLIP_MEAN,
        "image_std": _CLIP_STD,
        "image_processor_type": "Qwen2VLImageProcessor",
        "processor_class": processor_class,
    }


FILES: dict[str, dict[str, dict[str, Any]]] = {
    "qwen2_vl": {
        "preprocessor_config.json": _qwen2("Qwen2VLProcessor"),
        "chat_template.json": {"chat_template": CHATML},
    },
    "qwen2_5_vl": {
        "preprocessor_config.json": _qwen2("Qwen2_5_VLProcessor"),
        "chat_template.json": {"chat_template": CHATML},
    },
    "qwen3_vl": {
        "preprocessor_config.json": {
            "size": {"longest_edge": 16777216, "shortest_edge": 65536},
            "patch_size": 14,
            "temporal_patch_size": 2,
            "merge_size": 2,
            "image_mean": [0.5, 0.5, 0.5],
            "image_std": [0.5, 0.5, 0.5],
            "processor_class": "Qwen3VLProcessor",
            "image_processor_type": "Qwen2VLImageProcessorFast",
        },
        "video_preprocessor_config.json": {
            "size": {"longest_edge": 25165824, "shortest_edge": 4096},
            "patch_size": 14,
            "temporal_patch_size": 2,
            "merge_size": 2,
            "image_mean": [0.5, 0.5, 0.5],
            "image_std": [0.5, 0.5, 0.5],
            "processor_class": "Qwen3VLProcessor",
            "video_processor_type": "Qwen3VLVideoProcessor",
        },
        "chat_template.json": {"chat_template": CHATML},
    },
}
"""Of Qwen2-VL-2B-Instruct and Qwen2.5-VL-3B-Instruct, neither of which samples frames by itself, and of
Qwen3-VL-2B-Instruct, with patches of 14 pixels instead of 16 as the tiny base has them."""


def make_published(name: str, folder: Path) -> Path:
    """A random base of this family with the files of its published repository."""
    make_tiny(name, folder)
    for file, content in FILES[name].items():
        (folder / file).write_text(json.dumps(content))
    return folder
