"""Writes tiny bases of every family with random weights, in the shape of a real checkpoint's folder."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
import transformers

from jobs.bases.retriever_tokenizer import END, PAD, START, make_tokenizer

_PICTURE: dict[str, Any] = {
    "do_resize": True, "size": {"shortest_edge": 36}, "do_center_crop": True, "crop_size": {"height": 32, "width": 32},
    "resample": 2, "do_rescale": True, "rescale_factor": 1 / 255, "do_normalize": True,
    "image_mean": [0.45, 0.45, 0.45], "image_std": [0.225, 0.225, 0.225],
}  # fmt: skip
_SMALL: dict[str, Any] = {"hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 128}


def _save(folder: Path, model: Any, processor: dict[str, Any], name: str = "preprocessor_config.json") -> Path:
    model.save_pretrained(folder, safe_serialization=True)
    (folder / name).write_text(json.dumps(processor))
    return folder


def timesformer(folder: Path) -> Path:
    config = transformers.TimesformerConfig(image_size=32, patch_size=8, num_frames=4, **_SMALL)
    model = transformers.TimesformerForVideoClassification(config)
    return _save(folder, model, _PICTURE | {"image_processor_type": "VideoMAEImageProcessor"})


def videomae(folder: Path) -> Path:
    """A tenth of the work of the shipped one, for what does not depend on what is learned."""
    config = transformers.VideoMAEConfig(image_size=32, patch_size=8, num_frames=4, tubelet_size=2, **_SMALL)
    model = transformers.VideoMAEForVideoClassification(config)
    return _save(folder, model, _PICTURE | {"image_processor_type": "VideoMAEImageProcessor"})


def vivit(folder: Path) -> Path:
    config = transformers.VivitConfig(image_size=32, tubelet_size=[2, 8, 8], num_frames=4, **_SMALL)
    how = _PICTURE | {"image_processor_type": "VivitImageProcessor", "offset": True, "rescale_factor": 1 / 127.5}
    return _save(folder, transformers.VivitForVideoClassification(config), how)


def vjepa2(folder: Path) -> Path:
    """Without pooler and head, as the pretrained checkpoints are."""
    config = transformers.VJEPA2Config(
        patch_size=8, crop_size=32, frames_per_clip=4, hidden_size=96, num_attention_heads=4, num_hidden_layers=2,
        mlp_ratio=2, num_pooler_layers=1, pred_hidden_size=48, pred_num_attention_heads=2, pred_num_hidden_layers=1,
    )  # fmt: skip
    how = _PICTURE | {"video_processor_type": "VJEPA2VideoProcessor", "crop_size": 32}
    return _save(folder, transformers.VJEPA2Model(config), how, "video_preprocessor_config.json")


ENCODERS: dict[str, Callable[[Path], Path]] = {"timesformer": timesformer, "vivit": vivit, "vjepa2": vjepa2}


def _words(folder: Path, longest: int) -> int:
    """Writes a small tokenizer next to the model and returns its size; the end token has the highest id."""
    tokenizer = make_tokenizer()
    fast = transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token=PAD, bos_token=START, eos_token=END, model_max_length=longest
    )
    fast.save_pretrained(folder)
    return tokenizer.get_vocab_size()


def _text(size: int, longest: int = 24) -> dict[str, Any]:
    ids = {"pad_token_id": size - 3, "bos_token_id": size - 2, "eos_token_id": size - 1}
    return {**_SMALL, **ids, "vocab_size": size, "max_position_embeddings": longest, "projection_dim": 64}


_VISION: dict[str, Any] = {**_SMALL, "image_size": 32, "patch_size": 8}


def clip(folder: Path) -> Path:
    config = transformers.CLIPConfig(text_config=_text(_words(folder, 24)), vision_config=_VISION, projection_dim=64)
    return _save(folder, transformers.CLIPModel(config), _PICTURE | {"image_processor_type": "CLIPImageProcessor"})


def siglip(folder: Path) -> Path:
    text = _text(_words(folder, 24)) | {"projection_size": 64}
    text.pop("projection_dim")
    how = _PICTURE | {"image_processor_type": "SiglipImageProcessor", "size": {"height": 32, "width": 32}}
    how = {key: value for key, value in how.items() if "crop" not in key}
    return _save(
        folder, transformers.SiglipModel(transformers.SiglipConfig(text_config=text, vision_config=_VISION)), how
    )


def xclip(folder: Path) -> Path:
    vision = _VISION | {
        "num_frames": 4,
        "mit_hidden_size": 64,
        "mit_intermediate_size": 128,
        "mit_num_attention_heads": 2,
    }
    config = transformers.XCLIPConfig(
        text_config=_text(_words(folder, 24)), vision_config=vision, projection_dim=64, prompt_num_attention_heads=2,
        prompt_layers=1,
    )  # fmt: skip
    return _save(folder, transformers.XCLIPModel(config), _PICTURE | {"image_processor_type": "VideoMAEImageProcessor"})


def dual(folder: Path) -> Path:
    """A video tower with CLIP's text tower, as the shipped retriever."""
    text = transformers.CLIPTextConfig(**_text(_words(folder, 24)))
    vision = transformers.VideoMAEConfig(num_frames=4, use_mean_pooling=False, **_VISION)
    config = transformers.VisionTextDualEncoderConfig.from_vision_text_configs(vision, text, projection_dim=64)
    model = transformers.VisionTextDualEncoderModel(config)
    return _save(folder, model, _PICTURE | {"image_processor_type": "VideoMAEImageProcessor"})


RETRIEVERS: dict[str, Callable[[Path], Path]] = {
    "clip": clip, "siglip": siglip, "xclip": xclip, "vision-text-dual-encoder": dual,
}  # fmt: skip


def make_base(name: str, folder: Path) -> Path:
    """The same weights each time."""
    torch.manual_seed(1)
    return (ENCODERS | RETRIEVERS | {"videomae": videomae})[name](folder)
