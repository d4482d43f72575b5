"""Varied clips in real runs: a resumed run sees the same ones, judged clips stay as they are, and what is refused."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from jobs.families.registry import read_base, resolve
from jobs.runs.clip_spec import ClipSpec
from jobs.runs.spec import TrainSpec
from jobs.sinks.recorder import Recorder
from jobs.trainer.data import RunData, load_data
from jobs.trainer.learned_texts import read_annotations
from jobs.trainer.run import train
from jobs.trainer.setup import build_plan, plan_run
from jobs.trainer.split import Split
from jobs.trainer.stopping import StopSignal
from orchestrator.domain.errors import Invalid
from orchestrator.domain.recipes import parse_recipe
from tests.unit.jobs.conftest import BASE
from tests.unit.jobs.trainer.conftest import MakeSpec
from tests.unit.jobs.trainer.test_run import losses, recorder_of, records

EVERYTHING: dict[str, Any] = {
    "augment": {"jitter": True, "flip": True, "rand_augment": True, "mixup": 0.8, "cutmix": 1.0},
    "optim": {"balanced_sampling": True},
    "eval": {"views": 2},
}


def loaded(spec: TrainSpec, clips: list[ClipSpec]) -> RunData:
    base, sides = read_base(BASE), Split(tuple(clips[:6]), tuple(clips[6:8]))
    plan = build_plan(spec, parse_recipe(spec.recipe), base, sides, read_annotations(sides))
    model: Any = torch.nn.Linear(1, 1)
    return load_data(spec, plan, resolve(base), model, sides, Recorder(0, 0, []), StopSignal())


@pytest.mark.slow
def test_a_resumed_run_sees_the_same_clips(
    make_spec: MakeSpec, stop_after: Callable[[int], Callable[[], bool]]
) -> None:
    """Stopped within the second epoch, with every kind of variation and balanced sampling."""
    whole = make_spec("whole", **EVERYTHING)
    result = train(whole, recorder_of(whole), lambda: False)
    assert result.summary.views == 2
    assert "averaged over 2 views" in (Path(whole.folder) / "adapter" / "README.md").read_text()
    assert [r for r in records(whole) if r["kind"] == "note" and "2 views" in r["message"]]
    steps = max(losses(whole))
    halves = make_spec("halves", **EVERYTHING)
    train(halves, recorder_of(halves), stop_after(steps - 1))
    again = make_spec("halves", attempt=2, **EVERYTHING)
    assert train(again, recorder_of(again), lambda: False).status == "completed"
    assert losses(again) == pytest.approx(losses(whole), abs=1e-5)
    plain = make_spec("plain")
    train(plain, recorder_of(plain), lambda: False)
    assert losses(plain)[1] != pytest.approx(losses(whole)[1], abs=1e-3)


def test_clips_differ_by_epoch_and_judged_ones_never_vary(make_spec: MakeSpec, clips: list[ClipSpec]) -> None:
    plain = loaded(make_spec(), clips)
    varied = loaded(make_spec(augment={"jitter": True, "flip": True, "rand_augment": True}), clips)
    with plain.background(), varied.background():
        for index in range(2):
            usual = plain.validation[index]["frames"]
            assert (varied.validation[index]["frames"] == usual).all()
        first = [np.array(varied.training[index]["frames"]) for index in range(6)]
        assert all((varied.training[index]["frames"] == first[index]).all() for index in range(6))
        varied.training.set_epoch(1)
        assert sum(not (varied.training[index]["frames"] == first[index]).all() for index in range(6)) >= 5
        assert first[0].shape == plain.training[0]["frames"].shape


def test_jitter_draws_around_the_frames_that_are_judged(make_spec: MakeSpec, clips: list[ClipSpec]) -> None:
    plain, varied = loaded(make_spec(), clips), loaded(make_spec(augment={"jitter": True}), clips)
    with plain.background(), varied.background():
        usual, seen = plain.training[0]["frames"], set()
        for epoch in range(40):
            varied.training.set_epoch(epoch)
            frames = varied.training[0]["frames"]
            seen |= {int(place) for place in range(len(usual)) if (frames[place] == usual[place]).all()}
    assert seen == set(range(len(usual)))


def test_small_shifts_can_be_switched_off(make_spec: MakeSpec, clips: list[ClipSpec]) -> None:
    spec = make_spec(augment={"basic": False})
    family, _, plan, _ = plan_run(spec)
    found = loaded(spec, clips)
    with found.background():
        items = [found.training[index] for index in range(2)]
        judged = [item | {"training": False} for item in items]
        collate = family.collate(plan)
        assert torch.equal(collate(items)["pixel_values"], collate(judged)["pixel_values"])
        usual = family.collate(plan_run(make_spec())[2])
        assert not torch.equal(usual(items)["pixel_values"], usual(judged)["pixel_values"])


@pytest.mark.slow
def test_one_view_of_a_clip_is_the_usual_result(make_spec: MakeSpec) -> None:
    """Two views of a still film are the same view; here the scores must differ, and add up to 1 all the same."""
    results = []
    for views in (1, 3):
        spec = make_spec(f"views-{views}", optim={"max_steps": 2}, eval={"views": views})
        summary = train(spec, recorder_of(spec), lambda: False).summary
        rows = json.loads((Path(spec.folder) / "adapter" / "predictions.json").read_text())
        results.append((losses(spec), [row["confidence"] for row in rows], summary))
    (first, one, plain), (second, three, averaged) = results
    assert first == second  # evaluation changes no step
    assert one != three
    assert all(0.5 <= confidence <= 1 for confidence in three)
    assert (plain.views, averaged.views) == (0, 3)
    assert averaged.eval_loss != plain.eval_loss


@pytest.mark.parametrize(
    ("recipe", "field"),
    [
        ({"augment": {"mixup": 0.5}, "optim": {"batch_size": 1}}, "optim.batch_size"),
        ({"augment": {"cutmix": 1.0}, "training_type": "pretrain"}, "augment.cutmix"),
        ({"eval": {"views": 2}, "training_type": "pretrain"}, "eval.views"),
        ({"optim": {"chunk_size": 2}}, "optim.chunk_size"),
        ({"optim": {"balanced_sampling": True, "class_weights": True}}, "optim.balanced_sampling"),
    ],
)
def test_what_a_run_cannot_have_is_refused_before_anything_is_loaded(
    make_spec: MakeSpec, recipe: dict[str, Any], field: str
) -> None:
    with pytest.raises(Invalid) as refused:
        plan_run(make_spec("run", **recipe))
    assert refused.value.field == field
