"""What a run is told of its device: the GPU's settings are built and checked here, and those a CPU has too are run."""

import dataclasses
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from transformers import TrainingArguments, training_args

from jobs.families.precision import base_precision
from jobs.families.protocol import Plan
from jobs.families.registry import read_base, resolve
from jobs.families.video_llm import load
from jobs.families.video_llm.load import attention_options
from jobs.trainer import device_settings as manners
from jobs.trainer.device_settings import device_arguments, use_liger
from jobs.trainer.hf_trainer import training_arguments
from jobs.trainer.liger import apply_and_check
from jobs.trainer.run import train
from jobs.trainer.setup import load_with_adapters
from orchestrator.domain.errors import Invalid
from orchestrator.domain.families import LIGER_FAMILIES
from orchestrator.domain.models import ModelSource, VideoModel
from orchestrator.domain.recipes import parse_recipe
from orchestrator.domain.tasks import ModelType
from orchestrator.services.training.memory import memory_of
from tests.unit.jobs.families.tiny_llms import make_tiny
from tests.unit.jobs.trainer.conftest import MakeSpec
from tests.unit.jobs.trainer.test_run import losses, recorder_of


def built(device: str, decodes: bool = True, **recipe: Any) -> TrainingArguments:
    return training_arguments(Path("out"), parse_recipe(recipe), 10, False, False, device, decodes=decodes)


def test_a_gpu_gets_bf16_paged_8_bit_moments_and_pinned_loading_ahead(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training_args, "is_torch_bf16_gpu_available", lambda: True)
    monkeypatch.setattr(os, "cpu_count", lambda: 16)
    how = built("cuda:0")
    assert (how.bf16, how.use_cpu, how.optim) == (True, False, "paged_adamw_8bit")
    assert (how.dataloader_pin_memory, how.dataloader_num_workers, how.dataloader_prefetch_factor) == (True, 4, 2)
    assert device_arguments(parse_recipe({}), "cuda:0", True)["accelerator_config"] == {"non_blocking": True}
    assert not how.dataloader_persistent_workers
    # The features of a frozen vision tower may have to be computed again, which a forked process must not do on a GPU.
    assert built("cuda:0", decodes=False).dataloader_num_workers == 0
    monkeypatch.setenv("WORLD_SIZE", "4")
    assert built("cuda:3").dataloader_num_workers == 2


def test_a_gpu_without_bf16_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """A T4 or V100: torch says that it can, if asked as transformers asks."""
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation=True: including_emulation)
    assert manners.emulates_bf16("cuda:0")
    assert not manners.emulates_bf16("cpu")
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation=True: True)
    assert not manners.emulates_bf16("cuda:0")


def test_a_processor_gets_what_it_always_had() -> None:
    how = built("cpu")
    assert (how.bf16, how.use_cpu, how.optim) == (False, True, "adamw_torch_fused")
    assert (how.dataloader_pin_memory, how.dataloader_num_workers) == (False, 0)


@pytest.mark.parametrize(
    ("device", "recipe", "said", "small"),
    [
        ("cpu", {}, "adamw_torch_fused", False),
        ("cpu", {"optim": {"optimizer": "adamw_8bit"}}, "paged_adamw_8bit", True),
        ("cuda:0", {}, "paged_adamw_8bit", True),
        ("cuda:0", {"qlora": {"bits": 16}}, "paged_adamw_8bit", True),
        ("cuda:0", {"optim": {"optimizer": "adamw"}}, "adamw_torch_fused", False),
        ("cuda:0", {"training_type": "pretrain"}, "adamw_torch_fused", False),
    ],
)
def test_the_estimate_counts_the_moments_that_the_run_keeps(
    device: str, recipe: dict[str, Any], said: str, small: bool
) -> None:
    asked = parse_recipe(recipe)
    assert device_arguments(asked, device, True)["optim"] == said
    base = VideoModel(name="b", model_type=ModelType.CLASSIFICATION, architecture="", source=ModelSource.PATH)
    # A trained weight, its gradient and two moments: of 4 bytes each, or the moments of one.
    assert memory_of(base, asked, trainable=1000, gpu=device != "cpu").trained == (10_000 if small else 16_000)


def test_liger_is_refused_where_it_cannot_run(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = parse_recipe({"optim": {"liger": True}})
    with pytest.raises(Invalid, match="run on a GPU only") as refused:
        use_liger(asked, "cpu")
    assert refused.value.field == "optim.liger"
    monkeypatch.setattr(manners, "find_spec", lambda name: None)
    with pytest.raises(Invalid, match="pip install liger-kernel"):
        use_liger(asked, "cuda:0")
    monkeypatch.setattr(manners, "find_spec", lambda name: object())
    assert use_liger(asked, "cuda:0")
    assert not use_liger(parse_recipe({}), "cuda:0")
    assert "qwen2_5_vl" in LIGER_FAMILIES


def test_fused_kernels_must_leave_the_loss_as_it_was(tmp_path: Path) -> None:
    """Whatever a version of the package does to a model: it is seen before the first step."""
    base = read_base(make_tiny("qwen2_5_vl", tmp_path))
    plan = Plan(base, parse_recipe({"data": {"frames": 2, "size": 56}}), "captioning", (), ("it hops",))
    family = resolve(base)
    model, collate = load_with_adapters(family, plan), family.collate(plan)
    frames = np.random.default_rng(0).integers(0, 256, (2, 56, 56, 3), dtype=np.uint8)
    items = [{"frames": frames, "captions": ["it hops"], "training": True, "seed": (0, 0), "clip_id": 1}]
    chance = torch.get_rng_state()
    apply_and_check(plan, model, collate, items, lambda model: None)
    assert torch.equal(torch.get_rng_state(), chance)

    def too_old(model: Any) -> None:
        raise ImportError("cannot import name 'LigerOutput'")

    def wrong(model: Any) -> None:
        with torch.no_grad():
            model.get_base_model().lm_head.weight.mul_(100)

    with pytest.raises(Invalid, match=r"do not work with this base here \(ImportError: .*Switch them off") as refused:
        apply_and_check(plan, model, collate, items, too_old)
    assert refused.value.field == "optim.liger"
    with pytest.raises(Invalid, match=r"loss is .* instead of .*Switch them off"):
        apply_and_check(plan, model, collate, items, wrong)


def test_flash_attention_where_it_is_installed_and_the_class_takes_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    base = read_base(make_tiny("qwen2_5_vl", tmp_path))
    here, there = (Plan(base, parse_recipe({}), "captioning", device=device) for device in ("cpu", "cuda:0"))
    assert attention_options(there) == {}  # not installed: transformers takes SDPA
    monkeypatch.setattr(load, "is_flash_attn_2_available", lambda: True)
    assert attention_options(here) == {}
    assert attention_options(there) == {"attn_implementation": "flash_attention_2"}


@pytest.mark.slow
def test_loader_processes_change_no_loss(make_spec: MakeSpec, monkeypatch: pytest.MonkeyPatch) -> None:
    """Clips are varied and dropout is on: random numbers are the same whichever process prepares the batch."""
    alone = make_spec("alone", qlora={"dropout": 0.1})
    train(alone, recorder_of(alone), lambda: False)
    monkeypatch.setattr(manners, "loader_workers", lambda *_: 2)
    ahead = dataclasses.replace(alone, folder=str(Path(alone.folder).with_name("ahead")))
    Path(ahead.folder).mkdir()
    train(ahead, recorder_of(ahead), lambda: False)
    assert losses(ahead) == pytest.approx(losses(alone), abs=1e-6)


@pytest.mark.parametrize(
    ("precision", "device", "half", "numbers"),
    [
        ("bf16", "cuda:0", (True, False), torch.bfloat16),
        ("fp16", "cuda:0", (False, True), torch.float16),
        ("fp16", "cpu", (False, False), torch.float32),
    ],
)
def test_the_precision_of_a_recipe(
    precision: str, device: str, half: tuple[bool, bool], numbers: torch.dtype, tmp_path: Path
) -> None:
    recipe = parse_recipe({"optim": {"precision": precision}})
    arguments = device_arguments(recipe, device, True)
    assert (arguments["bf16"], arguments["fp16"]) == half
    base = read_base(make_tiny("qwen2_vl", tmp_path))
    assert base_precision(Plan(base, recipe, "captioning", device=device)) is numbers
