"""Runs the vision tower of a video language model by itself; the output of a frozen tower is cached for all runs."""

import hashlib
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from typing import Any

import torch

from jobs.families.pixels import ClipNormalizer
from jobs.families.precision import training_precision
from jobs.families.protocol import Base, Features, Plan
from jobs.families.video_llm.architecture import Architecture
from jobs.families.video_llm.chat import processor_of, processor_settings
from jobs.families.video_llm.vision_features import with_layout
from jobs.video.orientation import Frames
from jobs.video.timing import FrameTiming


class FrozenVisionTower:
    """Vision tower and projector: everything up to the features that the language model reads."""

    def __init__(self, plan: Plan, architecture: Architecture, model: Any) -> None:
        self._architecture, self._plan = architecture, plan
        self._base: Any = model.get_base_model() if hasattr(model, "get_base_model") else model
        self._normalizer = ClipNormalizer(Base(plan.base.folder, {}, processor_settings(plan.base)))
        self._sizes = architecture.layout_sizes(plan.base.config)
        self._own = processor_of(plan)
        vision = architecture.vision_modules
        self._modules = [module for name, module in self._base.named_modules() if name.startswith(vision)]
        self._lock, self._active_threads = threading.Lock(), 0
        self._training_modules: list[Any] = []
        self.key = _key(plan, architecture, self._base, self._own.key if self._own else "")

    def encode(self, frames: Frames, timing: FrameTiming | None) -> Features:
        """The tensors of one clip, under the names that `vision_features.as_model_inputs` reads."""
        if self._own is not None:
            tensors, text = self._own.prepare(frames, timing)
            return with_layout(self._encode(_of_the_tower(tensors)), tensors, text)
        pixels = self._normalizer.normalize([{"frames": frames}])[0]
        return self._encode(self._architecture.square_layout(pixels, self._sizes, "")[0])

    def _encode(self, tensors: dict[str, torch.Tensor]) -> Features:
        plan = self._plan
        inputs = {name: value.to(plan.device) for name, value in tensors.items()}
        with self._eval_mode(), torch.no_grad(), training_precision(plan):
            return self._architecture.encode_vision(self._base.model, inputs)

    @contextmanager
    def _eval_mode(self) -> Iterator[None]:
        """Turns dropout off while any thread encodes; several may at once."""
        with self._lock:
            self._active_threads += 1
            if self._active_threads == 1:
                self._training_modules = [module for module in self._modules if module.training]
                for module in self._training_modules:
                    module.training = False
        try:
            yield
        finally:
            with self._lock:
                self._active_threads -= 1
                if not self._active_threads:
                    for module in self._training_modules:
                        module.training = True


def _of_the_tower(tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The tensors that the vision tower reads; when frames are shown only the language model is told."""
    return {name: value for name, value in tensors.items() if name != "second_per_grid_ts"}


def is_frozen(model: Any, architecture: Architecture) -> bool:
    """True where only the language model and its head are trained."""
    base = model.get_base_model() if hasattr(model, "get_base_model") else model
    trained = [name for name, parameter in base.named_parameters() if parameter.requires_grad]
    return all(re.match(architecture.target_pattern, name) or name.startswith("lm_head") for name in trained)


def _key(plan: Plan, architecture: Architecture, base: Any, processor: str) -> str:
    """A hash of what the features depend on, except clip and sampling."""
    weights = plan.revision or [
        (path.name, path.stat().st_size, path.stat().st_mtime_ns)
        for path in sorted(plan.base.folder.glob("*.safetensors"))
    ]
    lora, vision = plan.recipe.qlora, architecture.vision_modules
    facts = {
        "base": weights,
        "config": plan.base.config,
        "processor": processor or processor_settings(plan.base),
        "dtype": sorted({str(p.dtype) for name, p in base.named_parameters() if name.startswith(vision)}),
        "device": plan.device.split(":")[0],
        "bits": lora.bits if lora.enabled else 0,
        "targets": sorted(lora.target_modules),
        "versions": [version("torch"), version("transformers")],
    }
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()
