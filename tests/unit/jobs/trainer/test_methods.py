"""Options of adapters and of the loss, each in a run of a few steps, and what refuses them."""

import json
from pathlib import Path

import pytest

from jobs.families.class_loss import class_loss_of
from jobs.trainer.run import train
from jobs.trainer.setup import plan_run
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
    _, _, plan = plan_run(spec)
    with pytest.raises(Invalid) as refused:
        class_loss_of(plan, [])
    assert refused.value.field == "optim.focal_gamma"
