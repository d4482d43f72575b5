"""Reads the facts of a model folder from config.json and the headers of the safetensors, without loading weights."""

import hashlib
import json
import math
import re
import struct
from dataclasses import dataclass, field
from pathlib import Path, PurePath
from typing import Any

from orchestrator.domain.errors import Invalid
from orchestrator.domain.experts import EXPERT_LAYERS, EXPERT_TENSOR, ROUTING_LAYER
from orchestrator.domain.families import FAMILIES
from orchestrator.domain.refused_bases import refusal, remote_code_refusal
from orchestrator.services.models.files import INDEX, TO_SAFETENSORS, WEIGHTS, read_small_text
from orchestrator.services.models.vision_tokens import read_vision_layout

HEADS = ("classifier", "head", "lm_head", "score", "visual_projection", "text_projection", "decoder")
_NOT_LINEAR = ("embed", "position", "norm", "patch", "pooler", "predictor", "vision_model.head")
VISION_TOWER = re.compile(
    r"(^|\.)(visual|vision_tower|video_tower|image_tower|audio_tower|vision_model|vision_encoder|connector|projector|"
    r"multi_modal_projector|embed_vision|embed_audio|merger|vision_resampler|perceiver_resampler)\."
)
"""Names of the vision tower and its projector in a video language model: they are frozen and never quantized."""
_BYTES = {"F64": 8, "I64": 8, "U64": 8, "F32": 4, "I32": 4, "U32": 4, "F16": 2, "BF16": 2, "I16": 2, "U16": 2}
_BYTES |= {"I8": 1, "U8": 1, "BOOL": 1, "F8_E4M3": 1, "F8_E5M2": 1}
_HEADER_LIMIT = 100_000_000
MAX_SIZE, MAX_BLOCKS, MAX_PATCHES = 2**20, 1024, 2**18
"""Limits of sizes, numbers of blocks, and patches in a clip: building a model with more would exhaust the memory."""
NF4_BYTES = 0.5 + (1 + 4 / 256) / 64
"""Bytes per parameter: 4 bits, an 8-bit scale per 64 parameters, a 32-bit one per 256 scales (Dettmers et al. 2023)."""


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """The facts of a model folder."""

    family: str
    architecture: str
    model_type: str
    parameters: int
    size_bytes: int
    revision: str
    details: dict[str, Any] = field(default_factory=dict)


def inspect_model(folder: Path, digest: bool = True) -> ModelFacts:
    """Reads the facts of a model folder.

    Args:
        digest: also computes the revision, which reads every byte; "" without it.

    Raises:
        Invalid: field `path`: something is missing or wrong.
    """
    config = _config(folder)
    family = str(config.get("model_type", ""))[:64]
    if family not in FAMILIES:
        raise _refuse(refusal(family))
    files = weight_files(folder)
    shapes: dict[str, list[int]] = {}
    for file in files:
        shapes |= {name: facts["shape"] for name, facts in read_header(file)[0].items()}
    if not any(math.prod(shape) for shape in shapes.values()):
        raise _refuse(f"{files[0].name} holds no weights. Copy it again.")
    spec = FAMILIES[family]
    try:
        details = _details(config, family, shapes)
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        raise _refuse("config.json in this folder has sizes that no model can have. Copy it again.") from error
    return ModelFacts(
        family=family,
        architecture=spec.title,
        model_type=spec.model_type.value,
        parameters=sum(math.prod(shape) for shape in shapes.values()),
        size_bytes=sum(file.stat().st_size for file in files),
        revision=_digest(files) if digest else "",
        details=details,
    )


def _details(config: dict[str, Any], family: str, shapes: dict[str, list[int]]) -> dict[str, Any]:
    """The details of a model from its config and the shapes of its tensors.

    Raises:
        ArithmeticError, AttributeError, LookupError, TypeError, ValueError: the config has impossible values.
    """
    inner = (config.get(name) for name in ("vision_config", "encoder"))
    vision = next((part for part in inner if isinstance(part, dict)), config)
    text, vision_sizes = _part(config, "text_config"), read_vision_layout(family, config)
    if vision_sizes and not all(0 <= number < 2**31 for number in vision_sizes.values()):
        raise ValueError("sizes out of range")
    _check_block_counts(config)
    tower = VISION_TOWER if vision_sizes else None
    tower_shapes = {name: shape for name, shape in shapes.items() if tower and tower.search(name)}
    details = {
        "frames": _size(vision.get("num_frames") or vision.get("frames_per_clip")),
        "image_size": _size(vision.get("image_size") or vision.get("crop_size")),
        "hidden_size": _size(vision.get("hidden_size")),
        "patch_size": _size(vision.get("patch_size") or _last(vision.get("tubelet_size"))),
        "tubelet_size": _size(vision.get("tubelet_size")),
        "heads": _size(vision.get("num_attention_heads")),
        "blocks": _size(vision.get("num_hidden_layers")),
        "text_hidden": _size(text.get("hidden_size")),
        "text_blocks": _size(text.get("num_hidden_layers")),
        "classes": len(_part(config, "id2label")),
        "nf4_bytes": nf4_bytes(shapes, tower),
        "eye_parameters": sum(math.prod(shape) for shape in tower_shapes.values()),
        "sight": vision_sizes,
        "layers": layer_groups(shapes, tower, bool(vision_sizes and vision_sizes["experts"])),
        "eye_layers": layer_groups(tower_shapes),
    }
    patches = ((details["image_size"] or 0) // (details["patch_size"] or 1)) ** 2
    if details["patch_size"] and patches * (details["frames"] or 1) > MAX_PATCHES:
        raise ValueError("too many patches")
    return details


def _check_block_counts(config: dict[str, Any]) -> None:
    """Refuses a config with more blocks than `MAX_BLOCKS`, all of which a loader would build.

    Raises:
        ValueError.
    """
    for name, value in config.items():
        if isinstance(value, dict):
            _check_block_counts(value)
        elif name.endswith(("_layers", "depth")) and isinstance(value, int | float) and value > MAX_BLOCKS:
            raise ValueError(name)


def weight_files(folder: Path) -> list[Path]:
    """The weight files that transformers would load.

    Raises:
        Invalid: there are none, they have other names, or the index is damaged or leads out of the folder.
    """
    if (folder / WEIGHTS).is_file():
        return [folder / WEIGHTS]
    if (folder / INDEX).is_file():
        files = [folder / name for name in sorted(set(shards_of(folder / INDEX).values()))]
        if files and all(file.is_file() for file in files):
            return files
        missing = next((file.name for file in files if not file.is_file()), WEIGHTS)
        raise _refuse(f"{missing} is missing: the index names {len(files)} files. Add all of them.")
    if other := sorted(folder.glob("*.safetensors")):
        raise _refuse(f"The weights are in {other[0].name}. Name it {WEIGHTS}, or add {INDEX}.")
    raise _refuse(
        "There are no .safetensors files in this folder. Pickled weights (.bin, .pt) are not accepted, since they "
        f"can run code when opened. Convert them first: {TO_SAFETENSORS}"
    )


def shards_of(index: Path) -> dict[str, str]:
    """Reads the index of the weight files: {tensor: name of its file}.

    Raises:
        Invalid: it is damaged, or names a file outside of its folder.
    """
    try:
        shards = {str(tensor): str(name) for tensor, name in json.loads(read_small_text(index))["weight_map"].items()}
    except (OSError, ValueError, KeyError, AttributeError, TypeError, RecursionError):
        raise _refuse(f"{index.name} is damaged. Copy it again.") from None
    for name in shards.values():
        if name != PurePath(name).name or not name.endswith(".safetensors"):
            raise _refuse(f"{index.name} names {name[:80]}, which is no .safetensors file in its folder.")
    return shards


def _part(config: dict[str, Any], name: str) -> dict[str, Any]:
    """A section of the config; empty where it has none."""
    section = config.get(name) or {}
    if not isinstance(section, dict):
        raise TypeError(name)
    return section


def _size(value: Any) -> int | None:
    """A size as one number: the first of a list such as (2, 16, 16), the height of {height, width}."""
    value = value[0] if isinstance(value, list) and value else value
    value = value.get("height") if isinstance(value, dict) else value
    if value is not None and (int(value) != value or not 0 < value < MAX_SIZE):
        raise ValueError(value)
    return value if value is None else int(value)


def _last(value: Any) -> Any:
    return value[-1] if isinstance(value, list) and value else None


def layer_groups(
    shapes: dict[str, list[int]], tower: re.Pattern[str] | None = None, has_experts: bool = False
) -> list[dict[str, Any]]:
    """The linear layers, grouped by the ending of their names, in the order of the file.

    `in_features` and `out_features` are means where layers of one ending have several shapes.

    Args:
        tower: names of layers to leave out, because they stay frozen.
        has_experts: whether the names that layers of an expert have are left without adapters.
    """
    groups: dict[str, list[tuple[int, int]]] = {}
    for name, shape in shapes.items():
        if _is_linear(name, shape) and not (tower and tower.search(name)):
            groups.setdefault(name.removesuffix(".weight").rpartition(".")[2], []).append((shape[1], shape[0]))
    return [
        {
            "suffix": suffix,
            "count": len(sides),
            "parameters": sum(inputs * outputs for inputs, outputs in sides),
            "in_features": round(sum(inputs for inputs, _ in sides) / len(sides)),
            "out_features": round(sum(outputs for _, outputs in sides) / len(sides)),
            "default": suffix not in HEADS and not (has_experts and suffix in EXPERT_LAYERS),
        }
        for suffix, sides in groups.items()
    ]


def nf4_bytes(shapes: dict[str, list[int]], tower: re.Pattern[str] | None = None) -> int:
    """Bytes of the weights with the linear layers in NF4 and everything else, also heads and `tower`, in 32 bits."""
    total = 0.0
    for name, shape in shapes.items():
        unquantized = name.removesuffix(".weight").rpartition(".")[2] in HEADS or bool(tower and tower.search(name))
        total += math.prod(shape) * (NF4_BYTES if _is_linear(name, shape) and not unquantized else 4)
    return round(total)


def _is_linear(name: str, shape: list[int]) -> bool:
    if len(shape) != 2 or not name.endswith(".weight") or any(word in name for word in _NOT_LINEAR):
        return False
    return not EXPERT_TENSOR.search(name) and not ROUTING_LAYER.search(name)


def _config(folder: Path) -> dict[str, Any]:
    try:
        config = json.loads(read_small_text(folder / "config.json"))
    except FileNotFoundError as error:
        raise _refuse("There is no config.json in this folder.") from error
    except (OSError, ValueError, RecursionError) as error:
        raise _refuse("config.json in this folder cannot be read.") from error
    if not isinstance(config, dict):
        raise _refuse("config.json in this folder is not a model's configuration.")
    if "auto_map" in config:
        raise _refuse(remote_code_refusal(str(config.get("model_type", ""))))
    return config


def read_header(file: Path) -> tuple[dict[str, Any], int]:
    """Reads the header of a safetensors file.

    Returns:
        ({tensor: {dtype, shape, data_offsets}}, the position at which the tensors begin).

    Raises:
        Invalid: the file is damaged, truncated, does not match its header, or has an unknown dtype.
    """
    try:
        with file.open("rb") as stream:
            (length,) = struct.unpack("<Q", stream.read(8))
            if length > _HEADER_LIMIT:
                raise ValueError(length)
            header = json.loads(stream.read(length))
        tensors = {name: facts for name, facts in header.items() if name != "__metadata__"}
        if unknown := {str(facts["dtype"]) for facts in tensors.values()} - _BYTES.keys():
            kinds = ", ".join(sorted(unknown))[:80]
            raise _refuse(f"{file.name} has numbers of type {kinds}. Save the model in bfloat16 or float32.")
        if file.stat().st_size < 8 + length + _end(tensors):
            raise ValueError("truncated")
        return tensors, 8 + length
    except (OSError, ValueError, struct.error, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise _refuse(f"{file.name} is damaged or truncated. Copy it again.") from error


def _end(header: dict[str, Any]) -> int:
    """The position at which the last tensor ends.

    Raises:
        ValueError: tensors overlap, leave gaps, or have another length than their shape.
    """
    end = 0
    for facts in sorted(header.values(), key=lambda facts: facts["data_offsets"][0]):
        (begin, after), shape = facts["data_offsets"], facts["shape"]
        if not all(type(number) is int and number >= 0 for number in (begin, after, *shape)):
            raise ValueError("inconsistent header")
        if begin != end or after - begin != math.prod(shape) * _BYTES[str(facts["dtype"])]:
            raise ValueError("inconsistent header")
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
