"""A rate of its own for the head, which the schedule scales too; without one nothing changes."""

import torch

from jobs.trainer.learning_rates import set_learning_rates
from orchestrator.domain.recipe_optim import Optim


def model() -> torch.nn.Module:
    adapter, head = torch.nn.Linear(4, 4), torch.nn.Linear(4, 2)
    saved = torch.nn.ModuleDict({"modules_to_save": torch.nn.ModuleDict({"default": head})})
    return torch.nn.ModuleDict({"adapter": adapter, "classifier": saved})


def optimizer_of(net: torch.nn.Module) -> torch.optim.Optimizer:
    decayed = [p for n, p in net.named_parameters() if n.endswith("weight")]
    plain = [p for n, p in net.named_parameters() if n.endswith("bias")]
    groups = [{"params": decayed, "weight_decay": 0.1}, {"params": plain, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=2e-4, fused=True)


def test_the_head_has_its_own_rate_and_keeps_its_decay() -> None:
    net = model()
    optimizer = optimizer_of(net)
    set_learning_rates(optimizer, net, Optim(learning_rate=2e-4, head_lr=2e-3))
    found = [(len(g["params"]), g["lr"], g["weight_decay"]) for g in optimizer.param_groups]
    assert found == [(1, 2e-4, 0.1), (1, 2e-4, 0.0), (1, 2e-3, 0.1), (1, 2e-3, 0.0)]
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 0.5)
    assert schedule.get_last_lr() == [1e-4, 1e-4, 1e-3, 1e-3]
    for parameter in net.parameters():
        parameter.grad = torch.ones_like(parameter)
    before = {name: p.detach().clone() for name, p in net.named_parameters()}
    optimizer.step()
    moved = {name: float((p - before[name]).abs().max()) for name, p in net.named_parameters()}
    assert moved["classifier.modules_to_save.default.bias"] > 5 * moved["adapter.bias"] > 0


def test_without_a_rate_of_the_head_the_groups_stay() -> None:
    net = model()
    optimizer = optimizer_of(net)
    set_learning_rates(optimizer, net, Optim())
    assert len(optimizer.param_groups) == 2


def test_the_second_matrix_learns_faster() -> None:
    net = torch.nn.ModuleDict(
        {"lora_A": torch.nn.Linear(4, 2, bias=False), "lora_B": torch.nn.Linear(2, 4, bias=False)}
    )
    net = torch.nn.ModuleDict({"layer": net})
    optimizer = torch.optim.AdamW(net.parameters(), lr=1e-4)
    set_learning_rates(optimizer, net, Optim(learning_rate=1e-4, lora_plus_ratio=16))
    assert [(len(g["params"]), g["lr"]) for g in optimizer.param_groups] == [(1, 1e-4), (1, 1e-4 * 16)]
