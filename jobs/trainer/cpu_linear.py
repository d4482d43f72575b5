"""Faster linear layers and patch embeddings on a processor, with the same results: fewer passes over memory, the
quicker library, 4-bit weights dequantized once."""

from collections.abc import Callable
from typing import Any

import torch
from bitsandbytes.functional import dequantize_4bit
from peft.tuners.lora.bnb import Linear4bit as Adapted4bit
from peft.tuners.lora.layer import Linear as Adapted
from torch import nn
from torch.autograd.function import once_differentiable

from jobs.families.quantize import quantized_layers
from jobs.trainer.cpu_matmul import linear
from orchestrator.domain.machines import DEQUANTIZED_BYTES

Forward = Callable[..., Any]


def speed_up_linear_layers(model: nn.Module, keeps: bool = True) -> int:
    """Replaces the `forward` of linear layers; returns the bytes of the dequantized weights that it stores.

    Everything else about them, what is saved included, stays as in peft and bitsandbytes.

    Args:
        model: on the processor.
        keeps: False where memory is short: 4-bit weights are dequantized at each use, as bitsandbytes does.
    """
    kept, weights = 0, dict[nn.Module, _Weight]()
    for layer in quantized_layers(model):
        size = 4 * int(layer.in_features) * int(layer.out_features)  # pyright: ignore[reportArgumentType]
        fits = keeps and kept + size <= DEQUANTIZED_BYTES
        kept += size if fits else 0
        weights[layer] = _Weight(layer, fits)
    for layer in model.modules():
        if type(layer) is nn.Linear or layer in weights:
            layer.forward = _plain(layer, weights.get(layer) or _Weight(layer), layer.forward)
        elif _cuts_patches(layer):
            layer.forward = _patch(layer, layer.forward)
    for layer in model.modules():
        if isinstance(layer, Adapted | Adapted4bit) and _has_one_plain_adapter(layer):
            base = layer.get_base_layer()
            layer.forward = _adapted(layer, weights.get(base) or _Weight(base), layer.forward)
    return kept


class _Weight:
    """The weight of a layer for its product; a 4-bit one is dequantized once or at each use."""

    def __init__(self, layer: Any, keeps: bool = False) -> None:
        self._layer, self._quantized = layer, getattr(layer.weight, "quant_state", None) is not None
        self._kept = self._dequantize() if keeps else None

    def __call__(self) -> torch.Tensor:
        if self._kept is not None:
            return self._kept
        return self._dequantize() if self._quantized else self._layer.weight

    def _dequantize(self) -> torch.Tensor:
        with torch.no_grad():
            return dequantize_4bit(self._layer.weight, self._layer.weight.quant_state).to(torch.float32)


class _Linear(torch.autograd.Function):
    """`x W' + b`."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, learned: Any, bias: Any, weight: _Weight) -> torch.Tensor:
        """`learned`: the weight where it is trained, else None."""
        flat = x.reshape(-1, x.shape[-1])
        ctx.save_for_backward(flat if ctx.needs_input_grad[1] else None)
        ctx.weight, ctx.shape = weight, x.shape
        return linear(flat, weight(), bias).view(*x.shape[:-1], -1)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: torch.Tensor) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]
        (seen,) = ctx.saved_tensors
        wants_x, wants_weight, wants_bias = ctx.needs_input_grad[:3]
        flat = grad.reshape(-1, grad.shape[-1])
        to_x = linear(flat, ctx.weight().t()).view(ctx.shape) if wants_x else None
        to_weight = linear(flat.t(), seen.t()) if wants_weight else None
        return to_x, to_weight, flat.sum(0) if wants_bias else None, None


class _Adapting(torch.autograd.Function):
    """`x W' + b + s x A' B'` (Hu et al. 2021); for the backward pass only what `A` and `B` need is stored."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, dropped: Any, a: Any, b: Any, weight: _Weight, more: Any) -> torch.Tensor:
        """`dropped`: the adapter's input after dropout, None without dropout; `more`: bias and scale."""
        bias, scale = more
        flat = x.reshape(-1, x.shape[-1])
        seen = flat if dropped is None else dropped.reshape(flat.shape)
        out = linear(flat, weight(), bias)
        inner = linear(seen, a).mul_(scale)
        out.addmm_(inner, b.t())
        ctx.save_for_backward(seen, inner, a, b)
        ctx.weight, ctx.scale, ctx.shape, ctx.drops = weight, scale, x.shape, dropped is not None
        return out.view(*x.shape[:-1], -1)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: torch.Tensor) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]
        seen, inner, a, b = ctx.saved_tensors
        wants_x, wants_dropped, wants_a, wants_b = ctx.needs_input_grad[:4]
        flat = grad.reshape(-1, grad.shape[-1])
        back = linear(flat, b.t()).mul_(ctx.scale)
        to_x = linear(flat, ctx.weight().t()) if wants_x else None
        to_dropped = None
        if ctx.drops and wants_dropped:
            to_dropped = linear(back, a.t()).view(ctx.shape)
        elif to_x is not None and not ctx.drops:
            to_x.addmm_(back, a)
        to_a = linear(back.t(), seen.t()) if wants_a else None
        to_b = linear(flat.t(), inner.t()) if wants_b else None
        return None if to_x is None else to_x.view(ctx.shape), to_dropped, to_a, to_b, None, None


def _plain(layer: Any, weight: _Weight, before: Forward) -> Forward:
    def forward(x: torch.Tensor) -> Any:
        if x.dtype != torch.float32 or not x.numel():
            return before(x)
        if not torch.is_grad_enabled():
            return linear(x, weight(), layer.bias)
        learned = layer.weight if layer.weight.requires_grad else None
        return _Linear.apply(x, learned, layer.bias, weight)

    return forward if _is_wide(layer) else before


def _patch(layer: Any, before: Forward) -> Forward:
    """A convolution over inputs of one patch is a matrix product, which takes a third of the time."""

    def forward(x: torch.Tensor) -> torch.Tensor:
        learns = torch.is_grad_enabled() and (x.requires_grad or layer.weight.requires_grad)
        if learns or x.shape[2:] != layer.kernel_size or x.dtype != torch.float32 or not x.numel():
            return before(x)
        out = linear(x.flatten(1), layer.weight.flatten(1), layer.bias)
        return out.view(*out.shape, *(1 for _ in layer.kernel_size))

    return forward


def _adapted(layer: Any, weight: _Weight, before: Forward) -> Forward:
    (name,) = layer.lora_A
    a, b, dropout, scale = layer.lora_A[name], layer.lora_B[name], layer.lora_dropout[name], layer.scaling[name]
    more = layer.get_base_layer().bias, scale

    def forward(x: torch.Tensor, *args: Any, **extra: Any) -> Any:
        if args or extra or layer.disable_adapters or layer.merged or x.dtype != torch.float32 or not x.numel():
            return before(x, *args, **extra)
        dropped = dropout(x) if layer.training and getattr(dropout, "p", 0.0) else None
        return _Adapting.apply(x, dropped, a.weight, b.weight, weight, more)

    return forward


def _has_one_plain_adapter(layer: Any) -> bool:
    """One adapter as in Hu et al., over a frozen linear layer."""
    base, names = layer.get_base_layer(), list(layer.lora_A)
    frozen = isinstance(base, nn.Linear) and not any(p.requires_grad for p in base.parameters())
    if not frozen or len(names) != 1 or layer.fan_in_fan_out or layer.lora_variant:
        return False
    pair = (layer.lora_A[names[0]], layer.lora_B[names[0]])
    return _is_wide(base) and pair[1].bias is None and all(one.weight.dtype == torch.float32 for one in pair)


def _cuts_patches(layer: Any) -> bool:
    plain = type(layer) in (nn.Conv2d, nn.Conv3d) and not any(layer.padding) and layer.groups == 1
    return plain and _is_wide(layer)


def _is_wide(layer: Any) -> bool:
    """True where it computes in 32 bits, however its weight is stored."""
    state = getattr(layer.weight, "quant_state", None)
    there = layer.weight.device.type == "cpu"
    return there and (layer.weight.dtype if state is None else state.dtype) == torch.float32
