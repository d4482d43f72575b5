"""The exported step is that of the best evaluation, also after a stop, a resume and an early end."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load_file

from jobs.families.protocol import Score
from jobs.families.videomae.family import VideoMAE
from jobs.runs.spec import TrainSpec
from jobs.trainer.run import train
from jobs.trainer.train_result import TrainResult
from tests.unit.jobs.trainer.conftest import MakeSpec
from tests.unit.jobs.trainer.test_run import losses, recorder_of, records

pytestmark = pytest.mark.slow


@pytest.fixture
def base(smaller_base: Path) -> Path:
    """When a run stops and what it keeps does not depend on what is learned."""
    return smaller_base


_EPOCH = 4
"""Steps of an epoch of these runs."""


@pytest.fixture
def accuracies(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """What the evaluations of a run measure, one after the other; the last value stays."""
    values: list[float] = []

    def evaluate(self: Any, plan: Any, model: Any, validation: Any, raw: Any, final: bool) -> Score:
        return Score({"eval_accuracy": values[0] if len(values) == 1 or final else values.pop(0)})

    monkeypatch.setattr(VideoMAE, "evaluate", evaluate)
    return values


def run(spec: TrainSpec, should_stop: Callable[[], bool] = lambda: False) -> TrainResult:
    return train(spec, recorder_of(spec), should_stop)


def exports(spec: TrainSpec, step: int) -> bool:
    """Whether the exported adapter has the weights of a step's checkpoint."""
    folder = Path(spec.folder)
    exported = load_file(folder / "adapter" / "adapter_model.safetensors")
    saved = load_file(folder / "checkpoints" / f"checkpoint-{step}" / "adapter_model.safetensors")
    return exported.keys() == saved.keys() and all(bool((exported[name] == saved[name]).all()) for name in saved)


def steps_on_disk(spec: TrainSpec) -> list[int]:
    return sorted(int(path.name.partition("-")[2]) for path in (Path(spec.folder) / "checkpoints").glob("checkpoint-*"))


def test_the_best_step_is_exported_after_a_stop_and_a_resume(
    make_spec: MakeSpec, accuracies: list[float], stop_after: Callable[[int], Callable[[], bool]]
) -> None:
    recipe: dict[str, Any] = {"optim": {"epochs": 4}}
    accuracies[:] = [0.9, 0.5]
    first = make_spec("run", **recipe)
    stopped = run(first, stop_after(2 * _EPOCH + 1))
    assert (stopped.status, stopped.summary.exported.step, stopped.summary.final_step) == ("stopped", 4, 9)
    assert stopped.summary.values["eval_accuracy"] == 0.9
    assert exports(first, 4)
    assert steps_on_disk(first) == [4, 8, 9]
    accuracies[:] = [0.8, 0.7]
    second = make_spec("run", attempt=2, optim={"epochs": 4})
    ended = run(second)
    chosen = ended.summary.exported
    assert (chosen.step, chosen.measure, chosen.value, chosen.evaluations) == (4, "eval_accuracy", 0.9, 4)
    assert exports(second, 4)
    assert steps_on_disk(second) == [4, 12, 16]
    assert chosen.sentence == "Step 4 of 16 was exported: it had the best accuracy (90.0\u202f%) of 4\u00a0evaluations."
    assert chosen.sentence in (Path(second.folder) / "adapter" / "README.md").read_text()
    last = make_spec("last", eval={"keep": "last"}, optim={"epochs": 4})
    accuracies[:] = [0.9, 0.5]
    plain = run(last)
    assert plain.summary.exported.sentence == "Step 16, the last, was exported, as the recipe asks."
    assert exports(last, 16)
    assert steps_on_disk(last) == [12, 16]
    assert losses(last) == pytest.approx(losses(second), abs=1e-5)


def test_patience_ends_the_run_and_a_resume_trains_no_further(make_spec: MakeSpec, accuracies: list[float]) -> None:
    recipe: dict[str, Any] = {"eval": {"every": 3, "patience": 2}}
    accuracies[:] = [0.5, 0.9, 0.8, 0.6]
    spec = make_spec("run", optim={"epochs": 5}, **recipe)
    ended = run(spec)
    assert ended.status == "completed"
    assert (ended.summary.final_step, ended.summary.exported.step, ended.summary.exported.ended_early) == (12, 6, True)
    assert ended.summary.exported.sentence.endswith("The run ended early, after 2 evaluations that were no better.")
    assert exports(spec, 6)
    again = run(make_spec("run", attempt=2, optim={"epochs": 5}, **recipe))
    assert (again.summary.final_step, again.summary.exported.step) == (12, 6)
    state = json.loads((Path(spec.folder) / "checkpoints" / "checkpoint-12" / "best.json").read_text())
    assert (state["step"], state["since_best"]) == (6, 2)


def test_a_missing_best_checkpoint_leaves_the_last_step(make_spec: MakeSpec, accuracies: list[float]) -> None:
    accuracies[:] = [0.9, 0.5]
    spec = make_spec("run")
    assert run(spec).summary.exported.step == 4
    (Path(spec.folder) / "checkpoints" / "checkpoint-4" / "adapter_model.safetensors").write_bytes(b"cut")
    chosen = run(make_spec("run", attempt=2)).summary.exported
    assert (chosen.step, chosen.sentence) == (
        8,
        "Step 8, the last, was exported: the checkpoint of the best evaluation is missing or damaged.",
    )


def test_some_clips_are_judged_on_the_way_and_all_at_the_end(make_spec: MakeSpec) -> None:
    spec = make_spec("run", eval={"clips": 2, "every": 4, "keep": "last"}, optim={"max_steps": 4})
    summary = run(spec).summary
    assert sum(map(sum, summary.confusion_matrix)) == summary.validation_clips == 4
    during = [r["values"] for r in records(spec) if "eval_accuracy" in r.get("values", {})]
    assert {values["eval_accuracy"] for values in during} <= {0.0, 0.5, 1.0}
    assert summary.baseline["eval_accuracy"] == 0.5
    assert set(summary.intervals) == {"eval_accuracy", "eval_balanced_accuracy", "eval_f1_macro"}
    assert [row.clips for row in summary.by_class] == [2, 2]
