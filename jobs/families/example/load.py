"""The template's model: a class of transformers whose `forward` takes clips. `jobs/families/load.py` loads it."""

from typing import Any

import torch
from transformers import ViTForImageClassification


class FrameByFrame(ViTForImageClassification):
    """Adds no weight, so any ViT's files load into it."""

    def forward(  # pyright: ignore[reportIncompatibleMethodOverride]
        self, pixel_values: torch.Tensor, labels: torch.Tensor | None = None, **_: Any
    ) -> dict[str, Any]:
        """Clips (B, T, 3, H, W) to `logits` (B, classes) and, with `labels`, the `loss` that the Trainer needs."""
        count, frames = pixel_values.shape[:2]
        frame_logits = super().forward(pixel_values=pixel_values.flatten(0, 1)).logits
        assert frame_logits is not None
        logits = frame_logits.unflatten(0, (count, frames)).mean(1)
        # Cross-entropy, or binary cross-entropy where the config's `problem_type` allows several classes.
        loss = {} if labels is None else {"loss": self.loss_function(labels, logits, self.config)}
        return loss | {"logits": logits}


FrameByFrame.__name__, FrameByFrame.__module__ = "ViTForImageClassification", ViTForImageClassification.__module__
# The config that is saved with the weights names its class: it must be one that transformers has.
