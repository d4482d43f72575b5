"""Real runs of a few steps: what they leave, what they say when something is wrong, and that they resume exactly."""

import dataclasses
import json
import shutil
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load_file, save_file

from jobs.runs.clip_spec import ClipSpec
from jobs.runs.spec import TrainSpec
from jobs.sinks.jsonl import JsonlSink, last_seq
from jobs.sinks.recorder import Recorder
from jobs.trainer.checkpoints import latest_complete_checkpoint
from jobs.trainer.entrypoint import main
from jobs.trainer.run import train
from jobs.video.source import BadClip
from orchestrator.domain.errors import Invalid
from tests.forked_programs import PEFT, run_program
from tests.unit.jobs.conftest import BASE
from tests.unit.jobs.trainer.conftest import MakeSpec

pytestmark = pytest.mark.slow


def recorder_of(spec: TrainSpec) -> Recorder:
    path = Path(spec.folder) / "metrics.jsonl"
    return Recorder(spec.job_id, spec.attempt, [JsonlSink(path)], last_seq(path))


def records(spec: TrainSpec) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (Path(spec.folder) / "metrics.jsonl").read_text().splitlines()]


def losses(spec: TrainSpec) -> dict[int, float]:
    return {r["step"]: r["values"]["loss"] for r in records(spec) if "loss" in r.get("values", {})}


def test_main_leaves_everything_and_the_card_runs(make_spec: MakeSpec, clips: list[ClipSpec]) -> None:
    spec = make_spec(optim={"epochs": 6})
    folder = Path(spec.folder)
    spec.save(folder / "spec.json")
    assert main(folder / "spec.json") == 0
    result = json.loads((folder / "result.json").read_text())
    assert (result["status"], result["attempt"], result["error"]) == ("completed", 1, "")
    summary = result["summary"]
    assert sum(map(sum, summary["confusion_matrix"])) == summary["validation_clips"] == 4
    curve = losses(spec)
    assert sum(list(curve.values())[-4:]) < 0.7 * sum(list(curve.values())[:4])
    assert [r["seq"] for r in records(spec)] == list(range(1, len(records(spec)) + 1))
    assert list((folder / "tensorboard").glob("events.out.tfevents.*"))
    adapter = folder / "adapter"
    names = {path.name for path in adapter.iterdir()}
    assert names >= {"adapter_model.safetensors", "adapter_config.json", "preprocessor_config.json", "README.md"}
    assert names >= {"recipe.yaml", "labels.json", "predictions.json", "config.json", "base"}
    for path in (*adapter.glob("*.json"), adapter / "README.md", adapter / "recipe.yaml"):
        assert str(BASE) not in path.read_text()
        assert str(folder) not in path.read_text()
    _run_the_card(adapter, clips)


def _run_the_card(adapter: Path, clips: list[ClipSpec]) -> None:
    """The program in the card, saved as it says, gives the predictions that the run reported."""
    program = (adapter / "README.md").read_text().split("```python\n")[1].split("```")[0]
    (adapter / "classify.py").write_text(program)
    said = json.loads((adapter / "predictions.json").read_text())
    paths = {clip.id: clip.path for clip in clips}
    done = run_program(PEFT, adapter / "classify.py", *(paths[p["clip_id"]] for p in said))
    assert done.returncode == 0, done.stderr
    lines = [line.split("\t") for line in done.stdout.strip().splitlines() if "\t" in line]
    assert [line[1] for line in lines] == [p["predicted"] for p in said]
    assert [float(line[2]) for line in lines] == pytest.approx([p["confidence"] for p in said], abs=2e-3)


@pytest.mark.parametrize(("gather", "stops"), [(1, (2, 4, 6)), (2, (1, 3))], ids=["each batch", "two batches a step"])
def test_a_stopped_run_goes_on_exactly(
    make_spec: MakeSpec, gather: int, stops: tuple[int, ...], stop_after: Callable[[int], Callable[[], bool]]
) -> None:
    """Stopped in the first epoch, at its end, in the second; with chance in dropout and in how clips are shown."""
    recipe: dict[str, Any] = {"optim": {"gradient_accumulation": gather}, "qlora": {"dropout": 0.1}}
    whole = make_spec("whole", **deepcopy(recipe))
    train(whole, recorder_of(whole), lambda: False)
    expected = losses(whole)
    for stop_at in stops:
        first = make_spec(f"halves-{stop_at}", **deepcopy(recipe))
        assert train(first, recorder_of(first), stop_after(stop_at)).status == "stopped"
        assert max(losses(first)) == stop_at
        assert (Path(first.folder) / "adapter" / "adapter_model.safetensors").exists()
        second = make_spec(f"halves-{stop_at}", attempt=2, **deepcopy(recipe))
        assert train(second, recorder_of(second), lambda: False).status == "completed"
        assert losses(second) == pytest.approx(expected, abs=1e-5), f"stopped at step {stop_at}"
        numbers = [r["seq"] for r in records(second)]
        assert numbers == sorted(set(numbers))


def test_a_damaged_checkpoint_is_passed_over(make_spec: MakeSpec) -> None:
    spec = make_spec()
    train(spec, recorder_of(spec), lambda: False)
    folder = Path(spec.folder) / "checkpoints"
    newest = latest_complete_checkpoint(folder)
    assert newest is not None
    assert len(list(folder.iterdir())) == 2
    damaged = newest / "adapter_model.safetensors"
    damaged.write_bytes(damaged.read_bytes()[:-7])
    older = latest_complete_checkpoint(folder)
    assert older is not None
    assert older.name < newest.name or len(older.name) < len(newest.name)


def test_a_damaged_clip_is_named(make_spec: MakeSpec, clips: list[ClipSpec], tmp_path: Path) -> None:
    cut = tmp_path / "half.mp4"
    cut.write_bytes(Path(clips[0].path).read_bytes()[:3000])
    broken = [ClipSpec(99, str(cut), "blinking", "", "train", "00ff", "half.mp4"), *clips]
    spec = make_spec(clips=broken, optim={"batch_size": 30})
    with pytest.raises(BadClip, match=r"^half\.mp4 "):
        train(spec, recorder_of(spec), lambda: False)


def test_a_loss_that_is_no_number_says_where_and_why(make_spec: MakeSpec, tmp_path: Path) -> None:
    """A base whose weights are too large for any sum: the first loss is no number."""
    base = tmp_path / "base"
    shutil.copytree(BASE, base)
    weights = load_file(base / "model.safetensors")
    name = next(name for name in weights if name.endswith("layernorm_after.weight"))
    save_file(weights | {name: weights[name] * 0 + 1e38}, base / "model.safetensors", {"format": "pt"})
    spec = dataclasses.replace(make_spec(), model_path=str(base))
    with pytest.raises(Invalid, match=r"no longer a number at step 1\. The learning rate .* is probably too high"):
        train(spec, recorder_of(spec), lambda: False)


def test_what_cannot_be_trained_is_refused_with_a_sentence(make_spec: MakeSpec) -> None:
    for change, sentence in (
        ({"data": {"frames": 16}}, "exactly 8 frames"),
        ({"qlora": {"target_modules": ["nonsense"]}}, "None of the target modules"),
    ):
        spec = make_spec(**change)
        with pytest.raises(Invalid, match=sentence):
            train(spec, recorder_of(spec), lambda: False)


def test_pretraining_goes_on_without_labels(make_spec: MakeSpec) -> None:
    spec = make_spec(training_type="pretrain", optim={"learning_rate": 1e-3, "epochs": 4})
    result = train(spec, recorder_of(spec), lambda: False)
    curve = list(losses(spec).values())
    assert result.status == "completed"
    assert (result.summary.eval_loss or 0) > 0
    assert sum(curve[-3:]) < sum(curve[:3])
    model = Path(spec.folder) / "model"
    assert (model / "model.safetensors").exists()
    again = make_spec("again")
    tuned = TrainSpec(**{**{f: getattr(again, f) for f in again.__slots__}, "model_path": str(model)})
    assert train(tuned, recorder_of(tuned), lambda: False).status == "completed"
