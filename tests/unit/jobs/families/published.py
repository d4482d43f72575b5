"""Tiny bases with the processor settings and chat templates that published repositories have, field by field."""

import json
from pathlib import Path
from typing import Any

from tests.unit.jobs.families.templates import CAPITALIZED, CHATML, NUMBERED, ONEVISION, VICUNA
from tests.unit.jobs.families.tiny_llms import make_tiny

_CLIP_MEAN = [0.48145466, 0.4578275, 0.40821073]
_CLIP_STD = [0.26862954, 0.26130258, 0.27577711]
_IMAGENET_MEAN, _IMAGENET_STD = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]


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


_VIDEO_LLAMA: dict[str, Any] = {
    "patch_size": 14,
    "temporal_patch_size": 1,
    "image_mean": [0.5, 0.5, 0.5],
    "image_std": [0.5, 0.5, 0.5],
    "processor_class": "VideoLlama3Processor",
}
_QWEN3: dict[str, Any] = {
    "patch_size": 14,
    "temporal_patch_size": 2,
    "merge_size": 2,
    "image_mean": [0.5, 0.5, 0.5],
    "image_std": [0.5, 0.5, 0.5],
    "processor_class": "Qwen3VLProcessor",
}
_CLIP = "<|video_pad|>"


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
        "preprocessor_config.json": _QWEN3
        | {
            "size": {"longest_edge": 16777216, "shortest_edge": 65536},
            "image_processor_type": "Qwen2VLImageProcessorFast",
        },
        "video_preprocessor_config.json": _QWEN3
        | {
            "size": {"longest_edge": 25165824, "shortest_edge": 4096},
            "video_processor_type": "Qwen3VLVideoProcessor",
        },
        "chat_template.json": {"chat_template": CHATML},
    },
    "video_llama_3": {
        "preprocessor_config.json": _VIDEO_LLAMA
        | {
            "min_pixels": 3136,
            "max_pixels": 3211264,
            "merge_size": 1,
            "image_processor_type": "VideoLlama3ImageProcessor",
        },
        "video_preprocessor_config.json": _VIDEO_LLAMA
        | {
            "min_pixels": 12544,
            "max_pixels": 12845056,
            "merge_size": 2,
            "max_frames": 180,
            "do_sample_frames": False,
            "use_token_compression": True,
            "video_processor_type": "VideoLlama3VideoProcessor",
        },
        "chat_template.json": {"chat_template": CHATML.replace("<|vision_start|><|video_pad|><|vision_end|>", _CLIP)},
    },
    "smolvlm": {
        "preprocessor_config.json": {
            "do_convert_rgb": True,
            "do_image_splitting": True,
            "do_normalize": True,
            "do_pad": True,
            "do_rescale": True,
            "do_resize": True,
            "image_mean": [0.5, 0.5, 0.5],
            "image_processor_type": "SmolVLMImageProcessor",
            "image_std": [0.5, 0.5, 0.5],
            "max_image_size": {"longest_edge": 28},
            "processor_class": "SmolVLMProcessor",
            "resample": 1,
            "rescale_factor": 0.00392156862745098,
            "size": {"longest_edge": 112},
            "video_sampling": {"fps": 1, "max_frames": 64, "video_size": {"longest_edge": 28}},
        },
        "processor_config.json": {"image_seq_len": 4, "processor_class": "SmolVLMProcessor"},
        "chat_template.json": {"chat_template": CAPITALIZED},
    },
    "llava_onevision": {
        "preprocessor_config.json": {
            "do_convert_rgb": True,
            "do_normalize": True,
            "do_pad": True,
            "do_rescale": True,
            "do_resize": True,
            "image_grid_pinpoints": [[28, 28], [28, 56], [56, 28], [56, 56]],
            "image_mean": [0.5, 0.5, 0.5],
            "image_processor_type": "LlavaOnevisionImageProcessor",
            "image_std": [0.5, 0.5, 0.5],
            "processor_class": "LlavaOnevisionProcessor",
            "resample": 3,
            "rescale_factor": 0.00392156862745098,
            "size": {"height": 28, "width": 28},
        },
        "video_preprocessor_config.json": {
            "do_convert_rgb": True,
            "do_normalize": True,
            "do_rescale": True,
            "do_resize": True,
            "image_mean": [0.5, 0.5, 0.5],
            "image_std": [0.5, 0.5, 0.5],
            "processor_class": "LlavaOnevisionProcessor",
            "resample": 3,
            "rescale_factor": 0.00392156862745098,
            "size": {"height": 28, "width": 28},
            "video_processor_type": "LlavaOnevisionVideoProcessor",
        },
        "processor_config.json": {
            "image_token": "<image>",
            "num_image_tokens": 16,
            "processor_class": "LlavaOnevisionProcessor",
            "video_token": "<video>",
            "vision_feature_select_strategy": "full",
        },
        "chat_template.json": {"chat_template": ONEVISION},
    },
    "internvl": {
        "preprocessor_config.json": {
            "crop_to_patches": False,
            "data_format": "channels_first",
            "do_convert_rgb": True,
            "do_normalize": True,
            "do_rescale": True,
            "do_resize": True,
            "image_mean": _IMAGENET_MEAN,
            "image_processor_type": "GotOcr2ImageProcessorFast",
            "image_std": _IMAGENET_STD,
            "max_patches": 12,
            "min_patches": 1,
            "processor_class": "InternVLProcessor",
            "resample": 3,
            "rescale_factor": 0.00392156862745098,
            "size": {"height": 28, "width": 28},
        },
        "processor_config.json": {"image_seq_length": 4, "processor_class": "InternVLProcessor"},
        "chat_template.json": {"chat_template": NUMBERED},
    },
    "llava_next_video": {
        "preprocessor_config.json": {
            "crop_size": {"height": 28, "width": 28},
            "do_center_crop": True,
            "do_convert_rgb": True,
            "do_normalize": True,
            "do_pad": True,
            "do_rescale": True,
            "do_resize": True,
            "image_grid_pinpoints": [[28, 56], [56, 28], [56, 56], [84, 28], [28, 84]],
            "image_mean": _CLIP_MEAN,
            "image_processor_type": "LlavaNextImageProcessor",
            "image_std": _CLIP_STD,
            "processor_class": "LlavaNextVideoProcessor",
            "resample": 3,
            "rescale_factor": 0.00392156862745098,
            "size": {"shortest_edge": 28},
        },
        "processor_config.json": {
            "image_token": "<image>",
            "num_additional_image_tokens": 1,
            "patch_size": 7,
            "processor_class": "LlavaNextVideoProcessor",
            "video_token": "<video>",
            "vision_feature_select_strategy": "default",
        },
        "chat_template.json": {"chat_template": VICUNA},
    },
    "idefics": {
        "preprocessor_config.json": {
            "image_mean": _CLIP_MEAN,
            "image_num_channels": 3,
            "image_processor_type": "IdeficsImageProcessor",
            "image_size": 28,
            "image_std": _CLIP_STD,
            "processor_class": "IdeficsProcessor",
        },
    },
}
"""Of Qwen2-VL-2B-Instruct and Qwen2.5-VL-3B-Instruct, neither of which samples frames by itself, and of
Qwen3-VL-2B-Instruct, with patches of 14 pixels instead of 16 as the tiny base has them.
Of VideoLLaMA3-2B-Image-HF: 16 to 16,384 tokens of a clip, 180 frames.
Of SmolVLM2-2.2B-Instruct, with frames of 28 pixels and 4 tokens instead of 384 and 81.
Of llava-onevision-qwen2-0.5b-ov-hf, with frames of 28 pixels and 16 patches instead of 384 and 729.
Of InternVL3-1B-hf, with frames of 28 pixels and 4 tokens instead of 448 and 256: it has no settings for clips
of its own. `INTERNVL_3_5` are those that InternVL3_5-1B-HF has.
Of LLaVA-NeXT-Video-7B-hf, with frames of 28 pixels and patches of 7 instead of 336 and 14. It has no settings for clips
of its own: those of pictures are read.
Of idefics-9b-instruct, with frames of 28 pixels instead of 224. It has no chat template and no settings for clips."""

INTERNVL_3_5: dict[str, Any] = {
    "do_convert_rgb": True,
    "do_normalize": True,
    "do_rescale": True,
    "do_resize": True,
    "do_sample_frames": False,
    "image_mean": _CLIP_MEAN,
    "image_std": _CLIP_STD,
    "initial_shift": True,
    "processor_class": "InternVLProcessor",
    "resample": 3,
    "rescale_factor": 0.00392156862745098,
    "size": {"height": 24, "width": 24},
    "video_processor_type": "InternVLVideoProcessor",
}
"""`video_preprocessor_config.json`: 384 pixels and CLIP's colours, while its vision tower takes 448 and ImageNet's."""
_CONFIGS: dict[str, dict[str, Any]] = {
    "idefics": {
        "additional_vocab_size": 3,
        "vocab_size": 270,
        "use_resampler": True,
        "qk_layer_norms": True,
        "perceiver_config": {
            "resampler_n_latents": 4, "resampler_depth": 1, "resampler_n_heads": 2, "resampler_head_dim": 16,
        },
    }
}  # fmt: skip
"""Settings that published models have and the smallest ones leave out."""


def make_published(name: str, folder: Path) -> Path:
    """A random base of this family with the files of its published repository."""
    make_tiny(name, folder, _CONFIGS.get(name))
    for file, content in FILES[name].items():
        (folder / file).write_text(json.dumps(content))
    return folder
