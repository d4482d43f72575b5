"""Every layout gives the prompt and the pixels of the architecture's own processor, for the same frames."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.numpy import save_file
from safetensors.torch import load_file

from jobs.families.protocol import Plan
from jobs.families.registry import MODULES, read_base, resolve
from jobs.families.video_llm.chat import ChatCollator
from jobs.families.video_llm.family import VideoLLM
from jobs.video.cache import Sampling
from jobs.video.decode import _prepare
from jobs.video.sampling import fit
from orchestrator.domain.annotations import CAPTION_QUESTION
from orchestrator.domain.recipes import parse_recipe
from orchestrator.settings import ROOT
from tests.unit.jobs.families.tiny_llms import CONFIGS, tokenizer

KINDS = sorted({name for name, module in MODULES.items() if "video_llm" in module} - {"qwen2_vl", "qwen2_5_vl"})
"""Qwen2's patches are compared in `test_video_llm.py`."""
RESIZED = {"smolvlm", "llava_onevision", "llava_next_video", "internvl", "idefics"}
"""The others keep a clip's aspect ratio and size; here a run has one size, chosen for its memory."""
SLOTS = {
    "qwen3_vl": "<|video_pad|>", "video_llama_3": "<|video_pad|>", "smolvlm": "<video>", "llava_onevision": "<video>",
    "llava_next_video": "<video>", "internvl": "<video>", "idefics": "",
}  # fmt: skip
COUNTS = {"even": 4, "odd": 3, "many": 21}
CASES = [(name, how) for name in KINDS for how in (*COUNTS, *(["odd-sized"] if name in RESIZED else []))]
_RENAMED = {"internvl": {"pixel_values_videos": "pixel_values"}}


def _base(name: str, folder: Path) -> Any:
    """Config, tokenizer and preprocessor, without weights."""
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps({"model_type": name} | CONFIGS[name]))
    tokenizer().save_pretrained(folder)
    how: dict[str, Any] = {"image_mean": [0.5] * 3, "image_std": [0.25] * 3, "resample": 3}
    if name == "llava_next_video":
        how |= {"do_center_crop": True, "size": {"shortest_edge": 28}}
    (folder / "preprocessor_config.json").write_text(json.dumps(how))
    return read_base(folder)


def _clip(name: str, how: str) -> Any:
    """(T, H, W, 3): coarse noise."""
    rng = np.random.default_rng(len(name))
    shape = (60, 84) if how == "odd-sized" else (28, 28) if name in RESIZED else (56, 84)
    low = rng.integers(0, 256, (COUNTS.get(how, 4), shape[0] // 4, shape[1] // 4, 3), dtype=np.uint8)
    return low.repeat(4, 1).repeat(4, 2)


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> dict[str, torch.Tensor]:
    """The output of the real processors, all run in one process."""
    folder = tmp_path_factory.mktemp("processors")
    requests: dict[str, Any] = {}
    clips: dict[str, Any] = {}
    for name in KINDS:
        family = resolve(_base(name, folder / name))
        assert isinstance(family, VideoLLM)
        prompt = family.architecture.prompt.replace("{question}", CAPTION_QUESTION)
        for how in (how for other, how in CASES if other == name):
            clips[f"{name} {how}"] = _clip(name, how)
            requests[f"{name} {how}"] = {"name": name, "prompt": prompt, "slot": SLOTS[name]}
    save_file(clips, folder / "requests.safetensors")
    (folder / "requests.json").write_text(json.dumps(requests))
    command = [sys.executable, "-m", "tests.fakes.processors", str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return load_file(folder / "outputs.safetensors")


@pytest.mark.parametrize(("name", "how"), CASES)
def test_a_layout_equals_the_processors(
    name: str, how: str, reference: dict[str, torch.Tensor], tmp_path: Path
) -> None:
    base = _base(name, tmp_path / name)
    family = resolve(base)
    assert isinstance(family, VideoLLM)
    plan = Plan(base, parse_recipe({"data": {"frames": COUNTS.get(how, 4), "frame_shape": "square"}}), "captioning")
    sampling, frames = family.sampling(base, plan.recipe), _clip(name, how)
    assert isinstance(sampling, Sampling)
    if name in RESIZED:
        target = fit(frames.shape[2], frames.shape[1], dict(sampling.size))
        frames = np.stack([_prepare(f, target, sampling.crop, sampling.resample) for f in frames])
    ours = ChatCollator(plan, family.architecture, sampling).generation_inputs([{"frames": frames}])
    real = {key.partition("/")[2]: value for key, value in reference.items() if key.startswith(f"{name} {how}/")}
    assert ours["input_ids"].tolist() == real.pop("input_ids").tolist()
    # No pixel is padding, so a model that is given no mask sees the same.
    assert real.pop("pixel_attention_mask", torch.ones(1)).all()
    if name == "idefics":
        mask = real.pop("image_attention_mask")
        assert ours["image_attention_mask"].shape == mask.shape
        # The one intended difference: see `layouts.idefics`.
        assert mask[0, -1].tolist() == [0] * (len(frames) - 1) + [1]
        assert ours["image_attention_mask"].all()
    for key, value in real.items():
        actual = ours[_RENAMED.get(name, {}).get(key, key)]
        assert actual.shape == value.shape, key
        far = (actual.float() - value.float()).abs()
        # Pillow and torch round a resized pixel differently, most at sharp edges. SmolVLM's processor
        # shrinks the longer side first and then squares; we square at once, which keeps more of the shorter side.
        allowed = 0.25 if name == "smolvlm" else 0.02
        assert far.mean() < allowed if how == "odd-sized" else far.max() < 1e-4, (key, far.mean())
    assert set(ours) - set(real) <= {"input_ids", "image_attention_mask"}
