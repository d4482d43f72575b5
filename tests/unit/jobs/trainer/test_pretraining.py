"""Pre-training from captions by the next token: all weights go on learning, and what is written is a base again."""

import dataclasses
import json
from pathlib import Path

import pytest
import torch
import yaml
from safetensors.torch import load_file

from jobs.bases.captioner_captions import word_tokenizer
from jobs.bases.pretrain_captioner import build, export
from jobs.families.protocol import Plan
from jobs.families.registry import read_base, resolve
from jobs.runs.clip_spec import ClipSpec
from jobs.runs.spec import TrainSpec
from jobs.trainer.run import train
from jobs.trainer.setup import load_with_adapters
from orchestrator.domain.recipes import parse_recipe
from orchestrator.services.models.inspect import inspect_model
from tests.unit.jobs.families.tiny_llms import make_tiny
from tests.unit.jobs.trainer.conftest import MakeSpec
from tests.unit.jobs.trainer.test_run import losses, recorder_of

TOLD = {"blinking": "it blinks", "zooming": "it looms now"}


def _captioner(folder: Path) -> Path:
    torch.manual_seed(0)
    export(build(), word_tokenizer(), folder, {})
    return folder


def _spec(make_spec: MakeSpec, clips: list[ClipSpec], base: Path, family: str, **data: int) -> TrainSpec:
    said = [dataclasses.replace(clip, label="", caption=TOLD[clip.label]) for clip in clips[:8]]
    how = {"epochs": 3, "learning_rate": 4e-3, "batch_size": 3}
    made = make_spec(training_type="pretrain", optim=how, data=data, clips=said)
    return dataclasses.replace(made, task="captioning", class_names=[], model_path=str(base), family=family)


@pytest.mark.parametrize("family", ["vision-encoder-decoder", "qwen2_vl"])
def test_pretraining_updates_all_weights_from_captions(
    family: str, make_spec: MakeSpec, clips: list[ClipSpec], tmp_path: Path
) -> None:
    base = _captioner(tmp_path / "base") if family == "vision-encoder-decoder" else make_tiny(family, tmp_path / "base")
    spec = _spec(make_spec, clips, base, family, **({"frames": 4, "size": 56} if family == "qwen2_vl" else {}))
    summary = train(spec, recorder_of(spec), lambda: False).summary
    curve = list(losses(spec).values())
    assert sum(curve[-3:]) < 0.9 * sum(curve[:3])
    assert summary.baseline.keys() >= {"eval_exact", "eval_bleu"}

    model = Path(spec.folder) / "model"
    assert not (Path(spec.folder) / "adapter").exists()
    assert not list(model.glob("adapter_*"))
    old, new = load_file(base / "model.safetensors"), load_file(model / "model.safetensors")
    assert set(old) == set(new)
    moved = [name for name in old if name.endswith("weight") and not torch.equal(old[name], new[name])]
    assert any("encoder" in name or "visual" in name for name in moved)
    assert any("decoder" in name or "layers" in name for name in moved)

    card = (model / "README.md").read_text()
    assert yaml.safe_load(card.split("---")[1])["metrics"] == [
        "exact",
        "exact_normalized",
        "cider",
        "meteor",
        "rouge_l",
        "bleu",
        "loss",
    ]
    assert "| on the held-out clips | base | this model |" in card
    facts = inspect_model(model)
    assert (facts.family, facts.model_type) == (family, "video_captioning")
    assert "use_cache" not in json.loads((model / "config.json").read_text())
    again = read_base(model)
    recipe = parse_recipe({"data": spec.recipe["data"]})
    tuned = load_with_adapters(resolve(again), Plan(again, recipe, "captioning", (), tuple(TOLD.values())))
    assert any("lora_A" in name for name, _ in tuned.named_parameters())
