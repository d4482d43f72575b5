"""Runs the vision tower of a video language model alone, so that the features of a frozen tower can be cached."""

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
from jobs.families.protocol import Base, Features, Plan
from jobs.families.video_llm.architecture import Architecture
from jobs.families.video_llm.chat import processor_of
from jobs.video.decode import Frames


class FrozenVisionTower:
    """Everything of the model up to the features that its language model reads."""

    def __init__(self, plan: Plan, architecture: Architecture, model: Any) -> None:
        self._kind, self._plan = architecture, plan
        self._base: Any = model.get_base_model() if hasattr(model, "get_base_model") else model
        self._pixels = ClipNormalizer(Base(plan.base.folder, {}, processor_of(plan.base)))
        self._sizes = architecture.sizes(plan.base.config)
        self._modules = [module for name, module in self._base.named_modules() if name.startswith(architecture.eyes)]
        self._lock, self._looking = threading.Lock(), 0
        self._awake: list[Any] = []
        self.key = _key(plan, architecture, self._base)

    def see(self, frames: Frames) -> Features:
        """The tensors of one clip, under names that `recall` understands."""
        plan, base = self._plan, self._base
        shown = self._pixels.normalize([{"frames": frames}])[0]
        given = {name: value.to(plan.device) for name, value in self._kind.layout(shown, self._sizes, "")[0].items()}
        halves = torch.autocast(plan.device.split(":")[0], torch.bfloat16, plan.device != "cpu")
        with self._calm(), torch.no_grad(), halves:
            return self._kind.sees(base.model, given)

    @contextmanager
    def _calm(self) -> Iterator[None]:
        """Without dropout while anybody looks: several threads may look at once."""
        with self._lock:
            self._looking += 1
            if self._looking == 1:
                self._awake = [module for module in self._modules if module.training]
                for module in self._awake:
                    module.training = False
        try:
            yield
        finally:
            with self._lock:
                self._looking -= 1
                if not self._looking:
                    for module in self._awake:
                        module.training = True


def is_frozen(model: Any, architecture: Architecture) -> bool:
    """True when nothing trains but the language model and its head."""
    base = model.get_base_model() if hasattr(model, "get_base_model") else model
    trained = [name for name, parameter in base.named_parameters() if parameter.requires_grad]
    return all(re.match(architecture.language, name) or name.startswith("lm_head") for name in trained)


def _key(plan: Plan, architecture: Architecture, base: Any) -> str:
    """What the features depend on besides clip and sampling."""
    weights = plan.revision or [
        (path.name, path.stat().st_size, path.stat().st_mtime_ns)
        for path in sorted(plan.base.folder.glob("*.safetensors"))
    ]
    lora = plan.recipe.qlora
    facts = {
        "base": weights,
        "config": plan.base.config,
        "processor": processor_of(plan.base),
        "dtype": sorted({str(p.dtype) for name, p in base.named_parameters() if name.startswith(architecture.eyes)}),
        "device": plan.device.split(":")[0],
        "bits": lora.bits if lora.enabled else 0,
        "targets": sorted(lora.target_modules),
        "versions": [version("torch"), version("transformers")],
    }
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()
