"""Random video language models of a few kilobytes, one for each architecture, with a byte-level tokenizer."""

import json
from pathlib import Path
from typing import Any

import torch
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
from transformers import AutoConfig, AutoModelForImageTextToText, PreTrainedTokenizerFast

from jobs.families.video_llm.own_processor import ProcessorSampling, own_processor
from jobs.families.video_llm.processor_rules import FixedSquares, TimedSquares

SPECIAL = (
    "<pad>", "<s>", "</s>", "<|im_start|>", "<|im_end|>", "<|video_pad|>", "<|image_pad|>", "<|vision_start|>",
    "<|vision_end|>", "<video>", "<image>", "<fake_token_around_image>", "<global-img>", "<end_of_utterance>",
    "<IMG_CONTEXT>", "<img>", "</img>",
)  # fmt: skip
_TEXT = {
    "hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2, "num_attention_heads": 2,
    "num_key_value_heads": 2, "max_position_embeddings": 2048, "vocab_size": 300,
}  # fmt: skip
_VISION = {
    "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 1, "num_attention_heads": 2,
    "image_size": 28, "patch_size": 7,
}  # fmt: skip
_QWEN_VISION = {
    "depth": 1, "embed_dim": 32, "hidden_size": 64, "num_heads": 2, "patch_size": 14, "spatial_merge_size": 2,
}  # fmt: skip


def tokenizer(special: tuple[str, ...] = SPECIAL) -> PreTrainedTokenizerFast:
    """256 bytes, then the special tokens."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    backend = Tokenizer(models.BPE({symbol: i for i, symbol in enumerate(alphabet)}, []))
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    backend.add_special_tokens([AddedToken(word, special=True, normalized=False) for word in special])
    return PreTrainedTokenizerFast(
        tokenizer_object=backend, pad_token="<pad>", bos_token="<s>", eos_token="</s>", model_max_length=2048
    )


def edge_of(sampling: Any) -> int:
    """Pixels: the width and height of a square frame that a tiny base is shown, whatever its sampling."""
    if isinstance(sampling, ProcessorSampling):
        own = own_processor(sampling.folder, sampling.data)
        return own.rules.smallest(own.video)[1] if isinstance(own.rules, TimedSquares | FixedSquares) else 56
    return dict(sampling.size)["width"]


def token(word: str) -> int:
    return 256 + SPECIAL.index(word)


def _qwen(more: dict[str, Any], rope: dict[str, Any], vision: dict[str, Any]) -> dict[str, Any]:
    return {
        "text_config": _TEXT | {"rope_parameters": rope} | more,
        "vision_config": _QWEN_VISION | vision,
        "video_token_id": token("<|video_pad|>"),
        "image_token_id": token("<|image_pad|>"),
        "vision_start_token_id": token("<|vision_start|>"),
        "vision_end_token_id": token("<|vision_end|>"),
    }


_MROPE = {"rope_type": "default", "mrope_section": [4, 6, 6], "rope_theta": 10000.0}
_LLAVA = {
    "video_token_index": token("<video>"), "image_token_index": token("<image>"),
    "video_token_id": token("<video>"), "image_token_id": token("<image>"),
}  # fmt: skip
CONFIGS: dict[str, dict[str, Any]] = {
    "qwen2_vl": _qwen({}, _MROPE, {"mlp_ratio": 2}),
    "qwen2_5_vl": _qwen(
        {},
        _MROPE,
        {
            "hidden_size": 32, "out_hidden_size": 64, "intermediate_size": 64, "window_size": 56,
            "fullatt_block_indexes": [0],
        },
    ),
    "qwen3_vl": _qwen(
        {"head_dim": 32},
        _MROPE | {"mrope_interleaved": True},
        {
            "hidden_size": 32, "out_hidden_size": 64, "intermediate_size": 64, "num_position_embeddings": 16,
            "deepstack_visual_indexes": [0],
        },
    ),
    "smolvlm": {
        "text_config": {"model_type": "llama"} | _TEXT, "vision_config": _VISION, "scale_factor": 2,
        "image_token_id": token("<image>"), "pad_token_id": 256,
    },
    "llava_onevision": {
        "text_config": {"model_type": "qwen2"} | _TEXT,
        "vision_config": {"model_type": "siglip_vision_model", "vision_use_head": False} | _VISION,
        "vision_feature_layer": -1, "vision_feature_select_strategy": "full",
    } | _LLAVA,
    "llava_next_video": {
        "text_config": {"model_type": "llama"} | _TEXT,
        "vision_config": {"model_type": "clip_vision_model", "projection_dim": 32} | _VISION | {"num_hidden_layers": 2},
        "vision_feature_layer": -2, "vision_feature_select_strategy": "default",
        "spatial_pool_stride": 2, "spatial_pool_mode": "average",
    } | _LLAVA,
    "internvl": {
        "text_config": {"model_type": "qwen2"} | _TEXT,
        "vision_config": _VISION | {"image_size": [28, 28], "patch_size": [7, 7]},
        "downsample_ratio": 0.5, "image_token_id": token("<IMG_CONTEXT>"), "vision_feature_layer": -1,
    },
    "video_llama_3": {
        "text_config": {"model_type": "qwen2"} | _TEXT,
        "vision_config": {
            "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 1, "num_attention_heads": 2,
            "patch_size": 14,
        },
        "video_token_id": token("<|video_pad|>"), "image_token_id": token("<|image_pad|>"),
    },
    "idefics": {
        "hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2, "num_attention_heads": 2,
        "vocab_size": 300, "additional_vocab_size": 0, "cross_layer_interval": 1, "use_resampler": False,
        "max_position_embeddings": 2048, "alpha_initializer": "ones",
        "vision_config": {
            "embed_dim": 64, "hidden_size": 64, "image_size": 28, "intermediate_size": 128, "patch_size": 14,
            "num_attention_heads": 2, "num_hidden_layers": 1,
        },
    },
}  # fmt: skip


def make_tiny(name: str, folder: Path, changes: dict[str, Any] | None = None) -> Path:
    """Writes a random base: config, safetensors, tokenizer, preprocessor."""
    torch.manual_seed(0)
    raw = CONFIGS[name] | (changes or {})
    more = {"pad_token_id": 256, "bos_token_id": 257, "eos_token_id": 258, "tie_word_embeddings": False}
    config = AutoConfig.for_model(name, **(more | raw))
    model = AutoModelForImageTextToText.from_config(config, dtype=torch.float32)
    model.save_pretrained(folder, safe_serialization=True)
    tokenizer().save_pretrained(folder)
    write_processor(name, folder)
    return folder


def write_processor(name: str, folder: Path) -> None:
    """Writes the settings of a tiny base's processor."""
    processor: dict[str, Any] = {"image_mean": [0.5] * 3, "image_std": [0.5] * 3}
    processor |= {"resample": 3, "rescale_factor": 1 / 255}
    if name.startswith("qwen"):
        processor["patch_size"] = _QWEN_VISION["patch_size"]
    if name == "smolvlm":
        edge = {"longest_edge": _VISION["image_size"]}
        processor |= {"size": edge, "max_image_size": edge, "fps": 1, "num_frames": 64}
        (folder / "processor_config.json").write_text(
            json.dumps({"image_seq_len": 4, "processor_class": "SmolVLMProcessor"})
        )
    if name == "llava_onevision":
        edge = _VISION["image_size"]
        processor |= {"size": {"height": edge, "width": edge}}
        tokens = {"num_image_tokens": 16, "vision_feature_select_strategy": "full"}
        (folder / "processor_config.json").write_text(
            json.dumps(tokens | {"processor_class": "LlavaOnevisionProcessor"})
        )
    if name == "llava_next_video":
        edge = _VISION["image_size"]
        processor |= {"image_processor_type": "LlavaNextImageProcessor", "processor_class": "LlavaNextVideoProcessor"}
        processor |= {"size": {"shortest_edge": edge}, "crop_size": {"height": edge, "width": edge}}
        tokens = {"patch_size": _VISION["patch_size"], "vision_feature_select_strategy": "default"}
        (folder / "processor_config.json").write_text(
            json.dumps(tokens | {"processor_class": "LlavaNextVideoProcessor"})
        )
    if name == "idefics":
        processor |= {"image_processor_type": "IdeficsImageProcessor", "processor_class": "IdeficsProcessor"}
        processor["image_size"] = _VISION["image_size"]
    if name == "internvl":
        edge = _VISION["image_size"]
        processor |= {"size": {"height": edge, "width": edge}}
        tokens = {"image_seq_length": 4, "processor_class": "InternVLProcessor"}
        (folder / "processor_config.json").write_text(json.dumps(tokens))
        settings = json.loads((folder / "tokenizer_config.json").read_text())
        settings["extra_special_tokens"] = {
            "start_image_token": "<img>", "end_image_token": "</img>", "context_image_token": "<IMG_CONTEXT>",
            "video_token": "<video>",
        }  # fmt: skip
        (folder / "tokenizer_config.json").write_text(json.dumps(settings))
    (folder / "preprocessor_config.json").write_text(json.dumps(processor))
