"""A video language model in training: a frozen vision tower builds no graph, and no forward builds a KV cache."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from accelerate import Accelerator
from transformers.integrations.neftune import activate_neftune

from jobs.families.protocol import Plan
from jobs.families.registry import read_base, resolve
from jobs.families.video_llm.family import VideoLLM
from jobs.trainer.hf_trainer import training_arguments
from jobs.trainer.setup import load_with_adapters
from orchestrator.domain.recipes import parse_recipe
from tests.unit.jobs.families.tiny_llms import CONFIGS, edge_of, make_tiny


def model_and_batch(name: str, folder: Path, bits: int) -> tuple[Any, Any, VideoLLM]:
    base = read_base(make_tiny(name, folder))
    family = resolve(base)
    assert isinstance(family, VideoLLM)
    size = {} if family.architecture.fixed_size else {"size": 56}
    recipe = parse_recipe({"data": {"frames": 4} | size, "qlora": {"bits": bits}})
    plan = Plan(base, recipe, "captioning", (), ("it hops",))
    edge = edge_of(family.sampling(base, recipe))
    frames = np.random.default_rng(0).integers(0, 256, (4, edge, edge, 3), dtype=np.uint8)
    item = {"frames": frames, "captions": ["it hops"], "training": True, "seed": (0, 0), "clip_id": 1}
    model = load_with_adapters(family, plan, checkpointing=True)
    return model, family.collate(plan)([item]), family


def tensors_in(value: Any) -> list[torch.Tensor]:
    if isinstance(value, torch.Tensor):
        return [value]
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple) else ()
    return [tensor for part in parts for tensor in tensors_in(part)]


@pytest.mark.parametrize("bits", [4, 16])
@pytest.mark.parametrize("name", ["qwen2_5_vl", "smolvlm"])
def test_a_frozen_vision_tower_builds_no_graph(name: str, bits: int, tmp_path: Path) -> None:
    model, batch, family = model_and_batch(name, tmp_path, bits)
    outputs: list[torch.Tensor] = []
    for tower in family.architecture.vision_modules:
        model.get_base_model().get_submodule(tower).register_forward_hook(
            lambda _, inputs, output: outputs.extend(tensors_in(output))
        )
    model.train()(**batch).loss.backward()
    assert outputs
    assert not any(output.requires_grad for output in outputs)
    learned = {part: p.grad for part, p in model.named_parameters() if p.requires_grad}
    assert all(gradient is not None for gradient in learned.values())
    assert any(float(gradient.abs().max()) > 0 for gradient in learned.values() if gradient is not None)


@pytest.mark.parametrize("name", sorted(CONFIGS))
def test_training_and_its_evaluation_build_no_kv_cache(name: str, tmp_path: Path) -> None:
    model, batch, _ = model_and_batch(name, tmp_path, 16)
    with torch.no_grad():
        output = model.eval()(**batch)
    assert output.get("past_key_values") is None
    assert model.get_base_model().generation_config.use_cache  # an answer is generated with one


@pytest.mark.parametrize("name", sorted(CONFIGS))
def test_noise_is_added_to_the_words_in_training_only(name: str, tmp_path: Path) -> None:
    model, batch, _ = model_and_batch(name, tmp_path, 16)

    def two_losses() -> list[float]:
        with torch.no_grad():
            return [float(model(**batch).loss) for _ in range(2)]

    activate_neftune(model, 5.0, Accelerator(cpu=True))  # as the Trainer does with `neftune_noise_alpha`
    model.train()
    first, second = two_losses()
    assert first != second
    model.eval()
    first, second = two_losses()
    assert first == second


def test_the_recipe_asks_the_trainer_for_the_noise(tmp_path: Path) -> None:
    recipe = parse_recipe({"optim": {"neftune_alpha": 5}})
    assert training_arguments(tmp_path, recipe, 10, True, False, "cpu").neftune_noise_alpha == 5.0
