"""Clips with several labels are trained on with a score for each class, which the card's program gives as well."""

import dataclasses
import json
import runpy
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from jobs.adapters.merge import merge
from jobs.families.protocol import Plan
from jobs.families.registry import read_base, resolve
from jobs.runs.clip_spec import ClipSpec
from jobs.trainer.run import train
from jobs.trainer.setup import load_with_adapters
from jobs.video.synthetic import demo_frames, write_mp4
from orchestrator.domain.annotations import Annotations
from orchestrator.domain.recipes import parse_recipe
from orchestrator.domain.tasks import ProblemType
from tests.fakes.bases import ENCODERS, make_base
from tests.unit.jobs.conftest import BASE
from tests.unit.jobs.trainer.conftest import MakeSpec
from tests.unit.jobs.trainer.test_run import recorder_of

MULTI = ProblemType.MULTI_LABEL.value
CLASSES = ["blinking", "left", "right", "zooming"]


@pytest.fixture(scope="session")
def labelled(tmp_path_factory: pytest.TempPathFactory) -> list[ClipSpec]:
    """Two films next to each other: a motion on the left, a motion on the right, or one on both sides."""
    folder = tmp_path_factory.mktemp("several")
    made: list[ClipSpec] = []
    for number in range(40):
        motion, side = ("blinking", "zooming")[number % 2], ("left", "right", "both")[number // 2 % 3]
        film = demo_frames(motion, number)
        still = np.repeat(film[:1] * 0, len(film), 0)
        halves = [film if side in (place, "both") else still for place in ("left", "right")]
        wide = np.concatenate(halves, 2)
        path = write_mp4(folder / f"{number}.mp4", wide)
        names = (motion, *(("left", "right") if side == "both" else (side,)))
        made.append(ClipSpec(number + 1, str(path), ", ".join(names), "", "auto", f"several {number}", path.name))
        made[-1] = dataclasses.replace(made[-1], annotations=Annotations(names).to_json())
    return made


@pytest.mark.slow
def test_it_learns_far_above_chance(
    make_spec: MakeSpec, labelled: list[ClipSpec], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spec = dataclasses.replace(
        make_spec(clips=labelled, optim={"epochs": 12, "learning_rate": 6e-3}, data={"validation_share": 0.3}),
        class_names=CLASSES,
        problem_type=MULTI,
    )
    result = train(spec, recorder_of(spec), lambda: False)
    summary = result.summary
    assert summary.problem_type == MULTI
    score, chance = summary.value("eval_map") or 0.0, summary.baseline["eval_map"]
    assert 0.4 < chance < 0.75
    assert score > chance + 0.15
    assert {row.name for row in summary.classes} == set(CLASSES)
    adapter = Path(spec.folder) / "adapter"
    assert json.loads((adapter / "config.json").read_text())["problem_type"] == MULTI
    predictions = json.loads((adapter / "predictions.json").read_text())
    assert all(set(row["scores"]) == set(CLASSES) for row in predictions)
    assert any(len(row["labels"]) == 3 for row in predictions)
    card = (adapter / "README.md").read_text()
    assert "says which of 4 classes a clip shows" in card
    assert "| class | held-out clips | average precision |" in card
    assert "- map\n" in card
    paths = {clip.id: clip.path for clip in labelled}
    _check_program(card, adapter, predictions[:3], paths, capsys)
    merged = merge(adapter, BASE, parse_recipe(spec.recipe), "classification", tmp_path / "merged", lambda *_: True)
    assert json.loads((merged / "config.json").read_text())["problem_type"] == MULTI
    assert ".sigmoid()" in (merged / "README.md").read_text()


def _check_program(card: str, adapter: Path, predictions: list[Any], paths: dict[int, str], capsys: Any) -> None:
    (adapter / "classify.py").write_text(card.split("```python\n")[1].split("```")[0])
    capsys.readouterr()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["classify.py", *(paths[row["clip_id"]] for row in predictions)])
        runpy.run_path(str(adapter / "classify.py"))
    lines = [line.split("\t") for line in capsys.readouterr().out.splitlines() if line.count("\t") == 2]
    assert len(lines) == len(predictions) * len(CLASSES)
    for number, row in enumerate(predictions):
        said = {name: float(score) for _, name, score in lines[number * len(CLASSES) :][: len(CLASSES)]}
        assert said == pytest.approx(row["scores"], abs=5e-3)


@pytest.mark.parametrize("family", sorted(ENCODERS))
def test_the_loss_is_binary_cross_entropy(tmp_path: Path, family: str) -> None:
    base = read_base(make_base(family, tmp_path / "base"))
    how = resolve(base)
    recipe = parse_recipe({"qlora": {"dropout": 0.0}})
    plan = Plan(base, recipe, "classification", ("a", "b", "c"), problem_type=ProblemType.MULTI_LABEL)
    model = load_with_adapters(how, plan).eval()
    frames = np.random.default_rng(0).integers(0, 256, (4, 32, 32, 3), dtype=np.uint8)
    items = [
        {"frames": frames, "label": row[0], "labels": row, "training": False, "seed": (0, i), "captions": []}
        for i, row in enumerate(([0, 2], [1]))
    ]
    batch = how.collate(plan)(items)
    with torch.no_grad():
        output = model(**batch)
    expected = torch.nn.functional.binary_cross_entropy_with_logits(
        output.logits, torch.tensor([[1.0, 0.0, 1.0], [0.0, 1.0, 0.0]])
    )
    assert float(output.loss) == pytest.approx(float(expected), rel=1e-5)
    assert model.config.problem_type == MULTI
