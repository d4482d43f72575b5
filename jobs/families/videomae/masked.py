"""Hides most of a clip from VideoMAE, the same places through all frames, so that it learns to draw them."""

from collections.abc import Sequence
from typing import Any

import torch

from jobs.families.pixels import ClipNormalizer, generator_for
from jobs.families.protocol import Base, Item, Plan
from jobs.families.weights import read_weights_with_report

MASKED = 0.75
"""Share of the places hidden from the encoder, the same through all frames (tube masking)."""


class MaskedCollator(ClipNormalizer):
    """Items to `pixel_values` and `bool_masked_pos` (B, patches): the model draws what it cannot see."""

    def __init__(self, base: Base) -> None:
        super().__init__(base)
        config = base.config
        self._places = (int(config.get("image_size", 224)) // int(config.get("patch_size", 16))) ** 2
        self._slots = int(config.get("num_frames", 16)) // int(config.get("tubelet_size", 2))

    def __call__(self, items: Sequence[Item]) -> dict[str, Any]:
        hidden = round(self._places * MASKED)
        order = torch.rand(len(items), self._places, generator=generator_for(items)).argsort(1)
        mask = torch.zeros(len(items), self._places, dtype=torch.bool).scatter_(1, order[:, :hidden], True)
        return {"pixel_values": self.normalize(items), "bool_masked_pos": mask.repeat(1, self._slots)}


def load_masked(plan: Plan) -> Any:
    """The whole model with its decoder; a base without one gets a fresh one."""
    from transformers import VideoMAEForPreTraining

    model, report = read_weights_with_report(
        VideoMAEForPreTraining, plan.base, dtype=torch.float32, ignore_mismatched_sizes=True
    )
    if "mask_token" in report["missing_keys"]:
        # transformers 5.23 leaves this one as it found it in memory, which is not a number every so often.
        torch.nn.init.trunc_normal_(model.mask_token, std=0.02)
    return model.to(plan.device)
