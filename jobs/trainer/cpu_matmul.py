"""Matrix products in 32-bit floats by the quicker of torch's two libraries for processors."""

from functools import cache
from pathlib import Path

import torch
from torch.nn import functional

_MIN_MULTIPLICATIONS = 1_500_000
"""Multiplications from which oneDNN is quicker; its calls take 10 us longer than MKL's."""


def linear(x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None = None) -> torch.Tensor:
    """(..., K) times (N, K) transposed, plus (N), outside of autograd.

    MKL does not use AVX-512 on processors of other makers than Intel: oneDNN takes half the time there. The choice
    depends on the processor and on the shapes only, so that a resumed run computes the same.
    """
    if _onednn_is_faster() and x.numel() * weight.shape[0] >= _MIN_MULTIPLICATIONS:
        return torch.ops.mkldnn._linear_pointwise(x, weight, bias, "none", [], "")
    return functional.linear(x, weight, bias)


@cache
def _onednn_is_faster() -> bool:
    if not torch.backends.mkldnn.is_available() or torch.backends.cpu.get_cpu_capability() != "AVX512":
        return False
    if not hasattr(torch.ops.mkldnn, "_linear_pointwise"):
        return False
    try:
        return "AuthenticAMD" in Path("/proc/cpuinfo").read_text(errors="replace")[:4096]
    except OSError:
        return False
