"""Options of adapters and of the loss, each in a run of a few steps, and what refuses them."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import PeftModel
from safetensors.torch import load_file

from jobs.families.class_loss import class_loss_of
from jobs.families.protocol import Plan
from jobs.runs.spec import TrainSpec
from jobs.trainer.lora import matching, target_layers
from jobs.trainer.pissa import convert_saved_adapter
from jobs.trainer.run import train
from jobs.trainer.setup import load_with_adapters, plan_run
from orchestrator.domain.errors import Invalid
from tests.unit.jobs.trainer.conftest import MakeSpec
from tests.unit.jobs.trainer.test_run import losses, recorder_of


@pytest.mark.slow
def test_methods_train_and_their_adapter_says_so(make_spec: MakeSpec) -> None:
    optim = {"max_steps": 3, "lora_plus_ratio": 8, "class_weights": True, "label_smoothing": 0.1, "focal_gamma": 1}
    spec = make_spec("run", optim=optim, qlora={"rslora": True, "dora": True})
    assert train(spec, recorder_of(spec), lambda: False).status == "completed"
    assert len(losses(spec)) == 3
    config = json.loads((Path(spec.folder) / "adapter" / "adapter_config.json").read_text())
    assert (config["use_rslora"], config["use_dora"]) == (True, True)


def test_a_loss_of_classes_is_refused_without_classes(make_spec: MakeSpec) -> None:
    spec = make_spec("run", optim={"focal_gamma": 2}, training_type="pretrain")
    _, _, plan, _ = plan_run(spec)
    with pytest.raises(Invalid) as refused:
        class_loss_of(plan, [])
    assert refused.value.field == "optim.focal_gamma"


def _adapter(spec: TrainSpec) -> tuple[dict[str, Any], dict[str, torch.Tensor]]:
    folder = Path(spec.folder) / "adapter"
    config = json.loads((folder / "adapter_config.json").read_text())
    return config, load_file(folder / "adapter_model.safetensors")


@pytest.mark.slow
def test_layers_by_pattern_have_ranks_and_alphas_by_name(make_spec: MakeSpec) -> None:
    qlora = {
        "r": 4,
        "target_modules": r".*\.layer\.0\..*(query|value)",
        "rank_pattern": {"query": 2},
        "alpha_pattern": "value=64",
    }
    spec = make_spec("run", optim={"max_steps": 1}, qlora=qlora)
    assert train(spec, recorder_of(spec), lambda: False).status == "completed"
    config, weights = _adapter(spec)
    ranks = {name.split(".lora_A")[0].split(".")[-1]: w.shape[0] for name, w in weights.items() if ".lora_A." in name}
    assert ranks == {"query": 2, "value": 4}
    assert all(".layer.0." in name for name in weights if ".lora_A." in name)
    assert config["alpha_pattern"] == {"value": 64}


def test_a_pattern_that_matches_nothing_or_takes_too_long_is_refused(make_spec: MakeSpec) -> None:
    family, _, plan, _ = plan_run(make_spec("run", qlora={"bits": 16, "target_modules": r"language_model\..*"}))
    with pytest.raises(Invalid, match="matches no layer") as refused:
        load_with_adapters(family, plan)
    assert refused.value.field == "qlora.target_pattern"
    with pytest.raises(Invalid, match="too long"):
        matching(r"(a|a|aa)+$", ["a" * 60 + "b"])


def test_a_pattern_reaches_no_head(make_spec: MakeSpec) -> None:
    family, _, plan, _ = plan_run(make_spec("run", qlora={"bits": 16, "target_modules": ".*"}))
    layers = target_layers(family, plan.recipe, family.load(plan))
    assert layers
    assert not any("classifier" in name for name in layers)


def test_a_rank_of_a_layer_without_an_adapter_is_refused(make_spec: MakeSpec) -> None:
    family, _, plan, _ = plan_run(make_spec("run", qlora={"bits": 16, "rank_pattern": {"classifier": 4}}))
    with pytest.raises(Invalid, match="classifier") as refused:
        load_with_adapters(family, plan)
    assert refused.value.field == "qlora.rank_pattern"


@pytest.mark.slow
@pytest.mark.parametrize("rslora", [False, True])
def test_pissa_is_exported_for_the_untouched_base(make_spec: MakeSpec, rslora: bool) -> None:
    qlora = {
        "bits": 16,
        "r": 4,
        "init_lora_weights": "pissa",
        "rslora": rslora,
        "dropout": 0.0,
        "rank_pattern": "query=2",
    }
    family, _, plan, _ = plan_run(make_spec("run", qlora=qlora))
    base = family.load(plan)
    model = load_with_adapters(family, plan).eval()
    pixels = torch.randn(1, *_pixels(plan))
    with torch.no_grad():
        base.classifier.load_state_dict(model.base_model.model.classifier.modules_to_save["default"].state_dict())
        assert torch.allclose(model(pixels).logits, base.eval()(pixels).logits, atol=1e-4)
        for name, weight in model.named_parameters():
            if ".lora_" in name:
                weight.add_(torch.randn_like(weight) * 0.05)
        trained = model(pixels).logits
        assert not torch.allclose(trained, base(pixels).logits, atol=1e-3)
        folder = Path(make_spec("saved").folder)
        model.save_pretrained(folder)
        convert_saved_adapter(model, folder)
        again = PeftModel.from_pretrained(base, folder).eval()
        assert torch.allclose(again(pixels).logits, trained, atol=1e-4)


@pytest.mark.parametrize(("qlora", "word"), [({"bits": 4}, "16-bit"), ({"bits": 16, "dora": True}, "DoRA")])
def test_pissa_is_refused_with_a_quantized_base_and_with_dora(
    make_spec: MakeSpec, qlora: dict[str, Any], word: str
) -> None:
    family, _, plan, _ = plan_run(make_spec("run", qlora={**qlora, "init_lora_weights": "pissa"}))
    with pytest.raises(Invalid, match=word):
        load_with_adapters(family, plan)


def test_noise_on_words_is_refused_for_a_base_without_words(make_spec: MakeSpec) -> None:
    with pytest.raises(Invalid) as refused:
        plan_run(make_spec("run", optim={"neftune_alpha": 5}))
    assert refused.value.field == "optim.neftune_alpha"


def _pixels(plan: Plan) -> tuple[int, ...]:
    config = plan.base.config
    return config["num_frames"], 3, config["image_size"], config["image_size"]
