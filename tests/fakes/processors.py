"""Runs transformers' own processors on clips, in a process of its own: `python -m tests.fakes.processors FOLDER`.

They need torchvision, which cannot be installed with a CPU build of torch. What they use of it are a few functions that
are one call of torch each; these replace it before transformers is imported. FOLDER has `requests.json` and the frames
in `requests.safetensors`; `outputs.safetensors` is written there.
"""

import enum
import importlib
import importlib.machinery
import json
import sys
import types
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.nn import functional


class InterpolationMode(enum.Enum):
    """As torchvision names them."""

    NEAREST = "nearest"
    NEAREST_EXACT = "nearest-exact"
    BILINEAR = "bilinear"
    BICUBIC = "bicubic"
    BOX = "box"
    HAMMING = "hamming"
    LANCZOS = "lanczos"


def _resize(image: Any, size: Any, interpolation: Any = InterpolationMode.BILINEAR, antialias: bool = True) -> Any:
    flat = image.reshape(-1, *image.shape[-3:]).float()
    resized = functional.interpolate(flat, tuple(size), mode=interpolation.value, antialias=antialias)
    return resized.round().clamp(0, 255).to(image.dtype).reshape(*image.shape[:-2], *size)


def _normalize(image: Any, mean: Any, std: Any, inplace: bool = False) -> Any:
    return (image - torch.as_tensor(mean).view(-1, 1, 1)) / torch.as_tensor(std).view(-1, 1, 1)


def _replace_torchvision() -> None:
    """Adds modules with these functions under torchvision's names."""
    functions = {
        "InterpolationMode": InterpolationMode,
        "resize": _resize,
        "normalize": _normalize,
        "grayscale_to_rgb": lambda image: image,
        "crop": lambda image, top, left, high, wide: image[..., top : top + high, left : left + wide],
        "pad": lambda image, padding, fill=0, padding_mode="constant": functional.pad(image, padding, value=fill),
        "pil_to_tensor": lambda image: torch.from_numpy(np.asarray(image)).permute(2, 0, 1),
    }
    for name in ("torchvision", "torchvision.io", "torchvision.transforms", "torchvision.transforms.functional",
                 "torchvision.transforms.v2", "torchvision.transforms.v2.functional"):  # fmt: skip
        module = types.ModuleType(name)
        module.__spec__ = importlib.machinery.ModuleSpec(name, None)
        module.__dict__.update(functions if "transforms" in name else {"__version__": "0.26.0"})
        sys.modules[name] = module
        parent, _, child = name.rpartition(".")
        if parent:
            setattr(sys.modules[parent], child, module)
    num2words = types.ModuleType("num2words")
    num2words.__spec__ = importlib.machinery.ModuleSpec("num2words", None)
    num2words.__dict__["num2words"] = {3: "three", 4: "four", 8: "eight", 21: "twenty-one"}.__getitem__
    sys.modules["num2words"] = num2words


def _processor(name: str, how: dict[str, Any]) -> Any:
    """The architecture's processor over the tiny tokenizer."""
    t: Any = importlib.import_module("transformers")
    from tests.unit.jobs.families.tiny_llms import tokenizer

    tiny: Any = tokenizer()
    pixels: dict[str, Any] = {"image_mean": [0.5] * 3, "image_std": [0.25] * 3, "resample": 3}
    edge = int(how.get("edge", 28))
    square = pixels | {"size": {"height": edge, "width": edge}}
    free = pixels | {"do_resize": False}
    if name == "qwen3_vl":
        return t.Qwen3VLProcessor(t.Qwen2VLImageProcessor(), tiny, t.Qwen3VLVideoProcessor(**free, patch_size=14))
    if name == "video_llama_3":
        uncompressed = free | {"use_token_compression": False}  # see `layouts.videollama3`
        return t.VideoLlama3Processor(t.VideoLlama3ImageProcessor(), tiny, t.VideoLlama3VideoProcessor(**uncompressed))
    if name == "smolvlm":
        sides = {"size": {"longest_edge": edge}, "max_image_size": {"longest_edge": edge}}
        video = t.SmolVLMVideoProcessor(**(pixels | sides))
        return t.SmolVLMProcessor(t.SmolVLMImageProcessor(), tiny, video, image_seq_len=4)
    if name == "llava_onevision":
        video = t.LlavaOnevisionVideoProcessor(**square)
        return t.LlavaOnevisionProcessor(t.LlavaOnevisionImageProcessor(), tiny, video, num_image_tokens=16)
    if name == "llava_next_video":
        cut = {"size": {"shortest_edge": edge}, "crop_size": {"height": edge, "width": edge}}
        video = t.LlavaNextVideoVideoProcessor(**(pixels | cut))
        return t.LlavaNextVideoProcessor(video, t.LlavaNextImageProcessor(), tiny, patch_size=7)
    if name == "internvl":
        for key, word in {"start_image": "<img>", "end_image": "</img>", "context_image": "<IMG_CONTEXT>",
                          "video": "<video>"}.items():  # fmt: skip
            setattr(tiny, f"{key}_token", word)
            setattr(tiny, f"{key}_token_id", tiny.convert_tokens_to_ids(word))
        return t.InternVLProcessor(
            t.GotOcr2ImageProcessor(), tiny, t.InternVLVideoProcessor(**square), image_seq_length=4
        )
    assert name == "idefics"
    return t.IdeficsProcessor(t.IdeficsImageProcessor(**square), tiny, image_size=edge)


def _process(name: str, request: dict[str, Any], frames: Any) -> dict[str, Any]:
    """The processor's output for one clip and its prompt; frames count as two a second, as in `layouts`."""
    processor = _processor(name, request)
    if name == "idefics":
        from PIL import Image

        before, after = request["prompt"].removeprefix("<s>").split("{clip}")
        return processor(text=[[before, *(Image.fromarray(frame) for frame in frames), after]])
    metadata = {"fps": 2.0, "total_num_frames": len(frames), "frames_indices": list(range(len(frames)))}
    metadata |= {"duration": len(frames) / 2}
    return processor(
        text=[request["prompt"].replace("{clip}", request["slot"])],
        videos=[frames],
        videos_kwargs={"video_metadata": [metadata], "do_sample_frames": False},
        return_tensors="pt",
    )


def main(folder: Path) -> None:
    """Processes every request of `requests.json`."""
    _replace_torchvision()
    from safetensors.numpy import load_file
    from safetensors.torch import save_file

    outputs: dict[str, Any] = {}
    clips = load_file(folder / "requests.safetensors")
    for key, request in json.loads((folder / "requests.json").read_text()).items():
        for name, value in _process(request["name"], request, clips[key]).items():
            if isinstance(value, torch.Tensor):
                outputs[f"{key}/{name}"] = value.contiguous()
    save_file(outputs, folder / "outputs.safetensors")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
