"""The reported figure comes out of a plain script, too: transformers, peft and av, and no line of ours."""

import dataclasses
import json
from pathlib import Path

import pytest

from jobs.runs.clip_spec import ClipSpec
from jobs.runs.spec import TrainSpec
from jobs.trainer.run import train
from orchestrator.settings import ROOT
from tests.forked_programs import PEFT, run_program
from tests.unit.jobs.trainer.conftest import MakeSpec
from tests.unit.jobs.trainer.test_retrievers import SAYS, captioned
from tests.unit.jobs.trainer.test_run import recorder_of

pytestmark = pytest.mark.slow
BUILTIN = ROOT / "orchestrator" / "builtin" / "models"
_DRIVER = """
import json, runpy, sys
for name in ("jobs", "orchestrator", "tests", "benchmarks"):
    sys.modules[name] = None
for given in json.loads(sys.argv[1]):
    sys.argv = ["program.py", *given]
    runpy.run_path("program.py", run_name="__main__")
    print("--")
"""


def card_lines(spec: TrainSpec, *runs: list[str]) -> list[list[list[str]]]:
    """The card's program in a process of its own, once for each list of arguments: its lines, cut at the tabs."""
    adapter = Path(spec.folder) / "adapter"
    program = (adapter / "README.md").read_text().split("```python\n")[1].split("```")[0]
    assert "PeftModel.from_pretrained(base, here)" in program
    if spec.class_names:  # to a folder without words AutoProcessor is the pictures' processor
        program = program.replace("AutoImageProcessor", "AutoProcessor")
    (adapter / "program.py").write_text(program)
    (adapter / "driver.py").write_text(_DRIVER)
    done = run_program(PEFT, adapter / "driver.py", json.dumps(runs))
    assert done.returncode == 0, done.stderr[-2000:]
    blocks = done.stdout.split("--\n")[:-1]
    return [[line.split("\t") for line in block.splitlines() if "\t" in line] for block in blocks]


def validation_clips(spec: TrainSpec) -> list[tuple[str, ClipSpec]]:
    """The held-out clips with their paths, in the order of predictions.json."""
    rows = json.loads((Path(spec.folder) / "adapter" / "predictions.json").read_text())
    known = {clip.id: clip for clip in spec.clips}
    return [(known[row["clip_id"]].path, known[row["clip_id"]]) for row in rows]


def test_accuracy(make_spec: MakeSpec) -> None:
    spec = make_spec(optim={"epochs": 3})
    summary = train(spec, recorder_of(spec), lambda: False).summary
    clips = validation_clips(spec)
    (lines,) = card_lines(spec, [path for path, _ in clips])
    right = sum(line[1] == clip.label for line, (_, clip) in zip(lines, clips, strict=True))
    assert right / len(clips) == pytest.approx(summary.values["eval_accuracy"])


def test_exact_sentences(make_spec: MakeSpec, clips: list[ClipSpec]) -> None:
    told = [dataclasses.replace(clip, label="", caption=SAYS[clip.label]) for clip in clips]
    made = make_spec(optim={"epochs": 6, "learning_rate": 4e-3}, clips=told)
    spec = dataclasses.replace(
        made,
        task="captioning",
        class_names=[],
        model_path=str(BUILTIN / "captioner-tiny"),
        family="vision-encoder-decoder",
    )
    summary = train(spec, recorder_of(spec), lambda: False).summary
    clips_held = validation_clips(spec)
    (lines,) = card_lines(spec, [path for path, _ in clips_held])
    right = sum(line[1] == clip.caption for line, (_, clip) in zip(lines, clips_held, strict=True))
    assert right / len(clips_held) == pytest.approx(summary.values["eval_exact"])


def test_recall_at_one(make_spec: MakeSpec) -> None:
    made = make_spec(optim={"epochs": 3, "batch_size": 10})
    spec = captioned(made, BUILTIN / "retriever-tiny", "vision-text-dual-encoder")
    summary = train(spec, recorder_of(spec), lambda: False).summary
    clips_held = validation_clips(spec)
    paths = [path for path, _ in clips_held]
    found = card_lines(spec, *([clip.caption, *paths] for _, clip in clips_held))
    right = sum(lines[0][1] == path for lines, path in zip(found, paths, strict=True))
    assert right / len(paths) == pytest.approx(summary.values["eval_r1"])
