"""The exported adapter names its base as others can load it."""

import dataclasses
import json

import pytest

from jobs.trainer import export as exporting
from jobs.trainer.export import export
from jobs.trainer.results import EvaluationResult
from jobs.trainer.setup import load_with_adapters, plan_run
from orchestrator.domain.run_summary import RunSummary
from tests.unit.jobs.trainer.conftest import MakeSpec


@pytest.mark.parametrize(
    ("hub_id", "bundled", "named"),
    [("MCG-NJU/videomae-tiny", False, "MCG-NJU/videomae-tiny"), ("", False, "VideoMAE tiny"), ("a/b", True, "base")],
)
def test_the_adapter_names_the_base_by_its_hub_id(
    make_spec: MakeSpec, monkeypatch: pytest.MonkeyPatch, hub_id: str, bundled: bool, named: str
) -> None:
    if not bundled:
        monkeypatch.setattr(exporting, "BUNDLED_BYTES", 0)
    spec = dataclasses.replace(make_spec(), model_ref=hub_id)
    family, _, plan, _ = plan_run(spec)
    model = load_with_adapters(family, plan)
    adapter = export(spec, plan, family, model, EvaluationResult(), RunSummary())
    assert json.loads((adapter / "adapter_config.json").read_text())["base_model_name_or_path"] == named
    card = (adapter / "README.md").read_text()
    assert f"base_model: {hub_id or 'VideoMAE tiny'}\n" in card
    assert f'"{named}"' in card  # in the program
