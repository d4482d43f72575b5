"""MLflow, W&B and trackio get the curves; one that is missing or breaks is named, and the run never notices."""

import sys
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from jobs.sinks.recorder import Recorder
from jobs.sinks.trackers import flat, trackers
from tests.studio import until


class FakeClient:
    """The calls of MLflow's client that are made."""

    told: list[tuple[Any, ...]] = []

    def get_experiment_by_name(self, name: str) -> None:
        return None

    def create_experiment(self, name: str) -> str:
        return "e1"

    def create_run(self, experiment: str, run_name: str) -> Any:
        self.told.append(("run", experiment, run_name))
        return SimpleNamespace(info=SimpleNamespace(run_id="r1"))

    def log_param(self, run: str, key: str, value: str) -> None:
        self.told.append(("param", key, value))

    def log_metric(self, run: str, name: str, value: float, step: int) -> None:
        self.told.append((name, value, step))

    def set_terminated(self, run: str) -> None:
        self.told.append(("end", run))


def module_of(name: str, monkeypatch: pytest.MonkeyPatch, **what: Any) -> None:
    module = ModuleType(name)
    for key, value in what.items():
        setattr(module, key, value)
    monkeypatch.setitem(sys.modules, name, module)


def test_each_tool_gets_settings_curves_and_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    FakeClient.told = told = []
    module_of("mlflow", monkeypatch, MlflowClient=FakeClient)
    for name in ("wandb", "trackio"):
        module_of(
            name,
            monkeypatch,
            init=lambda tool=name, **how: told.append((tool, how["project"], how["name"])),
            log=lambda values, step, name=name: told.append((name, values, step)),
            finish=lambda name=name: told.append((name, "finished")),
        )
    said: list[str] = []
    sinks = trackers(["mlflow", " WandB", "trackio", "mlflow"], "job-5", flat({"qlora": {"r": 8}}), said.append)
    recorder = Recorder(5, 1, sinks)
    recorder.progress(1, 2, 0.5)
    recorder.metric(1, 2, 0.5, {"loss": 0.5})
    recorder.close()
    assert said == []
    assert [line for line in told if line[0] not in ("wandb", "trackio")] == [
        ("run", "e1", "job-5"),
        ("param", "qlora.r", "8"),
        ("loss", 0.5, 1),
        ("end", "r1"),
    ]
    for name in ("wandb", "trackio"):
        mine = [line[1:] for line in told if line[0] == name]
        assert mine == [("loreel", "job-5"), ({"loss": 0.5}, 1), ("finished",)]


def test_a_missing_a_broken_and_an_unknown_tool_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "mlflow", None)

    def broken(**_how: Any) -> None:
        raise SystemExit("no key")

    module_of("wandb", monkeypatch, init=broken)
    said: list[str] = []
    sinks = trackers(["mlflow", "wandb", "clippy"], "job-5", {}, said.append)
    recorder = Recorder(5, 1, sinks)
    recorder.metric(1, 2, 0.5, {"loss": 0.5})
    until(lambda: len(said) >= 3, 60, pause_s=0.01)
    recorder.metric(2, 2, 1.0, {"loss": 0.4})
    recorder.close()
    assert any("pip install mlflow-skinny" in line for line in said)
    assert any("SystemExit: no key). The run continues." in line for line in said)
    assert any("names clippy" in line for line in said)
