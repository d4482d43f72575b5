"""A run that is stopped leaves each phase at once, keeps every step that had ended, and goes on exactly from there."""

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from jobs.families.captioner import family as captioner
from jobs.runs.spec import TrainSpec
from jobs.sinks.jsonl import JsonlSink, last_seq
from jobs.sinks.recorder import Recorder
from jobs.trainer import hf_trainer
from jobs.trainer.callbacks import StopCallback
from jobs.trainer.checkpoints import is_complete, is_evaluation_pending, latest_complete_checkpoint
from jobs.trainer.entrypoint import main
from jobs.trainer.hf_trainer import VideoTrainer
from jobs.trainer.run import train
from jobs.trainer.stopping import StopRequested, StopSignal
from jobs.trainer.train_result import TrainResult
from orchestrator.domain.live_records import RunRecord, Stage
from tests.unit.jobs.trainer.conftest import MakeSpec
from tests.unit.jobs.trainer.test_captions import spec as captions_spec  # noqa: F401 (a fixture)
from tests.unit.jobs.trainer.test_captions import with_two_epochs
from tests.unit.jobs.trainer.test_run import losses, records

pytestmark = pytest.mark.slow


@pytest.fixture
def base(smaller_base: Path) -> Path:
    """When a run stops and what it keeps does not depend on what is learned."""
    return smaller_base


class StopIn:
    """A request to stop that comes at a moment; also a sink, since a run's records say what it does."""

    def __init__(self, stage: Stage | None = None) -> None:
        self._stage, self.asked = stage, stage is None

    def __call__(self) -> bool:
        return self.asked

    def put(self, record: RunRecord) -> None:
        self.asked = self.asked or record.get("stage") == self._stage

    def close(self) -> None:
        """Nothing is open."""


def run(spec: TrainSpec, stop: StopIn | None = None) -> TrainResult:
    path = Path(spec.folder) / "metrics.jsonl"
    sinks = [JsonlSink(path), *([stop] if stop else [])]
    return train(spec, Recorder(spec.job_id, spec.attempt, sinks, last_seq(path)), stop or (lambda: False))


def again(spec: TrainSpec) -> TrainSpec:
    return dataclasses.replace(spec, attempt=spec.attempt + 1)


def checkpoint_of(spec: TrainSpec) -> Path | None:
    return latest_complete_checkpoint(Path(spec.folder) / "checkpoints")


def adapter_of(spec: TrainSpec) -> dict[str, torch.Tensor]:
    return load_file(Path(spec.folder) / "adapter" / "adapter_model.safetensors")


def evaluated_steps(spec: TrainSpec) -> list[int]:
    return [record["step"] for record in records(spec) if record.get("phase") == "eval"]


def count_batches(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Grows by one for each batch that is evaluated."""
    batches: list[int] = []
    original = VideoTrainer.prediction_step

    def counted(self: VideoTrainer, *args: Any, **kwargs: Any) -> Any:
        batches.append(1)
        return original(self, *args, **kwargs)

    monkeypatch.setattr(VideoTrainer, "prediction_step", counted)
    return batches


@pytest.fixture
def small(make_spec: MakeSpec, monkeypatch: pytest.MonkeyPatch) -> Callable[..., TrainSpec]:
    """Four steps an epoch, with dropout; half of the clips are evaluated, in four batches."""
    original = hf_trainer.training_arguments

    def in_small_batches(*args: Any, **kwargs: Any) -> Any:
        made = original(*args, **kwargs)
        made.per_device_eval_batch_size = 3
        return made

    monkeypatch.setattr("jobs.trainer.build_trainer.training_arguments", in_small_batches)

    def make(name: str, **optim: Any) -> TrainSpec:
        return make_spec(
            name,
            optim={"batch_size": 3, **optim},
            data={"validation_share": 0.5},
            qlora={"dropout": 0.1},
        )

    return make


def test_a_stop_while_the_base_is_loaded(make_spec: MakeSpec) -> None:
    spec = make_spec()
    result = run(spec, StopIn())
    assert (result.status, result.stage) == ("stopped", Stage.LOADING)
    assert checkpoint_of(spec) is None
    assert not (Path(spec.folder) / "adapter").exists()
    assert run(again(spec)).status == "completed"


def test_main_writes_that_it_was_stopped(make_spec: MakeSpec, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = make_spec()
    path = Path(spec.folder) / "spec.json"
    spec.save(path)
    monkeypatch.setattr("threading.Event.is_set", lambda self: True)
    assert main(path) == 0
    result = json.loads((Path(spec.folder) / "result.json").read_text())
    assert (result["status"], result["stage"]) == ("stopped", "loading")


def test_a_stop_in_the_baseline(captions_spec: TrainSpec, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    spec = with_two_epochs(captions_spec)
    whole = dataclasses.replace(spec, folder=spec.folder + "-whole")
    run(whole)
    generated: list[int] = []
    monkeypatch.setattr(captioner, "_generate", lambda *given: generated.append(1) or [""] * len(given[3]))
    result = run(spec, StopIn(Stage.BASELINE))
    assert (result.status, result.stage) == ("stopped", Stage.BASELINE)
    assert not generated
    assert {path.name for path in Path(spec.folder).iterdir()} == {"checkpoints", "metrics.jsonl"}
    monkeypatch.undo()
    assert run(again(spec)).status == "completed"
    assert losses(spec) == pytest.approx(losses(whole), abs=1e-5)


def test_a_stop_in_an_evaluation(small: Callable[..., TrainSpec], monkeypatch: pytest.MonkeyPatch) -> None:
    whole, spec = small("whole"), small("stopped")
    run(whole)
    batches = count_batches(monkeypatch)
    result = run(spec, StopIn(Stage.EVALUATION))
    assert (result.status, result.stage) == ("stopped", Stage.EVALUATION)
    assert len(batches) == 1
    checkpoint = checkpoint_of(spec)
    assert checkpoint is not None
    assert checkpoint.name == "checkpoint-4"
    assert is_evaluation_pending(checkpoint)
    assert len(adapter_of(spec)) > 0
    assert run(again(spec)).status == "completed"
    assert losses(spec) == pytest.approx(losses(whole), abs=1e-5)
    assert evaluated_steps(spec) == evaluated_steps(whole) == [4, 8]
    assert not is_evaluation_pending(checkpoint)
    assert is_complete(checkpoint)


def test_a_stop_between_two_generated_words(
    captions_spec: TrainSpec,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stop, tokens, original = StopIn(Stage.EXPORT), [], captioner._generate

    def generate(plan: Any, *given: Any) -> list[str]:
        def check() -> None:
            tokens.append(1)
            stop.asked = stop.asked or (len(tokens) == 2 and evaluating)
            plan.check_stop()

        evaluating = bool(losses(captions_spec))
        if not evaluating:
            return original(plan, *given)
        return original(dataclasses.replace(plan, check_stop=check), *given)

    monkeypatch.setattr(captioner, "_generate", generate)
    result = run(captions_spec, stop)
    assert (result.status, result.stage) == ("stopped", Stage.EVALUATION)
    assert len(tokens) == 2
    assert checkpoint_of(captions_spec) is not None


@pytest.mark.parametrize("optim", [{}, {"max_steps": 6}], ids=["whole epochs", "an epoch that max_steps cuts"])
def test_a_stop_in_the_final_evaluation(
    small: Callable[..., TrainSpec], monkeypatch: pytest.MonkeyPatch, optim: dict[str, Any]
) -> None:
    whole, spec = small("whole", **optim), small("stopped", **optim)
    expected = run(whole)
    batches = count_batches(monkeypatch)
    evaluations = len(evaluated_steps(whole))
    result = run(spec, StopIn(Stage.FINAL_EVALUATION))
    assert (result.status, result.stage) == ("stopped", Stage.FINAL_EVALUATION)
    assert len(batches) == evaluations * 4 + 1
    trained, step = losses(spec), result.summary.final_step
    finished = run(again(spec))
    assert finished.status == "completed"
    assert (finished.summary.final_step, losses(spec)) == (step, trained)
    assert [record["attempt"] for record in records(spec) if "loss" in record.get("values", {})] == [1] * len(trained)
    assert finished.summary.values["eval_accuracy"] == expected.summary.values["eval_accuracy"]
    assert finished.summary.confusion_matrix == expected.summary.confusion_matrix
    weights = adapter_of(whole)
    assert all(torch.equal(value, weights[name]) for name, value in adapter_of(spec).items())


def test_a_stop_in_the_last_epochs_evaluation_goes_on_with_it(
    small: Callable[..., TrainSpec],
) -> None:
    spec = small("stopped", epochs=1)
    assert run(spec, StopIn(Stage.EVALUATION)).stage == Stage.EVALUATION
    trained = losses(spec)
    assert run(again(spec)).status == "completed"
    assert (losses(spec), evaluated_steps(spec)) == (trained, [4])


def test_a_stop_in_the_export(small: Callable[..., TrainSpec]) -> None:
    whole, spec = small("whole"), small("stopped")
    run(whole)
    result = run(spec, StopIn(Stage.EXPORT))
    assert (result.status, result.stage) == ("stopped", Stage.EXPORT)
    assert not (Path(spec.folder) / "adapter").exists()
    assert run(again(spec)).status == "completed"
    weights = adapter_of(whole)
    assert all(torch.equal(value, weights[name]) for name, value in adapter_of(spec).items())


@pytest.mark.parametrize("step", [1, 4], ids=["the first step", "a later one"])
def test_a_stop_within_an_accumulated_step(
    small: Callable[..., TrainSpec], monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    """The step is left, and done again by the next attempt with the same dropout."""
    optim = {"batch_size": 1, "gradient_accumulation": 3}
    whole, spec = small("whole", **optim), small("stopped", **optim)
    run(whole)
    stop, original = StopIn(Stage.EXPORT), StopCallback.on_substep_end

    def ends(self: StopCallback, args: Any, state: Any, control: Any, **others: Any) -> None:
        stop.asked = stop.asked or state.global_step == step - 1
        original(self, args, state, control, **others)

    monkeypatch.setattr(StopCallback, "on_substep_end", ends)
    assert run(spec, stop).status == "stopped"
    monkeypatch.undo()
    assert max(losses(spec), default=0) == step - 1
    assert (checkpoint_of(spec) is None) == (step == 1)
    assert run(again(spec)).status == "completed"
    assert losses(spec) == pytest.approx(losses(whole), abs=1e-5)


def test_a_stop_after_the_last_step_of_an_epoch_leaves_its_evaluation_to_the_next_attempt(
    small: Callable[..., TrainSpec], monkeypatch: pytest.MonkeyPatch
) -> None:
    spec, stop, original = small("stopped"), StopIn(Stage.EXPORT), StopCallback.on_step_end

    def ends(self: StopCallback, args: Any, state: Any, control: Any, **others: Any) -> None:
        stop.asked = stop.asked or state.global_step == 4
        original(self, args, state, control, **others)

    monkeypatch.setattr(StopCallback, "on_step_end", ends)
    result = run(spec, stop)
    assert (result.status, result.stage, evaluated_steps(spec)) == ("stopped", Stage.TRAINING, [])
    monkeypatch.undo()
    assert run(again(spec)).status == "completed"
    assert evaluated_steps(spec) == [4, 8]


def test_a_signal_is_heard_once() -> None:
    stop = StopSignal(lambda: True)
    with pytest.raises(StopRequested):
        stop.check()
    stop.check()  # what a stopped run still saves is not interrupted
    stop.check_alone()
    assert (stop.stopped_in, stop.requested()) == (Stage.LOADING, True)
