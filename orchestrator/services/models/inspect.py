"""Reads what a model folder says about itself: config.json and the heads of the safetensors, never a weight."""

import hashlib
import json
import math
import re
import struct
from dataclasses import dataclass, field
from pathlib import Path, PurePath
from typing import Any

from orchestrator.domain.errors import Invalid
from orchestrator.domain.families import FAMILIES
from orchestrator.services.models.files import INDEX, TO_SAFETENSORS, WEIGHTS, small_text
from orchestrator.services.models.vision_tokens import read_vision_layout

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
MOST, MOST_BLOCKS, MOST_PLACES = 2**20, 1024, 2**18
"""No size, no count of blocks, and no count of patches in a clip reaches them: a table of so many would be computed."""
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


def inspect_model(folder: Path, digest: bool = True) -> ModelFacts:
    """The facts of a model folder.

    Args:
        digest: reads every byte for the revision, which is "" without it.

    Raises:
        Invalid: field `path`, with the sentence that says what is missing or wrong.
    """
    config = _config(folder)
    family = str(config.get("model_type", ""))[:64]
    if family not in FAMILIES:
        known = ", ".join(row.title for row in FAMILIES.values())
        raise _refuse(f"config.json names the model type “{family or 'nothing'}”. These can be trained: {known}.")
    files = weight_files(folder)
    shapes: dict[str, list[int]] = {}
    for file in files:
        shapes |= {name: facts["shape"] for name, facts in read_head(file)[0].items()}
    if not any(math.prod(shape) for shape in shapes.values()):
        raise _refuse(f"{files[0].name} holds no weights. Copy it again.")
    spec = FAMILIES[family]
    try:
        details = _details(config, family, shapes)
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        raise _refuse("config.json in this folder says sizes that no model can have. Copy it again.") from error
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
    """What config and heads say; raises what Python raises where the config lies."""
    inner = (config.get(name) for name in ("vision_config", "encoder"))
    vision = next((part for part in inner if isinstance(part, dict)), config)
    text, sight = _part(config, "text_config"), read_vision_layout(family, config)
    if sight and not all(0 <= number < 2**31 for number in sight.values()):
        raise ValueError("sizes below nothing, or beyond all measure")
    _bound(config)
    eyes = EYES if sight else None
    seen = {name: shape for name, shape in shapes.items() if eyes and eyes.search(name)}
    found = {
        "frames": _side(vision.get("num_frames") or vision.get("frames_per_clip")),
        "image_size": _side(vision.get("image_size") or vision.get("crop_size")),
        "hidden_size": _side(vision.get("hidden_size")),
        "patch_size": _side(vision.get("patch_size") or _last(vision.get("tubelet_size"))),
        "tubelet_size": _side(vision.get("tubelet_size")),
        "heads": _side(vision.get("num_attention_heads")),
        "blocks": _side(vision.get("num_hidden_layers")),
        "text_hidden": _side(text.get("hidden_size")),
        "text_blocks": _side(text.get("num_hidden_layers")),
        "classes": len(_part(config, "id2label")),
        "nf4_bytes": nf4_bytes(shapes, eyes),
        "eye_parameters": sum(math.prod(shape) for shape in seen.values()),
        "sight": sight,
        "layers": layer_groups(shapes, eyes),
        "eye_layers": layer_groups(seen),
    }
    places = ((found["image_size"] or 0) // (found["patch_size"] or 1)) ** 2
    if found["patch_size"] and places * (found["frames"] or 1) > MOST_PLACES:
        raise ValueError("a table of places without end")
    return found


def _bound(config: dict[str, Any]) -> None:
    """Whoever builds the model builds every block that config.json asks for."""
    for name, value in config.items():
        if isinstance(value, dict):
            _bound(value)
        elif name.endswith(("_layers", "depth")) and isinstance(value, int | float) and value > MOST_BLOCKS:
            raise ValueError(name)


def weight_files(folder: Path) -> list[Path]:
    """The files that transformers loads, and no others that lie beside them.

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
        raise _refuse(f"The weights lie in {other[0].name}. Name it {WEIGHTS}, or add {INDEX} beside it.")
    raise _refuse(
        "There are no .safetensors files in this folder. Pickled weights (.bin, .pt) are not accepted, since they "
        f"can run code when opened. Convert them first: {TO_SAFETENSORS}"
    )


def shards_of(index: Path) -> dict[str, str]:
    """{tensor: the file beside the index that holds it}.

    Raises:
        Invalid: it is damaged, or names a file elsewhere, which may be somebody else's.
    """
    try:
        found = {str(tensor): str(name) for tensor, name in json.loads(small_text(index))["weight_map"].items()}
    except (OSError, ValueError, KeyError, AttributeError, TypeError, RecursionError):
        raise _refuse(f"{index.name} is damaged. Copy it again.") from None
    for name in found.values():
        if name != PurePath(name).name or not name.endswith(".safetensors"):
            raise _refuse(f"{index.name} names {name[:80]}, which is no .safetensors file beside it.")
    return found


def _part(config: dict[str, Any], name: str) -> dict[str, Any]:
    """A config inside the config; empty where there is none."""
    found = config.get(name) or {}
    if not isinstance(found, dict):
        raise TypeError(name)
    return found


def _side(value: Any) -> int | None:
    """A size: of a list of sides, as (2, 16, 16), the first; of height and width, the height."""
    value = value[0] if isinstance(value, list) and value else value
    value = value.get("height") if isinstance(value, dict) else value
    if value is not None and (int(value) != value or not 0 < value < MOST):
        raise ValueError(value)
    return value if value is None else int(value)


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
        config = json.loads(small_text(folder / "config.json"))
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


def read_head(file: Path) -> tuple[dict[str, Any], int]:
    """The head of one safetensors file, {tensor: {dtype, shape, data_offsets}}, and where its tensors begin.

    Raises:
        Invalid: it is damaged, cut off, lies about what follows, or holds numbers of an unknown kind.
    """
    try:
        with file.open("rb") as stream:
            (length,) = struct.unpack("<Q", stream.read(8))
            if length > _HEADER_LIMIT:
                raise ValueError(length)
            head = json.loads(stream.read(length))
        found = {name: facts for name, facts in head.items() if name != "__metadata__"}
        if unknown := {str(facts["dtype"]) for facts in found.values()} - _BYTES.keys():
            kinds = ", ".join(sorted(unknown))[:80]
            raise _refuse(f"{file.name} holds numbers of type {kinds}. Save the model in bfloat16 or float32.")
        if file.stat().st_size < 8 + length + _end(found):
            raise ValueError("truncated")
        return found, 8 + length
    except (OSError, ValueError, struct.error, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise _refuse(f"{file.name} is damaged or cut off. Copy it again.") from error


def _end(head: dict[str, Any]) -> int:
    """Where the last tensor ends: they lie one behind the other, without holes, each as long as its shape says.

    Raises:
        ValueError: they do not.
    """
    end = 0
    for facts in sorted(head.values(), key=lambda facts: facts["data_offsets"][0]):
        (begin, after), shape = facts["data_offsets"], facts["shape"]
        if not all(type(number) is int and number >= 0 for number in (begin, after, *shape)):
            raise ValueError("the head lies")
        if begin != end or after - begin != math.prod(shape) * _BYTES[str(facts["dtype"])]:
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
