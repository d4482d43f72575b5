"""The same small work for us and a rival: a random tiny Qwen2-VL with a processor for both, and clips with captions."""

import hashlib
import json
from pathlib import Path

import torch
from transformers import AutoConfig, AutoModelForImageTextToText

from benchmarks.words import save_words
from jobs.runs.clip_spec import ClipSpec
from jobs.video.synthetic import demo_frames, write_mp4

FRAMES, EDGE = 8, 112
_MOTIONS = ("circling", "zooming", "bouncing", "blinking")


def make_clips(folder: Path, count: int) -> list[ClipSpec]:
    """Two-second clips, all to learn from, each with a sentence of its motion."""
    clips = []
    for number in range(count):
        motion = _MOTIONS[number % 4]
        path = write_mp4(folder / f"{number}.mp4", demo_frames(motion, number)[:, :, 20:140])
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        said = f"A shape is {motion}, number {number % 7}."
        clips.append(ClipSpec(number + 1, str(path), "", said, "train", digest, path.name))
    return clips


def make_base(folder: Path) -> Path:
    """Four layers of language, six of vision; random weights."""
    torch.manual_seed(0)
    ids = save_words(folder)
    text = {
        "hidden_size": 128, "intermediate_size": 256, "num_hidden_layers": 4, "num_attention_heads": 4,
        "num_key_value_heads": 2, "max_position_embeddings": 4096, "vocab_size": 272,
        "rope_parameters": {"rope_type": "default", "mrope_section": [4, 6, 6], "rope_theta": 10000.0},
    }  # fmt: skip
    eye = {"depth": 6, "embed_dim": 128, "hidden_size": 128, "num_heads": 4, "mlp_ratio": 4, "patch_size": 14}
    config = AutoConfig.for_model(
        "qwen2_vl",
        text_config=text,
        vision_config=eye,
        video_token_id=ids["<|video_pad|>"],
        image_token_id=ids["<|image_pad|>"],
        vision_start_token_id=ids["<|vision_start|>"],
        vision_end_token_id=ids["<|vision_end|>"],
        tie_word_embeddings=False,
    )
    AutoModelForImageTextToText.from_config(config, dtype=torch.float32).save_pretrained(folder)
    pixels = {"image_mean": [0.5] * 3, "image_std": [0.5] * 3, "patch_size": 14, "temporal_patch_size": 2}
    pixels |= {"merge_size": 2, "min_pixels": 784, "max_pixels": EDGE * EDGE, "resample": 3, "rescale_factor": 1 / 255}
    picture = pixels | {"image_processor_type": "Qwen2VLImageProcessor", "processor_class": "Qwen2VLProcessor"}
    video = pixels | {"video_processor_type": "Qwen2VLVideoProcessor", "processor_class": "Qwen2VLProcessor"}
    (folder / "preprocessor_config.json").write_text(json.dumps(picture))
    (folder / "video_preprocessor_config.json").write_text(json.dumps(video))
    return folder
