"""Bases in a real model's shape with random weights, made from their configs, and clips whose frames are decoded."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.words import save_words

EDGE = 224


@dataclass(frozen=True, slots=True)
class Work:
    """What both sides train."""

    family: str
    frames: int
    batch: int
    clips: int = 48
    epochs: int = 3
    tiny: bool = False
    """A tiny shape, to test the benchmark itself on a CPU."""

    @property
    def edge(self) -> int:
        return 56 if self.tiny else EDGE


WORKS = (
    Work("qwen2_5_vl", 8, 4),
    Work("qwen2_5_vl", 16, 4),
    Work("videomae", 8, 8),
    Work("videomae", 16, 8),
)


def make_base(work: Work, folder: Path, device: str) -> Path:
    """Writes config, random weights in bf16, processor and tokenizer."""
    torch.manual_seed(0)
    _qwen(work, folder, device) if work.family == "qwen2_5_vl" else _videomae(work, folder, device)
    return folder


def make_frames(work: Work, folder: Path) -> list[Path]:
    """A file of decoded bytes a clip: (frames, edge, edge, 3)."""
    folder.mkdir(parents=True)
    rng, made = np.random.default_rng(0), []
    for number in range(work.clips):
        made.append(folder / f"{number}.npy")
        np.save(made[-1], rng.integers(0, 256, (work.frames, work.edge, work.edge, 3), dtype=np.uint8))
    return made


def caption_of(number: int) -> str:
    """The caption of a clip."""
    return f"A shape is circling, number {number % 7}, and then it stops and goes back to where it was."


def _qwen(work: Work, folder: Path, device: str) -> None:
    """Qwen2.5-VL-3B, as its config.json on the Hub says."""
    from transformers import AutoConfig, AutoModelForImageTextToText

    ids = save_words(folder)
    text: dict[str, Any] = {
        "hidden_size": 2048, "intermediate_size": 11008, "num_hidden_layers": 36, "num_attention_heads": 16,
        "num_key_value_heads": 2, "max_position_embeddings": 128_000, "vocab_size": 151_936,
        "rope_parameters": {"rope_type": "default", "mrope_section": [16, 24, 24], "rope_theta": 1e6},
    }  # fmt: skip
    vision: dict[str, Any] = {
        "depth": 32, "hidden_size": 1280, "intermediate_size": 3420, "num_heads": 16, "out_hidden_size": 2048,
        "patch_size": 14, "fullatt_block_indexes": [7, 15, 23, 31], "window_size": 112,
    }  # fmt: skip
    if work.tiny:
        text |= {"hidden_size": 128, "intermediate_size": 256, "num_hidden_layers": 2, "num_attention_heads": 4}
        text |= {"vocab_size": 300, "rope_parameters": text["rope_parameters"] | {"mrope_section": [4, 6, 6]}}
        vision |= {"depth": 2, "hidden_size": 64, "intermediate_size": 128, "num_heads": 4, "out_hidden_size": 128}
        vision |= {"fullatt_block_indexes": [1]}
    config = AutoConfig.for_model(
        "qwen2_5_vl",
        text_config=text,
        vision_config=vision,
        video_token_id=ids["<|video_pad|>"],
        image_token_id=ids["<|image_pad|>"],
        vision_start_token_id=ids["<|vision_start|>"],
        vision_end_token_id=ids["<|vision_end|>"],
        tie_word_embeddings=True,
    )
    with torch.device(device):
        model = AutoModelForImageTextToText.from_config(config, dtype=torch.bfloat16)
    model.save_pretrained(folder)
    pixels = {"image_mean": [0.5] * 3, "image_std": [0.5] * 3, "patch_size": 14, "temporal_patch_size": 2}
    pixels |= {"merge_size": 2, "resample": 3, "rescale_factor": 1 / 255}
    (folder / "preprocessor_config.json").write_text(json.dumps(pixels))


def _videomae(work: Work, folder: Path, device: str) -> None:
    """VideoMAE-base is what the class's own defaults are."""
    from transformers import VideoMAEConfig, VideoMAEForVideoClassification

    small: dict[str, Any] = {"hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2}
    small["num_attention_heads"] = 2
    sizes: dict[str, Any] = {"num_frames": work.frames, "image_size": work.edge, "num_labels": 4}
    config = VideoMAEConfig.from_dict(sizes | (small | {"patch_size": 14} if work.tiny else {}))
    with torch.device(device):
        model = VideoMAEForVideoClassification(config)
    model.save_pretrained(folder)
    how = {
        "image_mean": [0.485, 0.456, 0.406], "image_std": [0.229, 0.224, 0.225], "rescale_factor": 1 / 255,
        "resample": 2, "size": {"shortest_edge": work.edge}, "crop_size": {"height": work.edge, "width": work.edge},
        "image_processor_type": "VideoMAEImageProcessor",
    }  # fmt: skip
    (folder / "preprocessor_config.json").write_text(json.dumps(how))
