"""Writes what a run fed its model into the adapter's folder, so that anybody can check what a plain script feeds.

`contract.json` names clips and digests of the token ids and pixels that the run's own code makes of them: three small
clips that lie in `contract/`, and up to three held-out clips, which stay where they are. `jobs/adapters/check.py`
compares them with what transformers alone makes of the folder.
"""

import hashlib
import json
from pathlib import Path
from typing import Any

import torch

from jobs.families.protocol import Plan
from jobs.families.video_llm.chat import ChatCollator
from jobs.families.video_llm.own_processor import own_processor
from jobs.video.cache import ClipFile, ClipSampling
from jobs.video.probe_clips import write_probe_clips

CONTRACT = "contract.json"
FOLDER = "contract"
VERSION = 1


def write_contract(plan: Plan, collator: ChatCollator, sampling: ClipSampling, folder: Path) -> Path:
    """Writes `contract.json` and its clips, and returns the file."""
    entries = [
        {"file": f"{FOLDER}/{path.name}"} | clip_facts(collator, sampling, ClipFile(path, "", path.name))
        for path in write_probe_clips(folder / FOLDER)
    ]
    held_out = [
        {"held_out": clip.name, "sha256": clip.content_hash} | clip_facts(collator, sampling, clip)
        for clip in plan.held_out
        if clip.span is None and clip.content_hash and clip.path.is_file()
    ]
    content: dict[str, Any] = {"version": VERSION, "question": collator.question, "system": plan.system}
    if collator.system_is_text:
        content["system_is_text"] = True
    if not own_processor(plan.base.folder, plan.recipe.data).rules.has_chat_template:
        before, between, after = prompt_around_pictures(collator)
        content["prompt"] = [before, between + collator.question + after]
    content["clips"] = entries + held_out
    path = folder / CONTRACT
    path.write_text(json.dumps(content, indent=1) + "\n")
    return path


def prompt_around_pictures(collator: ChatCollator) -> tuple[str, str, str]:
    """The prompt before the frames, behind them, and behind the question, for a processor that formats no chat.

    That processor writes the token that begins a text itself.
    """
    before, between, after = collator.prompt()
    return before.removeprefix(str(collator.tokenizer.bos_token or "")), between, after


def clip_facts(collator: ChatCollator, sampling: ClipSampling, clip: ClipFile) -> dict[str, Any]:
    """What the run's own code feeds for a clip."""
    frames, timing = sampling.decode(clip)
    item = {"frames": frames, "timing": timing, "captions": [], "training": False, "seed": (0, 0)}
    return input_facts(collator.generation_inputs([item]))


def pixels_of(inputs: dict[str, Any]) -> torch.Tensor:
    """The pixels of a clip: patches, or whole frames."""
    return inputs["pixel_values_videos"] if "pixel_values_videos" in inputs else inputs["pixel_values"]


def input_facts(inputs: dict[str, Any]) -> dict[str, Any]:
    """Digests of the token ids and the pixels, steps in time, height and width, and the mean of each step.

    Height and width are those of the patches' grid, or where frames are whole those of a frame in pixels; where frames
    are rows of patches without a grid, the numbers of patches and of values of a patch. The means are for comparing
    roundings.
    """
    ids, pixels = inputs["input_ids"][0], pixels_of(inputs)
    shape = _steps_and_size(inputs, pixels)
    facts = {
        "tokens": len(ids),
        "token_ids": _digest(ids.to(torch.int64)),
        "grid": shape,
        "pixels": _digest(pixels.to(torch.float32)),
        "pixel_means": [round(float(mean), 5) for mean in pixels.reshape(shape[0], -1).float().mean(1)],
    }
    if "second_per_grid_ts" in inputs:
        facts["second_per_grid"] = round(float(torch.as_tensor(inputs["second_per_grid_ts"]).flatten()[0]), 6)
    return facts


def _steps_and_size(inputs: dict[str, Any], pixels: torch.Tensor) -> list[int]:
    if pixels.ndim > 3:
        return [pixels.shape[-4], *pixels.shape[-2:]]
    grid = inputs.get("video_grid_thw", inputs.get("video_grids"))
    return list(pixels.shape) if grid is None else grid[0].tolist()


def _digest(tensor: torch.Tensor) -> str:
    return hashlib.sha256(tensor.contiguous().numpy().tobytes()).hexdigest()
