"""The template of a family has every method of the protocol, is described in the docs, and trains."""

import dataclasses
import inspect
import json
import re
import runpy
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
import transformers

from jobs.families import registry
from jobs.families.example.family import FAMILY, Example
from jobs.families.protocol import Family, Plan, Question
from jobs.families.quantize import quantized_layers
from jobs.families.registry import read_base, resolve
from jobs.runs.clip_spec import ClipSpec
from jobs.trainer.run import train
from jobs.trainer.setup import load_with_adapters
from orchestrator.domain import families
from orchestrator.domain.errors import Invalid
from orchestrator.domain.recipes import parse_recipe
from orchestrator.settings import ROOT
from tests.unit.jobs.trainer.conftest import MakeSpec, clips, make_spec
from tests.unit.jobs.trainer.test_run import losses, recorder_of

__all__ = ["clips", "make_spec"]
FOLDER = ROOT / "jobs" / "families" / "example"
NAMES = [name for name in vars(Family) if not name.startswith("_")]


@pytest.fixture
def base(tmp_path: Path) -> Path:
    """A random base; for a family of your own, use a config as small as this one."""
    torch.manual_seed(1)
    config = transformers.ViTConfig(
        image_size=32, patch_size=8, hidden_size=64, num_hidden_layers=2, num_attention_heads=2, intermediate_size=128
    )
    transformers.ViTForImageClassification(config).save_pretrained(tmp_path / "base")
    how = {
        "do_resize": True, "size": {"height": 32, "width": 32}, "resample": 2, "do_rescale": True,
        "rescale_factor": 1 / 255, "do_normalize": True, "image_mean": [0.5] * 3, "image_std": [0.5] * 3,
    }  # fmt: skip
    how |= {"do_center_crop": False, "image_processor_type": "VideoMAEImageProcessor"}
    (tmp_path / "base" / "preprocessor_config.json").write_text(json.dumps(how))
    return tmp_path / "base"


@pytest.fixture
def registered(monkeypatch: pytest.MonkeyPatch) -> None:
    """Adds the template to the registry, for this test only."""
    monkeypatch.setitem(registry.MODULES, FAMILY.name, "jobs.families.example.family")


def test_the_template_has_exactly_the_protocol() -> None:
    """Every method in the protocol's order with its arguments and types, and nothing else."""
    own = [name for name, value in vars(Example).items() if inspect.isfunction(value) and not name.startswith("_")]
    assert own == [name for name in NAMES if callable(getattr(Family, name))]
    for name in own:
        assert inspect.signature(getattr(Example, name)) == inspect.signature(getattr(Family, name)), name
    assert {name for name in vars(Example) if not name.startswith("_")} == {*own, *Family.__annotations__}


def test_the_docs_walk_through_it() -> None:
    text = (ROOT / "docs" / "families.md").read_text()
    walk = text.split("## The template, file by file\n")[1].split("\n## ")[0]
    files = {path.name for path in FOLDER.glob("*.py")} - {"__init__.py"}
    assert files == set(re.findall(r"^\d\. \*\*`(\w+\.py)`", walk, re.MULTILINE))
    assert {name for name in NAMES if f"`{name}`" not in walk} == set()


def test_no_page_offers_it() -> None:
    assert FAMILY.name not in registry.MODULES
    assert FAMILY.name not in families.FAMILIES


@pytest.mark.usefixtures("registered")
def test_it_learns_and_its_cards_program_agrees(
    base: Path, make_spec: MakeSpec, clips: list[ClipSpec], capsys: pytest.CaptureFixture[str]
) -> None:
    made = make_spec(optim={"epochs": 6, "learning_rate": 4e-3}, clips=clips)
    spec = dataclasses.replace(made, model_path=str(base), family=FAMILY.name)
    summary = train(spec, recorder_of(spec), lambda: False).summary
    curve = list(losses(spec).values())
    assert sum(curve[-4:]) < 0.9 * sum(curve[:4])
    assert {"eval_accuracy", "confusion_matrix", "baseline"} <= set(summary.to_json())
    adapter = Path(spec.folder) / "adapter"
    predictions = json.loads((adapter / "predictions.json").read_text())
    paths = {clip.id: clip.path for clip in clips}
    (adapter / "classify.py").write_text((adapter / "README.md").read_text().split("```python\n")[1].split("```")[0])
    capsys.readouterr()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["classify.py", *(paths[p["clip_id"]] for p in predictions)])
        runpy.run_path(str(adapter / "classify.py"))
    lines = [line.split("\t") for line in capsys.readouterr().out.splitlines() if "\t" in line]
    assert [line[1] for line in lines] == [p["predicted"] for p in predictions]
    assert [float(line[2]) for line in lines] == pytest.approx([p["confidence"] for p in predictions], abs=5e-3)


@pytest.mark.usefixtures("registered")
def test_everything_but_the_head_is_in_four_bits(base: Path) -> None:
    read = read_base(base)
    model = load_with_adapters(resolve(read), Plan(read, parse_recipe({}), "classification", ("a", "b")))
    assert len(quantized_layers(model)) == 12
    assert type(model.base_model.model.classifier.original_module) is torch.nn.Linear
    item = {"frames": np.zeros((4, 32, 32, 3), np.uint8), "captions": [], "seed": (0, 0), "clip_id": 1}
    plan = Plan(read, parse_recipe({}), "classification", ("a", "b"))
    with torch.no_grad():
        answers = FAMILY.predict(plan, model.eval(), [item, item], Question())
    assert [sorted(name for name, _ in answer.probabilities) for answer in answers] == [["a", "b"]] * 2


def test_what_does_not_fit_is_refused(base: Path) -> None:
    read = read_base(base)
    for change, task, field in (
        ({}, "captioning", "model_id"),
        ({"training_type": "pretrain"}, "classification", "training_type"),
        ({"data": {"size": 64}}, "classification", "data.size"),
    ):
        with pytest.raises(Invalid) as refused:
            FAMILY.check(read, parse_recipe(change), task)
        assert refused.value.field == field
