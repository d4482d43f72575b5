"""Masked pretraining of VideoMAE: most patches are hidden, the same in all frames, and the model reconstructs them."""

from collections.abc import Sequence
from typing import Any

import torch

from jobs.families.pixels import ClipNormalizer, generator_for
from jobs.families.protocol import Base, Item, Plan
from jobs.families.weights import read_weights_with_report

MASKED = 0.75
"""Share of the patches hidden from the encoder, at the same positions in all frames (tube masking)."""


class MaskedCollator(ClipNormalizer):
    """Items to `pixel_values` and `bool_masked_pos` (B, patches), True for the patches to reconstruct."""

    def __init__(self, base: Base) -> None:
        super().__init__(base)
        config = base.config
        self._patches = (int(config.get("image_size", 224)) // int(config.get("patch_size", 16))) ** 2
        self._time_steps = int(config.get("num_frames", 16)) // int(config.get("tubelet_size", 2))

    def __call__(self, items: Sequence[Item]) -> dict[str, Any]:
        hidden = round(self._patches * MASKED)
        order = torch.rand(len(items), self._patches, generator=generator_for(items)).argsort(1)
        mask = torch.zeros(len(items), self._patches, dtype=torch.bool).scatter_(1, order[:, :hidden], True)
        return {"pixel_values": self.normalize(items), "bool_masked_pos": mask.repeat(1, self._time_steps)}


def load_masked(plan: Plan) -> Any:
    """The model with its decoder; a base without a decoder gets a new one."""
    from transformers import VideoMAEForPreTraining

    model, report = read_weights_with_report(
        VideoMAEForPreTraining, plan.base, dtype=torch.float32, ignore_mismatched_sizes=True
    )
    if "mask_token" in report["missing_keys"]:
        # transformers 5.23 leaves this parameter uninitialized, so it may contain NaN.
        torch.nn.init.trunc_normal_(model.mask_token, std=0.02)
    return model.to(plan.device)
