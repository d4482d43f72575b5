"""The `forward` of a model with a tower for clips and one for sentences: a batch of pairs to its loss."""

from typing import Any, ClassVar

import torch
from torch.nn import functional

from jobs.families.contrastive import softmax_loss

Features = tuple[torch.Tensor, ...]
"""What a tower says of a batch: one or more tensors, all with the batch first."""


class Towers:
    """Mixed into a class of transformers; nothing is added to its weights, so any copy of that class loads them."""

    sees: ClassVar[tuple[str, ...]] = ("input_ids", "attention_mask")
    """What the tower for sentences takes."""
    logit_scale: torch.Tensor

    def clips(self, pixels: torch.Tensor) -> Features:
        """(B, T, 3, H, W) to features."""
        raise NotImplementedError

    def sentences(self, **tokens: torch.Tensor) -> torch.Tensor:
        """Token ids (K, L) to (K, D)."""
        raise NotImplementedError

    def scores(self, sentences: torch.Tensor, clips: Features) -> torch.Tensor:
        """(K, N) cosines."""
        return functional.normalize(sentences, dim=-1) @ functional.normalize(clips[0], dim=-1).T

    def loss(self, scores: torch.Tensor, same: torch.Tensor) -> torch.Tensor:
        """(B, B) cosines to the loss of the batch."""
        return softmax_loss(self.logit_scale.exp().clamp(max=100.0) * scores, same)

    def forward(self, pixel_values: torch.Tensor, same: torch.Tensor, **tokens: torch.Tensor) -> dict[str, Any]:
        """`same` (B, B): True where a sentence describes the other's clip too."""
        seen = self.clips(pixel_values)
        read = self.sentences(**{name: tokens[name] for name in self.sees if name in tokens})
        return {"loss": self.loss(self.scores(read, seen).float(), same)}


def add_towers(kind: Any, towers: type[Towers]) -> Any:
    """`kind` with the forward of `towers`, under its own name: files and configs must not name a class of ours."""
    return type(kind.__name__, (towers, kind), {"__module__": kind.__module__})


def mean_pool_frames(pictures: torch.Tensor, frames: int) -> torch.Tensor:
    """(B * T, D) to (B, D): each frame counts alike (Luo et al. 2021, CLIP4Clip)."""
    return functional.normalize(pictures, dim=-1).unflatten(0, (-1, frames)).mean(1)
