"""A real captioning run of a few steps: the base is measured first, sentences travel to the summary, the card runs."""

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from jobs.bases.captioner_captions import word_tokenizer
from jobs.bases.pretrain_captioner import build, export
from jobs.runs.clip_spec import ClipSpec
from jobs.runs.spec import TrainSpec
from jobs.trainer.run import train
from orchestrator.domain.errors import Invalid
from tests.forked_programs import PEFT, run_program
from tests.unit.jobs.trainer.conftest import MakeSpec
from tests.unit.jobs.trainer.test_run import losses, recorder_of, records

pytestmark = pytest.mark.slow


@pytest.fixture
def spec(make_spec: MakeSpec, clips: list[ClipSpec], tmp_path: Path) -> TrainSpec:
    """Two sentences of new words, one a motion; the base sees well and has never spoken."""
    torch.manual_seed(0)
    base = tmp_path / "base"
    export(build(), word_tokenizer(), base, {})
    told = {"blinking": "Look! It flashes.\nIt blinks, look!", "zooming": "See! It looms."}
    said = [dataclasses.replace(clip, label="", caption=told[clip.label]) for clip in clips]
    made = make_spec(optim={"epochs": 8, "learning_rate": 4e-3}, clips=said)
    return dataclasses.replace(
        made, task="captioning", class_names=[], model_path=str(base), family="vision-encoder-decoder"
    )


def test_a_captioning_run(spec: TrainSpec) -> None:
    result = train(spec, recorder_of(spec), lambda: False)
    curve = list(losses(spec).values())
    assert sum(curve[-3:]) < 0.5 * sum(curve[:3])
    summary = result.summary
    assert summary.task == "captioning"
    assert summary.baseline["eval_exact"] == 0.0
    assert 0 <= summary.baseline["eval_rouge_l"] < summary.values["eval_rouge_l"] <= 1
    assert {"name", "reference", "before", "predicted", "clip_id"} <= set(summary.samples[0].to_json())
    shown = [record for record in records(spec) if record["kind"] == "samples"]
    assert [record["epoch"] for record in shown] == list(range(1, 9))
    assert shown[-1]["samples"] == [row.to_json() for row in summary.samples]
    adapter = Path(spec.folder) / "adapter"
    assert {p.name for p in adapter.iterdir()} >= {"tokenizer.json", "preprocessor_config.json", "base", "README.md"}
    _run_the_card(adapter, spec)


def with_two_epochs(spec: TrainSpec) -> TrainSpec:
    """For tests that do not ask what is learned."""
    return dataclasses.replace(spec, recipe=spec.recipe | {"optim": spec.recipe["optim"] | {"epochs": 2}})


def _run_the_card(adapter: Path, spec: TrainSpec) -> None:
    """The program in the card says the very sentences that the run reported."""
    program = (adapter / "README.md").read_text().split("```python\n")[1].split("```")[0]
    (adapter / "caption.py").write_text(program)
    reported = json.loads((adapter / "predictions.json").read_text())
    paths = {clip.id: clip.path for clip in spec.clips}
    done = run_program(PEFT, adapter / "caption.py", *(paths[row["clip_id"]] for row in reported))
    assert done.returncode == 0, done.stderr
    said = [line.split("\t")[1] for line in done.stdout.strip().splitlines() if "\t" in line]
    assert said == [row["predicted"] for row in reported]


def test_a_resumed_run_keeps_the_figures_of_the_base(
    spec: TrainSpec, stop_after: Callable[[int], Callable[[], bool]]
) -> None:
    spec = with_two_epochs(spec)
    assert train(spec, recorder_of(spec), stop_after(4)).status == "stopped"
    before = (Path(spec.folder) / "baseline.json").read_text()
    again = dataclasses.replace(spec, attempt=2)
    result = train(again, recorder_of(again), lambda: False)
    assert result.summary.baseline == json.loads(before)["values"]


def test_clips_without_captions_and_long_ones_are_named(spec: TrainSpec) -> None:
    silent = dataclasses.replace(spec.clips[3], caption=" \n ")
    with pytest.raises(Invalid, match=rf"^{silent.name} has no caption"):
        _try(dataclasses.replace(spec, clips=[*spec.clips[:3], silent, *spec.clips[4:]]))
    long = [dataclasses.replace(clip, caption="on and on " * 40) for clip in spec.clips]
    with pytest.raises(Invalid, match=r"^The caption of \w+-\d+\.mp4, .*more words than this base can generate"):
        _try(dataclasses.replace(spec, clips=long))


def _try(spec: TrainSpec) -> None:
    train(spec, recorder_of(spec), lambda: False)
