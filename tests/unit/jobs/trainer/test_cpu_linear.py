"""Quickened layers give the losses, gradients and answers of peft's and bitsandbytes' own, whatever the library."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from jobs.families.protocol import Plan
from jobs.families.quantize import quantized_layers
from jobs.families.registry import read_base, resolve
from jobs.trainer import cpu_linear, cpu_matmul, setup
from jobs.trainer.cpu_matmul import linear
from jobs.trainer.setup import load_with_adapters
from orchestrator.domain.recipes import parse_recipe
from tests.unit.jobs.conftest import BASE
from tests.unit.jobs.families.tiny_llms import make_tiny

Learned = tuple[float, dict[str, torch.Tensor]]


def plan_of(base: Path, task: str, **qlora: Any) -> Plan:
    recipe = parse_recipe({"qlora": {"dropout": 0.0, **qlora}, "data": {"frames": 4, "size": 56} if task else {}})
    return Plan(read_base(base), recipe, task or "classification", ("a", "b"), ("it hops", "it looms now"))


def batch_of(plan: Plan) -> dict[str, Any]:
    family, dice = resolve(plan.base), np.random.default_rng(0)
    sampling = family.sampling(plan.base, plan.recipe)
    edge: dict[str, int] = dict(getattr(sampling, "size", (("width", 56),)))
    side, count = edge.get("width") or edge["shortest_edge"], sampling.count
    items = [
        {
            "frames": dice.integers(0, 256, (count, side, side, 3), dtype=np.uint8),
            "label": n,
            "captions": [plan.captions[n]],
            "training": True,
            "seed": (0, n),
            "clip_id": n,
        }
        for n in range(2)
    ]
    return family.collate(plan)(items)


def learn(model: Any, batch: dict[str, Any]) -> Learned:
    torch.manual_seed(1)
    model.train().zero_grad()
    for name, parameter in model.named_parameters():
        if "lora_B" in name:  # zero at first, which would hide what comes of `A`
            torch.nn.init.normal_(parameter, std=0.05, generator=torch.Generator().manual_seed(len(name)))
    loss = model(**batch).loss
    loss.backward()
    return loss.item(), {name: p.grad.clone() for name, p in model.named_parameters() if p.grad is not None}


def as_peft_does(plan: Plan, monkeypatch: pytest.MonkeyPatch) -> Any:
    with monkeypatch.context() as patch:
        patch.setattr(setup, "speed_up_linear_layers", lambda *_, **__: 0)
        torch.manual_seed(0)
        return load_with_adapters(resolve(plan.base), plan)


def quickened(plan: Plan, **how: Any) -> Any:
    torch.manual_seed(0)
    return load_with_adapters(resolve(plan.base), plan, **how)


def assert_same(found: Learned, expected: Learned) -> None:
    assert found[0] == pytest.approx(expected[0], abs=1e-5)
    assert found[1].keys() == expected[1].keys()
    for name, gradient in expected[1].items():
        assert torch.allclose(found[1][name], gradient, rtol=1e-3, atol=1e-5), name


@pytest.mark.parametrize("dnn", [False, True], ids=["MKL", "oneDNN"])
@pytest.mark.parametrize("how", [{}, {"bits": 16}, {"dropout": 0.2}], ids=["4 bits", "16 bits", "dropout"])
def test_an_encoder_learns_the_same(how: dict[str, Any], dnn: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = plan_of(BASE, "", **how)
    batch = batch_of(plan)
    expected = learn(as_peft_does(plan, monkeypatch), batch)
    monkeypatch.setattr(cpu_matmul, "_onednn_is_faster", lambda: dnn)
    assert_same(learn(quickened(plan), batch), expected)


@pytest.mark.parametrize("how", [{}, {"tight": True}, {"checkpointing": True}], ids=["kept", "unfolded", "recomputed"])
def test_a_language_model_learns_and_speaks_the_same(
    how: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = plan_of(make_tiny("qwen2_vl", tmp_path), "captioning")
    batch = batch_of(plan)
    slow, quick = as_peft_does(plan, monkeypatch), quickened(plan, **how)
    assert_same(learn(quick, batch), learn(slow, batch))
    batch = {name: value for name, value in batch.items() if "label" not in name and name != "logits_to_keep"}
    with torch.no_grad():
        scores = slow.eval()(**batch).logits
        assert torch.allclose(quick.eval()(**batch).logits, scores, atol=1e-4)
        with slow.disable_adapter(), quick.disable_adapter():
            plain = quick(**batch).logits
            assert torch.allclose(plain, slow(**batch).logits, atol=1e-4)
    assert not torch.allclose(plain, scores, atol=1e-3)
    assert slow.state_dict().keys() == quick.state_dict().keys()


def test_patches_are_cut_as_before_and_learn_as_before() -> None:
    layer = torch.nn.Conv3d(3, 8, (2, 4, 4), (2, 4, 4))
    model = torch.nn.Sequential(layer)
    shown = [torch.randn(5, 3, 2, 4, 4), torch.randn(2, 3, 4, 8, 8)]
    expected = [model(x).detach() for x in shown]
    cpu_linear.speed_up_linear_layers(model)
    assert "forward" in vars(layer)
    learned = [model(x) for x in shown]
    sum(out.sum() for out in learned).backward()  # pyright: ignore[reportAttributeAccessIssue]
    assert layer.weight.grad is not None
    with torch.no_grad():
        for x, before, then in zip(shown, expected, learned, strict=True):
            assert torch.allclose(model(x), before, atol=1e-5)
            assert torch.equal(then, before)


def test_dequantized_weights_are_cached_up_to_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    model: Any = as_peft_does(plan_of(BASE, ""), monkeypatch)
    each = [4 * layer.in_features * layer.out_features for layer in quantized_layers(model)]  # pyright: ignore
    monkeypatch.setattr(cpu_linear, "DEQUANTIZED_BYTES", each[0])
    assert cpu_linear.speed_up_linear_layers(model) == each[0]
    assert cpu_linear.speed_up_linear_layers(model, keeps=False) == 0


def test_both_libraries_multiply(monkeypatch: pytest.MonkeyPatch) -> None:
    dice = torch.Generator().manual_seed(0)
    for shape, width in (((2, 130, 96), 128), ((600, 40), 70)):
        x, weight = torch.randn(shape, generator=dice), torch.randn(width, shape[-1], generator=dice)
        bias = torch.randn(width, generator=dice)
        for weighed in (weight, weight.t().contiguous().t()):
            expected = (x.double() @ weighed.double().t() + bias).float()
            for quicker in (False, True):
                monkeypatch.setattr(cpu_matmul, "_onednn_is_faster", lambda quicker=quicker: quicker)
                assert torch.allclose(linear(x, weighed, bias), expected, atol=1e-3)
