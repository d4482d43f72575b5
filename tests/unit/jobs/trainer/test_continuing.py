"""A run that continues from an adapter begins where that adapter ended; its classes are matched by name."""

import dataclasses
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from jobs.runs.clip_spec import ClipSpec
from jobs.runs.spec import TrainSpec
from jobs.trainer.run import train
from jobs.trainer.setup import load_with_adapters, plan_run
from orchestrator.domain.errors import Invalid
from tests.unit.jobs.trainer.conftest import MakeSpec
from tests.unit.jobs.trainer.test_run import losses, recorder_of


def _continuing(spec: TrainSpec, folder: Path, **fields: Any) -> TrainSpec:
    return dataclasses.replace(spec, adapter_folder=str(folder), adapter_name="tiny-run v1", **fields)


def _finish(spec: TrainSpec) -> Path:
    assert train(spec, recorder_of(spec), lambda: False).status == "completed"
    return Path(spec.folder) / "adapter"


@pytest.mark.slow
def test_continuing_begins_with_a_lower_loss_than_from_scratch(
    make_spec: MakeSpec, stop_after: Callable[[int], Callable[[], bool]]
) -> None:
    first = make_spec("first", optim={"max_steps": 16, "epochs": 6}, qlora={"r": 4, "rslora": True})
    adapter = _finish(first)
    # Another rank in the recipe of a spec: the adapter's own counts.
    again = _continuing(make_spec("second", optim={"max_steps": 3}), adapter)
    card = (_finish(again) / "README.md").read_text()
    assert "| Continued from | tiny-run v1 |" in card
    config = json.loads((Path(again.folder) / "adapter" / "adapter_config.json").read_text())
    assert (config["r"], config["use_rslora"]) == (4, True)
    assert losses(again)[1] < 0.8 * losses(first)[1]

    # Resumed after its own checkpoint, even when the adapter is gone, it is the same run.
    cut = _continuing(make_spec("third", optim={"max_steps": 3}), adapter)
    assert train(cut, recorder_of(cut), stop_after(2)).status == "stopped"
    shutil.rmtree(adapter)
    [checkpoint] = sorted((Path(cut.folder) / "checkpoints").glob("checkpoint-2"))
    assert train(_continuing(cut, checkpoint, attempt=2), recorder_of(cut), lambda: False).status == "completed"
    assert losses(cut) == pytest.approx(losses(again), rel=1e-4)


@pytest.mark.slow
def test_outputs_are_matched_by_the_names_of_their_classes(make_spec: MakeSpec, clips: list[ClipSpec]) -> None:
    adapter = _finish(make_spec("first", optim={"max_steps": 2}))
    before = load_file(adapter / "adapter_model.safetensors")["base_model.model.classifier.weight"]
    changed = [dataclasses.replace(clip, label="spinning" if clip.id % 3 == 0 else clip.label) for clip in clips]
    spec = _continuing(make_spec("second", clips=changed), adapter, class_names=["spinning", "zooming", "blinking"])
    family, _, plan, _ = plan_run(spec)
    model = load_with_adapters(family, plan)
    now = model.base_model.model.classifier.modules_to_save["default"].weight
    assert torch.equal(now[[2, 1]], before)
    assert now.requires_grad
    assert not any(torch.equal(now[0], row) for row in before)
    assert all(parameter.requires_grad for name, parameter in model.named_parameters() if ".lora_" in name)


def test_damaged_files_are_refused(make_spec: MakeSpec, tmp_path: Path) -> None:
    folder = tmp_path / "adapter"
    folder.mkdir()
    (folder / "adapter_config.json").write_text("{")
    family, _, plan, _ = plan_run(_continuing(make_spec("run"), folder))
    with pytest.raises(Invalid) as refused:
        load_with_adapters(family, plan)
    assert refused.value.field == "adapter"
