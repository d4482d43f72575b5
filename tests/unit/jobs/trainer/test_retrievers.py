"""Each retriever learns pairs in 4 bits, and its adapter ranks clips the same in a plain program."""

import dataclasses
import json
import runpy
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from jobs.families.precision import training_precision
from jobs.families.protocol import Plan, RawOutput
from jobs.families.quantize import quantized_layers
from jobs.families.registry import read_base, resolve
from jobs.runs.clip_spec import ClipSpec
from jobs.runs.spec import TrainSpec
from jobs.trainer.run import train
from jobs.trainer.setup import load_with_adapters
from orchestrator.domain.errors import Invalid
from orchestrator.domain.recipes import parse_recipe
from orchestrator.services.models.inspect import inspect_model
from tests.fakes.bases import RETRIEVERS, make_base
from tests.unit.jobs.trainer.conftest import MakeSpec
from tests.unit.jobs.trainer.test_run import losses, recorder_of

SAYS = {"blinking": "A shape flashes on and off.", "zooming": "A shape comes near."}


def captioned(spec: TrainSpec, base: Path, family: str) -> TrainSpec:
    clips = [
        dataclasses.replace(clip, label="", caption=f"{SAYS[clip.label]} Number {clip.id}.") for clip in spec.clips
    ]
    return dataclasses.replace(spec, task="retrieval", class_names=[], model_path=str(base), family=family, clips=clips)


@pytest.mark.slow
@pytest.mark.parametrize("family", sorted(RETRIEVERS))
def test_it_learns_and_the_card_says_the_same(
    make_spec: MakeSpec, clips: list[ClipSpec], tmp_path: Path, capsys: Any, family: str
) -> None:
    base = make_base(family, tmp_path / "base")
    facts = inspect_model(base)
    assert (facts.family, facts.model_type) == (family, "video_retrieval")
    made = make_spec(optim={"epochs": 6, "learning_rate": 4e-3}, data={"fps": 4})
    spec = captioned(made, base, family)
    summary = train(spec, recorder_of(spec), lambda: False).summary
    curve = list(losses(spec).values())
    assert sum(curve[-4:]) < sum(curve[:4])
    assert summary.values["eval_r1"] <= summary.values["eval_r5"] <= summary.values["eval_r10"] <= 1
    assert summary.values["eval_median_rank"] >= 1
    adapter = Path(spec.folder) / "adapter"
    said = json.loads((adapter / "predictions.json").read_text())
    first = said[0]
    paths = {clip.id: clip.path for clip in clips}
    program = (adapter / "README.md").read_text().split("```python\n")[1].split("```")[0]
    (adapter / "search.py").write_text(program)
    capsys.readouterr()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["search.py", first["reference"], *(paths[p["clip_id"]] for p in said)])
        runpy.run_path(str(adapter / "search.py"))
    lines = [line.split("\t") for line in capsys.readouterr().out.splitlines() if "\t" in line]
    found = {path: float(score) for score, path in lines}
    assert len(found) == len(said)
    for shown in first["top"]:
        assert found[paths[shown["clip_id"]]] == pytest.approx(shown["score"], abs=5e-3)


@pytest.mark.parametrize("family", sorted(RETRIEVERS))
def test_four_bit_layers_and_heads_in_full_precision(tmp_path: Path, family: str) -> None:
    """The towers are in NF4, the heads are not, and every adapter gets a gradient."""
    base = read_base(make_base(family, tmp_path / "base"))
    how = resolve(base)
    plan = Plan(base, parse_recipe({"qlora": {"dropout": 0.0}}), "retrieval")
    model = load_with_adapters(how, plan)
    layers: list[Any] = quantized_layers(model)
    assert len(layers) >= 16
    assert not any(layer.support_avx512bf16_for_cpu for layer in layers)
    frames = torch.randint(0, 256, (3, how.sampling(base, plan.recipe).count, 32, 32, 3), dtype=torch.uint8).numpy()
    items = [
        {"frames": frames[i], "captions": [f"caption {i}"], "training": True, "seed": (0, i), "clip_id": i}
        for i in range(3)
    ]
    model.train()
    model(**how.collate(plan)(items))["loss"].backward()
    grads = [p.grad is not None and float(p.grad.norm()) > 0 for n, p in model.named_parameters() if "lora_B" in n]
    assert all(grads)
    assert any("modules_to_save" in n and p.requires_grad for n, p in model.named_parameters())


def test_pretraining_goes_on_with_pairs(make_spec: MakeSpec, tmp_path: Path) -> None:
    """All weights move; what is written is a base that can be fine-tuned again."""
    base = make_base("vision-text-dual-encoder", tmp_path / "base")
    recipe = {"training_type": "pretrain", "optim": {"epochs": 2, "learning_rate": 1e-3}}
    spec = captioned(make_spec(**recipe), base, "vision-text-dual-encoder")
    summary = train(spec, recorder_of(spec), lambda: False).summary
    assert "eval_r1" in summary.values
    model = Path(spec.folder) / "model"
    old, new = load_file(base / "model.safetensors"), load_file(model / "model.safetensors")
    assert set(old) == set(new)
    assert any(not torch.equal(old[name], new[name]) for name in old if "query" in name)
    assert json.loads((model / "config.json").read_text())["architectures"] == ["VisionTextDualEncoderModel"]
    again = read_base(model)
    load_with_adapters(resolve(again), Plan(again, parse_recipe({}), "retrieval"))
    assert (model / "tokenizer.json").exists()


def test_a_retriever_wants_captions(tmp_path: Path) -> None:
    base = read_base(make_base("clip", tmp_path / "base"))
    with pytest.raises(Invalid, match="Choose a dataset with captions"):
        resolve(base).check(base, parse_recipe({}), "classification")
    with pytest.raises(Invalid, match="batch size of at least 2") as alone:
        resolve(base).check(base, parse_recipe({"optim": {"batch_size": 1}}), "retrieval")
    assert alone.value.field == "optim.batch_size"


def test_it_is_evaluated_in_the_precision_of_its_steps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A processor stands for the GPU, whose steps run under an autocast to bf16."""
    base = read_base(make_base("clip", tmp_path / "base"))
    family = resolve(base)
    plan, seen = Plan(base, parse_recipe({"qlora": {"bits": 16}}), "retrieval"), []
    towers = family.load(plan).eval()
    original = towers.encode_clips
    monkeypatch.setattr(
        towers, "encode_clips", lambda pixels: (seen.append(torch.is_autocast_enabled("cpu")), original(pixels))[1]
    )
    monkeypatch.setattr(
        "jobs.families.retriever.training_precision", lambda plan: torch.autocast(plan.device, torch.bfloat16)
    )
    frames = torch.zeros(family.sampling(base, plan.recipe).count, 32, 32, 3, dtype=torch.uint8).numpy()
    item = {"frames": frames, "captions": ["a"], "training": False, "seed": (0, 0), "clip_id": 1}
    with torch.no_grad():
        family.evaluate(plan, towers, [item, item], RawOutput(), final=True)
    assert seen == [True]
    assert not training_precision(plan)._enabled


@pytest.mark.parametrize("family", sorted(RETRIEVERS))
def test_a_batch_in_parts_has_the_gradients_of_one_pass(tmp_path: Path, family: str) -> None:
    """GradCache: the same loss and gradients, while fewer activations are kept for the way back."""
    base = read_base(make_base(family, tmp_path / "base"))
    how = resolve(base)
    found, kept = [], []
    for chunk in (None, 3):
        recipe = parse_recipe({"qlora": {"bits": 16, "dropout": 0.0}, "optim": {"chunk_size": chunk}})
        plan = Plan(base, recipe, "retrieval")
        torch.manual_seed(5)
        model = load_with_adapters(how, plan).train()
        for name, parameter in model.named_parameters():
            if "lora_B" in name:
                torch.nn.init.normal_(parameter, std=0.05)
        for module in model.modules():
            if isinstance(module, torch.nn.Dropout):
                module.p = 0.0
        shape = (7, how.sampling(base, recipe).count, 32, 32, 3)
        frames = torch.randint(0, 256, shape, dtype=torch.uint8, generator=torch.Generator().manual_seed(1)).numpy()
        items = [
            {"frames": frames[i], "captions": [f"caption {i}"], "training": True, "seed": (0, i), "clip_id": i}
            for i in range(len(frames))
        ]
        sizes: list[int] = []
        pack = lambda tensor, sizes=sizes: (sizes.append(tensor.nbytes), tensor)[1]  # noqa: E731
        with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
            loss = model(**how.collate(plan)(items))["loss"]
            kept.append(sum(sizes))
        loss.backward()
        grads = {name: p.grad.clone() for name, p in model.named_parameters() if p.grad is not None}
        found.append((float(loss), grads))
    (whole, expected), (parts, grads) = found
    assert parts == pytest.approx(whole, rel=1e-5)
    assert grads.keys() == expected.keys()
    for name, gradient in expected.items():
        assert float((grads[name] - gradient).norm()) <= 1e-3 * float(gradient.norm()) + 1e-6, name
    assert kept[1] < kept[0] / 4
