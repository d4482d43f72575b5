"""The `forward` of a dual encoder, a model with a tower for clips and one for text: a batch of pairs to its loss."""

from collections.abc import Callable
from typing import Any, ClassVar

import torch
from torch.nn import functional
from torch.utils.checkpoint import checkpoint

from jobs.families.contrastive import softmax_loss

Features = tuple[torch.Tensor, ...]
"""What the vision tower computes from a batch: one or more tensors, all with the batch first."""


class Towers:
    """Mixed into a class of transformers. Adds no weights, so files of the plain class load into it and vice versa."""

    text_inputs: ClassVar[tuple[str, ...]] = ("input_ids", "attention_mask")
    """The arguments of the text tower."""
    logit_scale: torch.Tensor
    chunk_size: int | None = None
    """Clips, and captions, that are encoded together in a step; None: the whole batch."""

    def encode_clips(self, pixels: torch.Tensor) -> Features:
        """(B, T, 3, H, W) to features."""
        raise NotImplementedError

    def encode_texts(self, **tokens: torch.Tensor) -> torch.Tensor:
        """Token ids (K, L) to embeddings (K, D)."""
        raise NotImplementedError

    def similarity(self, texts: torch.Tensor, clips: Features) -> torch.Tensor:
        """(K, N) cosine similarities of K texts and N clips."""
        return functional.normalize(texts, dim=-1) @ functional.normalize(clips[0], dim=-1).T

    def loss(self, scores: torch.Tensor, same: torch.Tensor) -> torch.Tensor:
        """(B, B) cosine similarities to the loss of the batch; `same` as in `contrastive.softmax_loss`."""
        return softmax_loss(self.logit_scale.exp().clamp(max=100.0) * scores, same)

    def forward(self, pixel_values: torch.Tensor, same: torch.Tensor, **tokens: torch.Tensor) -> dict[str, Any]:
        """`same` (B, B): True where a caption describes the other's clip too."""
        inputs = {name: tokens[name] for name in self.text_inputs if name in tokens}
        if self.chunk_size and torch.is_grad_enabled():
            clips = encode_in_chunks(self.encode_clips, self.chunk_size, pixel_values)
            (texts,) = encode_in_chunks(
                lambda *chunks: (self.encode_texts(**dict(zip(inputs, chunks, strict=True))),),
                self.chunk_size,
                *inputs.values(),
            )
        else:
            clips, texts = self.encode_clips(pixel_values), self.encode_texts(**inputs)
        return {"loss": self.loss(self.similarity(texts, clips).float(), same)}


def encode_in_chunks(encode: Callable[..., Features], size: int, *inputs: torch.Tensor) -> Features:
    """The features of a batch, of which `size` clips or captions are encoded at a time (GradCache, Gao et al. 2021).

    The features of all chunks are compared as one batch, and the gradient of the loss by them is exact; then each chunk
    is encoded again, with the same dropout, and its part of the gradient goes on into the weights. So the activations
    of one chunk are in memory at a time. torch's checkpoint does this: it keeps the inputs of a chunk alone.

    Args:
        encode: chunks of the inputs to features.
        inputs: tensors with the batch first.
    """
    chunks = zip(*(tensor.split(size) for tensor in inputs), strict=True)
    parts: list[Features] = [checkpoint(encode, *chunk, use_reentrant=False) for chunk in chunks]
    return tuple(torch.cat(tensors) for tensors in zip(*parts, strict=True))


def add_towers(model_class: Any, towers: type[Towers]) -> Any:
    """`model_class` with the methods of `towers`, under its own name, which is what configs and files will contain."""
    return type(model_class.__name__, (towers, model_class), {"__module__": model_class.__module__})


def mean_pool_frames(embeddings: torch.Tensor, frames: int) -> torch.Tensor:
    """(B * T, D) to (B, D): the mean of the normalized frame embeddings (Luo et al. 2021, CLIP4Clip)."""
    return functional.normalize(embeddings, dim=-1).unflatten(0, (-1, frames)).mean(1)
