"""Each video encoder learns in 4 bits, and its adapter says the same in a plain program with transformers and peft."""

import dataclasses
import json
import runpy
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from transformers import VivitImageProcessor

from jobs.families.pixels import ClipNormalizer
from jobs.families.protocol import Plan
from jobs.families.quantize import quantized_layers
from jobs.families.registry import MODULES, read_base, resolve
from jobs.runs.clip_spec import ClipSpec
from jobs.trainer.run import train
from jobs.trainer.setup import load_with_adapters
from jobs.video.cache import Sampling
from jobs.video.decode import _prepare
from jobs.video.sampling import fit
from orchestrator.domain.errors import Invalid
from orchestrator.domain.families import FAMILIES, STANDARD_FAMILIES
from orchestrator.domain.recipes import parse_recipe
from orchestrator.services.models.inspect import inspect_model
from tests.fakes.bases import ENCODERS, make_base
from tests.unit.jobs.trainer.conftest import MakeSpec
from tests.unit.jobs.trainer.test_run import losses, recorder_of


def test_what_is_offered_can_be_trained() -> None:
    assert set(FAMILIES) == set(MODULES) | STANDARD_FAMILIES


@pytest.mark.slow
@pytest.mark.parametrize("family", sorted(ENCODERS))
def test_it_learns_and_the_card_says_the_same(
    make_spec: MakeSpec, clips: list[ClipSpec], tmp_path: Path, capsys: Any, family: str
) -> None:
    base = make_base(family, tmp_path / "base")
    assert inspect_model(base).family == family
    how = {"epochs": 8, "learning_rate": 6e-3} if family == "vjepa2" else {"epochs": 5}
    spec = dataclasses.replace(make_spec(optim=how, data={"fps": 4}), model_path=str(base), family=family)
    train(spec, recorder_of(spec), lambda: False)
    curve = list(losses(spec).values())
    assert sum(curve[-4:]) < 0.9 * sum(curve[:4])
    adapter = Path(spec.folder) / "adapter"
    said = json.loads((adapter / "predictions.json").read_text())
    paths = {clip.id: clip.path for clip in clips}
    program = (adapter / "README.md").read_text().split("```python\n")[1].split("```")[0]
    (adapter / "classify.py").write_text(program)
    capsys.readouterr()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["classify.py", *(paths[p["clip_id"]] for p in said)])
        runpy.run_path(str(adapter / "classify.py"))
    lines = [line.split("\t") for line in capsys.readouterr().out.splitlines() if "\t" in line]
    assert [line[1] for line in lines] == [p["predicted"] for p in said]
    assert [float(line[2]) for line in lines] == pytest.approx([p["confidence"] for p in said], abs=5e-3)


@pytest.mark.parametrize("family", sorted(ENCODERS))
def test_four_bits_and_no_gradient_lost(tmp_path: Path, family: str) -> None:
    """All of the encoder is in NF4 but the heads, and an evaluation does not cut the gradient through it."""
    base = read_base(make_base(family, tmp_path / "base"))
    how = resolve(base)
    plan = Plan(base, parse_recipe({"qlora": {"dropout": 0.0}}), "classification", ("a", "b"))
    model = load_with_adapters(how, plan)
    layers: list[Any] = quantized_layers(model)
    assert len(layers) >= 8
    assert not any(layer.support_avx512bf16_for_cpu for layer in layers)
    frames = np.random.default_rng(0).integers(0, 256, (4, 32, 32, 3), dtype=np.uint8)
    items = [{"frames": frames, "label": i, "training": False, "seed": (0, i), "captions": []} for i in range(2)]
    batch = how.collate(plan)(items)
    before = _gradients(model, batch)
    assert min(before) > 0
    model.eval()
    with torch.no_grad():
        model(**batch)
    assert _gradients(model, batch) == pytest.approx(before, rel=1e-3)


def _gradients(model: Any, batch: dict[str, Any]) -> list[float]:
    model.zero_grad()
    model.train()
    model(**batch).loss.backward()
    return [float(p.grad.norm()) for n, p in model.named_parameters() if "lora_B" in n]


def test_vivits_pixels_equal_its_processors(tmp_path: Path) -> None:
    base = read_base(make_base("vivit", tmp_path / "base"))
    how = resolve(base).sampling(base, parse_recipe({}))
    assert isinstance(how, Sampling)
    clip = np.random.default_rng(0).integers(0, 256, (4, 60, 80, 3), dtype=np.uint8)
    real = VivitImageProcessor(**base.processor)(list(clip), return_tensors="pt")["pixel_values"]
    target = fit(clip.shape[2], clip.shape[1], dict(how.size))
    frames = np.stack([_prepare(f, target, how.crop, how.resample) for f in clip])
    assert torch.allclose(ClipNormalizer(base).normalize([{"frames": frames}]), real, atol=1e-5)


def test_what_an_encoder_cannot_see_is_refused(tmp_path: Path) -> None:
    for family, change, field in (
        ("timesformer", {"data": {"frames": 6}}, "data.frames"),
        ("vjepa2", {"data": {"frames": 5}}, "data.frames"),
        ("vivit", {"data": {"size": 64}}, "data.size"),
        ("vivit", {"training_type": "pretrain"}, "training_type"),
    ):
        base = read_base(make_base(family, tmp_path / field / family))
        with pytest.raises(Invalid) as refused:
            resolve(base).check(base, parse_recipe(change), "classification")
        assert refused.value.field == field


def test_the_predictor_of_vjepa2_is_not_loaded(tmp_path: Path) -> None:
    base = read_base(make_base("vjepa2", tmp_path / "base"))
    assert any("predictor" in name for name in load_file(base.folder / "model.safetensors"))
    model = load_with_adapters(resolve(base), Plan(base, parse_recipe({}), "classification", ("a", "b")))
    assert not [name for name, _ in model.named_modules() if "predictor" in name]
    assert type(model.get_base_model()).__name__ == "VJEPA2ForVideoClassification"
