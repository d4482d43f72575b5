"""Reads what a model folder says about itself: config.json and the heads of the safetensors, never a weight."""

import hashlib
import json
import math
import re
import struct
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from orchestrator.domain.errors import Invalid
from orchestrator.domain.models import ModelType
from orchestrator.services.models.files import TO_SAFETENSORS
from orchestrator.services.models.sight import read_sight

FAMILIES: dict[str, tuple[str, ModelType]] = {
    "videomae": ("VideoMAE", ModelType.CLASSIFICATION),
    "timesformer": ("TimeSformer", ModelType.CLASSIFICATION),
    "vivit": ("ViViT", ModelType.CLASSIFICATION),
    "vjepa2": ("V-JEPA 2", ModelType.CLASSIFICATION),
    "xclip": ("X-CLIP", ModelType.RETRIEVAL),
    "clip": ("CLIP", ModelType.RETRIEVAL),
    "siglip": ("SigLIP", ModelType.RETRIEVAL),
    "vision-text-dual-encoder": ("Dual encoder", ModelType.RETRIEVAL),
    "vision-encoder-decoder": ("Encoder-decoder", ModelType.CAPTIONING),
    "qwen2_vl": ("Qwen2-VL", ModelType.CAPTIONING),
    "qwen2_5_vl": ("Qwen2.5-VL", ModelType.CAPTIONING),
    "qwen3_vl": ("Qwen3-VL", ModelType.CAPTIONING),
    "smolvlm": ("SmolVLM2", ModelType.CAPTIONING),
    "llava_onevision": ("LLaVA-OneVision", ModelType.CAPTIONING),
    "llava_next_video": ("LLaVA-NeXT-Video", ModelType.CAPTIONING),
    "internvl": ("InternVL", ModelType.CAPTIONING),
    "video_llama_3": ("Video-LLaMA", ModelType.CAPTIONING),
    "idefics": ("Flamingo", ModelType.CAPTIONING),
}
"""config.json's model_type -> the name people know, and what it does: the families that can be trained."""
HEADS = ("classifier", "head", "lm_head", "score", "visual_projection", "text_projection", "decoder")
_NOT_LINEAR = ("embed", "position", "norm", "patch", "pooler", "predictor", "vision_model.head")
EYES = re.compile(
    r"(^|\.)(visual|vision_tower|vision_model|vision_encoder|connector|projector|multi_modal_projector|"
    r"vision_resampler|perceiver_resampler)\."
)
"""Where a video language model keeps what sees: it stays as it is, and is never quantized."""
_BYTES = {"F64": 8, "I64": 8, "U64": 8, "F32": 4, "I32": 4, "U32": 4, "F16": 2, "BF16": 2, "I16": 2, "U16": 2}
_BYTES |= {"I8": 1, "U8": 1, "BOOL": 1, "F8_E4M3": 1, "F8_E5M2": 1}
_HEADER_LIMIT = 100_000_000
NF4_BYTES = 0.5 + (1 + 4 / 256) / 64
"""Bytes a parameter: 4 bits, an 8-bit scale every 64, a 32-bit one every 256 scales (Dettmers et al. 2023)."""


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """What the files say."""

    family: str
    architecture: str
    model_type: str
    parameters: int
    size_bytes: int
    revision: str
    details: dict[str, Any] = field(default_factory=dict)


def inspect_model(folder: Path) -> ModelFacts:
    """The facts of a model folder.

    Raises:
        Invalid: field `path`, with the sentence that says what is missing or wrong.
    """
    config = _config(folder)
    family = str(config.get("model_type", ""))
    if family not in FAMILIES:
        known = ", ".join(name for name, _ in FAMILIES.values())
        raise _refuse(f"config.json names the model type “{family or 'nothing'}”. These can be trained: {known}.")
    files = sorted(folder.glob("*.safetensors"))
    if not files:
        raise _refuse(
            "There are no .safetensors files in this folder. Pickled weights (.bin, .pt) are not accepted, since they "
            f"can run code when opened. Convert them first: {TO_SAFETENSORS}"
        )
    shapes: dict[str, list[int]] = {}
    for file in files:
        shapes |= _shapes(file)
    architecture, kind = FAMILIES[family]
    inner = (config.get(name) for name in ("vision_config", "encoder"))
    vision = next((part for part in inner if isinstance(part, dict)), config)
    sight = read_sight(family, config)
    eyes = EYES if sight else None
    return ModelFacts(
        family=family,
        architecture=architecture,
        model_type=kind.value,
        parameters=sum(math.prod(shape) for shape in shapes.values()),
        size_bytes=sum(file.stat().st_size for file in files),
        revision=_digest(files),
        details={
            "frames": vision.get("num_frames") or vision.get("frames_per_clip"),
            "image_size": _one(vision.get("image_size") or vision.get("crop_size")),
            "hidden_size": vision.get("hidden_size"),
            "patch_size": _one(vision.get("patch_size") or _last(vision.get("tubelet_size"))),
            "tubelet_size": _one(vision.get("tubelet_size")),
            "heads": vision.get("num_attention_heads"),
            "blocks": vision.get("num_hidden_layers"),
            "text_hidden": _text(config).get("hidden_size"),
            "text_blocks": _text(config).get("num_hidden_layers"),
            "classes": len(config.get("id2label") or {}),
            "nf4_bytes": nf4_bytes(shapes, eyes),
            "eye_parameters": sum(math.prod(shape) for name, shape in shapes.items() if eyes and eyes.search(name)),
            "sight": sight,
            "layers": layer_groups(shapes, eyes),
            "eye_layers": layer_groups({n: s for n, s in shapes.items() if eyes and eyes.search(n)}),
        },
    )


def _text(config: dict[str, Any]) -> dict[str, Any]:
    """What reads beside what sees, in a model of two towers; empty where there is one."""
    found = config.get("text_config")
    return found if isinstance(found, dict) else {}


def _one(value: Any) -> Any:
    """The first of a list of sides, as (2, 16, 16)."""
    return value[0] if isinstance(value, list) and value else value


def _last(value: Any) -> Any:
    return value[-1] if isinstance(value, list) and value else None


def layer_groups(shapes: dict[str, list[int]], eyes: re.Pattern[str] | None = None) -> list[dict[str, Any]]:
    """The linear layers by the ending of their names, in the order of the file; one row an ending.

    `in_features` and `out_features` are means where one ending names layers of several shapes. Layers within `eyes`
    stay frozen and are left out.
    """
    found: dict[str, list[tuple[int, int]]] = {}
    for name, shape in shapes.items():
        if _is_linear(name, shape) and not (eyes and eyes.search(name)):
            found.setdefault(name.removesuffix(".weight").rpartition(".")[2], []).append((shape[1], shape[0]))
    return [
        {
            "suffix": suffix,
            "count": len(sides),
            "parameters": sum(inside * outside for inside, outside in sides),
            "in_features": round(sum(inside for inside, _ in sides) / len(sides)),
            "out_features": round(sum(outside for _, outside in sides) / len(sides)),
            "default": suffix not in HEADS,
        }
        for suffix, sides in found.items()
    ]


def nf4_bytes(shapes: dict[str, list[int]], eyes: re.Pattern[str] | None = None) -> int:
    """Bytes of the weights with the linear layers (but heads and `eyes`) in NF4 and the rest in 32 bits."""
    total = 0.0
    for name, shape in shapes.items():
        whole = name.removesuffix(".weight").rpartition(".")[2] in HEADS or bool(eyes and eyes.search(name))
        total += math.prod(shape) * (NF4_BYTES if _is_linear(name, shape) and not whole else 4)
    return round(total)


def _is_linear(name: str, shape: list[int]) -> bool:
    return len(shape) == 2 and name.endswith(".weight") and not any(word in name for word in _NOT_LINEAR)


def _config(folder: Path) -> dict[str, Any]:
    try:
        config = json.loads((folder / "config.json").read_text())
    except FileNotFoundError as error:
        raise _refuse("There is no config.json in this folder.") from error
    except (OSError, ValueError, RecursionError) as error:
        raise _refuse("config.json in this folder cannot be read.") from error
    if not isinstance(config, dict):
        raise _refuse("config.json in this folder is not a model's configuration.")
    if "auto_map" in config:
        raise _refuse(
            "config.json asks to run code of the model's own, which never happens here. Choose another model."
        )
    return config


def _shapes(file: Path) -> dict[str, list[int]]:
    """Tensor names and shapes from the head of one safetensors file."""
    return {name: [int(side) for side in facts["shape"]] for name, facts in read_head(file)[0].items()}


def read_head(file: Path) -> tuple[dict[str, Any], int]:
    """The head of one safetensors file, {tensor: {dtype, shape, data_offsets}}, and where its tensors begin.

    Raises:
        Invalid: it is damaged, cut off, or lies about what follows.
    """
    try:
        with file.open("rb") as stream:
            (length,) = struct.unpack("<Q", stream.read(8))
            if length > _HEADER_LIMIT:
                raise ValueError(length)
            head = json.loads(stream.read(length))
        found = {name: facts for name, facts in head.items() if name != "__metadata__"}
        if file.stat().st_size < 8 + length + _end(found):
            raise ValueError("truncated")
        return found, 8 + length
    except (OSError, ValueError, struct.error, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise _refuse(f"{file.name} is damaged or cut off. Copy it again.") from error


def _end(head: dict[str, Any]) -> int:
    """Where the last tensor ends: they lie one behind the other, without holes, each as long as its shape says.

    Raises:
        ValueError: they do not.
    """
    end = 0
    for facts in sorted(head.values(), key=lambda facts: int(facts["data_offsets"][0])):
        begin, after = (int(at) for at in facts["data_offsets"])
        bytes_each = _BYTES.get(str(facts["dtype"]))
        wanted = math.prod(int(side) for side in facts["shape"]) * bytes_each if bytes_each else after - begin
        if begin != end or after - begin != wanted:
            raise ValueError("the head lies")
        end = after
    return end


def _digest(files: list[Path]) -> str:
    digest = hashlib.sha256()
    for file in files:
        with file.open("rb") as stream:
            while block := stream.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()


def _refuse(sentence: str) -> Invalid:
    return Invalid(sentence, "path")
